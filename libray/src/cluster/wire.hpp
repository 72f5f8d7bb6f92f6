#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gcs/types/error.hpp"
#include "gcs/types/flat_codec.hpp"
#include "gcs/types/ids.hpp"
#include "gcs/types/limits.hpp"
#include "gcs/types/task_spec.hpp"

/// What a process (driver or worker) and the node of its host say to each other, and what nodes say
/// to each other: operations, packed one behind the other into batches and carried out in that
/// order. `README.md` tells the story; above each operation stands what it means and who sends it.
/// A node that has another one run a task is to that one what a node is to its workers.
namespace caf_ray::cluster {

/// Both ends must have the same; the hub refuses others. Changes with every change of this file or
/// of a record it names.
inline constexpr std::uint32_t wire_version = 4;

enum class value_kind : std::uint8_t {
  /// The packed value itself.
  inlined,
  /// In the arena of the host.
  stored,
  /// There is none and never will be: an error.
  failed,
};

/// What an object turned out to be. Views are into the batch it came in.
struct value_form {
  value_kind kind = value_kind::failed;
  /// Inlined: the packed value.
  std::string_view bytes;
  /// Of the packed value, wherever it is.
  std::uint64_t size_bytes = 0;
  error failure;
  /// Objects that the value names.
  std::vector<object_id> contained;
  /// Between nodes: which have a stored one in their arenas.
  std::vector<node_id> nodes;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, value_form& x) {
    return f(x.kind, x.bytes, x.size_bytes, x.failure, x.contained, x.nodes);
  }
};

// -- from a process to its node

/// Run this; the sender holds its results, once each. Methods go to the actor `spec.actor`.
struct submit_op {
  task_spec spec;
  std::uint32_t attempt = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, submit_op& x) {
    return f(x.spec, x.attempt);
  }
};

/// From a worker or node: this task has ended. `results` is empty when it has failed; else there is
/// one for each return. From a node, what they name is lent once more each, and so is each stored
/// result: the copy is kept until it is given back.
struct done_op {
  task_id task;
  error failure;
  std::vector<value_form> results;
  std::uint64_t run_ns = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, done_op& x) {
    return f(x.task, x.failure, x.results, x.run_ns);
  }
};

/// From a worker: this task waits inside user code, or goes on.
struct blocked_op {
  task_id task;
  bool blocked = true;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, blocked_op& x) {
    return f(x.task, x.blocked);
  }
};

/// Tell me when this object is there (ready_op); I hold it.
struct want_op {
  object_id object;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, want_op& x) {
    return f(x.object);
  }
};

/// I have met the id of this object by itself and want to use it: from now on I hold it once. Told
/// as a want_op is; an object that nobody knows is told as lost.
struct borrow_op {
  object_id object;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, borrow_op& x) {
    return f(x.object);
  }
};

/// I have no reference to this object any more; it had come to me `count` times.
struct release_op {
  object_id object;
  std::uint32_t count = 1;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, release_op& x) {
    return f(x.object, x.count);
  }
};

/// This object is so; I made it and hold it once.
struct put_op {
  object_id object;
  value_form value;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, put_op& x) {
    return f(x.object, x.value);
  }
};

/// Memory for an object of this size, please; answered by created_op. The sender writes it and says
/// so with a seal_op, or gives it up with an abort_op. Sealed, it is pinned for the sender once.
struct create_op {
  object_id object;
  std::uint64_t size_bytes = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, create_op& x) {
    return f(x.object, x.size_bytes);
  }
};

/// This object is written. That it exists is said by a put_op or done_op that follows.
struct seal_op {
  object_id object;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, seal_op& x) {
    return f(x.object);
  }
};

/// I shall not finish this object.
struct abort_op {
  object_id object;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, abort_op& x) {
    return f(x.object);
  }
};

/// I am about to read this object of the arena: keep it where it is; answered by pinned_op.
struct pin_op {
  object_id object;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, pin_op& x) {
    return f(x.object);
  }
};

/// I read this object no more; it was pinned for me `count` times.
struct unpin_op {
  object_id object;
  std::uint32_t count = 1;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, unpin_op& x) {
    return f(x.object, x.count);
  }
};

/// Make sure that this task does not start; with `force`, end what runs it, too.
struct cancel_op {
  task_id task;
  bool force = false;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, cancel_op& x) {
    return f(x.task, x.force);
  }
};

/// End this actor. To a worker that hosts it: end it here, for good.
struct kill_actor_op {
  actor_id actor;
  bool may_restart = false;
  std::string cause;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, kill_actor_op& x) {
    return f(x.actor, x.may_restart, x.cause);
  }
};

/// From a worker: its actor lives now (`cause` is the name of its class), or has ended by itself.
struct actor_op {
  actor_id actor;
  bool alive = true;
  bool may_restart = false;
  std::string cause;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, actor_op& x) {
    return f(x.actor, x.alive, x.may_restart, x.cause);
  }
};

/// From a driver: I am this job. From a node: I shall send tasks of this job. Its workers see the
/// namespace and are started from `program`; of a driver, that is what it said when it joined.
struct job_op {
  job_id job = 0;
  std::string ray_namespace;
  std::string program;
  /// Of the program (`file_stamp`), from a node: who sees another file there asks for its content.
  std::string stamp;
  /// From a node: where its driver is.
  node_id home;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, job_op& x) {
    return f(x.job, x.ray_namespace, x.program, x.stamp, x.home);
  }
};

/// Between nodes: what is the program of this job? Answered by a program_op.
struct want_program_op {
  job_id job = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, want_program_op& x) {
    return f(x.job);
  }
};

/// Between nodes: this is its content, SHA-256 in hex, to be pulled as `program_object` while the
/// job lives; or why there is none.
struct program_op {
  job_id job = 0;
  error failure;
  std::string hash;
  std::uint64_t size_bytes = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, program_op& x) {
    return f(x.job, x.failure, x.hash, x.size_bytes);
  }
};

/// Between nodes: the driver of this job was here and has left; what is left of the job shall end.
struct end_job_op {
  job_id job = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, end_job_op& x) {
    return f(x.job);
  }
};

// -- from a node to its processes

/// Run this. What it refers to is held by the receiver, once more each; `ready_op`s of inputs that
/// the receiver may not have came before.
struct run_op {
  task_spec spec;
  std::uint32_t attempt = 0;
  /// Of a worker's `start_mark`s the one to set when it starts, from 1; 0: none.
  std::uint32_t mark = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, run_op& x) {
    return f(x.spec, x.attempt, x.mark);
  }
};

/// This object is so now. What the value names is held by the receiver, once more each; with `held`
/// the object, too, which the receiver may not have met: an input of the next run_op.
struct ready_op {
  object_id object;
  value_form value;
  bool held = false;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, ready_op& x) {
    return f(x.object, x.value, x.held);
  }
};

/// Memory for an object, or none.
struct created_op {
  object_id object;
  error failure;
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, created_op& x) {
    return f(x.object, x.failure, x.offset_bytes, x.size_bytes);
  }
};

/// The object lies there until it is unpinned; or cannot be read.
struct pinned_op {
  object_id object;
  error failure;
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, pinned_op& x) {
    return f(x.object, x.failure, x.offset_bytes, x.size_bytes);
  }
};

/// Every operation: a number for the wire, a type for the code.
#define CAF_RAY_OPERATIONS(X)                                                                      \
  X(1, submit_op)                                                                                  \
  X(2, done_op)                                                                                    \
  X(3, blocked_op)                                                                                 \
  X(4, want_op)                                                                                    \
  X(5, release_op)                                                                                 \
  X(6, put_op)                                                                                     \
  X(7, create_op)                                                                                  \
  X(8, abort_op)                                                                                   \
  X(9, pin_op)                                                                                     \
  X(10, unpin_op)                                                                                  \
  X(11, cancel_op)                                                                                 \
  X(12, kill_actor_op)                                                                             \
  X(13, actor_op)                                                                                  \
  X(14, run_op)                                                                                    \
  X(15, ready_op)                                                                                  \
  X(16, created_op)                                                                                \
  X(17, pinned_op)                                                                                 \
  X(18, seal_op)                                                                                   \
  X(19, borrow_op)                                                                                 \
  X(20, job_op)                                                                                    \
  X(21, end_job_op)                                                                                \
  X(22, want_program_op)                                                                           \
  X(23, program_op)

/// What `write_op` puts before an operation of this type.
template <class Op>
inline constexpr std::uint8_t op_number = 0;
#define CAF_RAY_NUMBER(number, type)                                                               \
  template <>                                                                                      \
  inline constexpr std::uint8_t op_number<type> = number;
CAF_RAY_OPERATIONS(CAF_RAY_NUMBER)
#undef CAF_RAY_NUMBER

/// A batch is sent when it has reached this, or when there is nothing more to say.
inline constexpr std::size_t batch_bytes = 128 * 1024;
/// One operation more must fit: a value or arguments, and the record around them.
static_assert(batch_bytes + 2 * inline_value_bytes < max_control_message_bytes);

/// Objects that a task or the results of one may name.
inline constexpr std::size_t max_named_objects = 20'000;
static_assert(batch_bytes + inline_value_bytes + 32 * max_named_objects
              < max_control_message_bytes);

/// Appends `op` to `batch`.
template <class Op>
void write_op(std::string& batch, const Op& op) {
  static_assert(op_number<Op> != 0);
  batch.push_back(static_cast<char>(op_number<Op>));
  flat_writer(batch).write(op);
}

/// The same for a spec that stays where it is; `rest` are the other members.
template <class Op, class... Ts>
void write_task(std::string& batch, const task_spec& spec, const Ts&... rest) {
  batch.push_back(static_cast<char>(op_number<Op>));
  flat_writer writer(batch);
  writer.write(spec);
  (writer.write(rest), ...);
}

/// Calls `visit(op)` for each operation of a batch, in order; each with its own type, as an lvalue
/// that `visit` may move from. Error: corrupt, at the first thing that is no operation; those
/// before it were visited.
template <class Visitor>
result<void> read_ops(std::string_view batch, Visitor&& visit) {
  flat_reader reader(batch);
  while (!reader.at_end()) {
    std::uint8_t number = 0;
    reader.read(number);
    switch (number) {
#define CAF_RAY_READ(number, type)                                                                 \
  case number: {                                                                                   \
    type op;                                                                                       \
    reader.read(op);                                                                               \
    if (reader.failed())                                                                           \
      return fail(errc::corrupt, "a batch ends inside its " #type);                                \
    visit(op);                                                                                     \
    break;                                                                                         \
  }
      CAF_RAY_OPERATIONS(CAF_RAY_READ)
#undef CAF_RAY_READ
      default:
        return fail(errc::corrupt,
                    "a batch has an operation of unknown number " + std::to_string(number));
    }
  }
  return {};
}

} // namespace caf_ray::cluster
