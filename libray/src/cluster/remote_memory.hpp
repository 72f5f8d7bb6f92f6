#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "gcs/types/error.hpp"
#include "libray/src/cluster/wire.hpp"
#include "objstore/handles.hpp"

namespace caf_ray::cluster {

/// The arena of a host, as a process sees that does not own it: its memory is mapped here, what
/// lies where is asked of the node. Thread-safe; calls that wait do so in a blocking_scope.
///
/// Invariant: the node has as many pins for this process as were answered and not yet given back
/// by an unpin_op; a block that is being written belongs to the process until a seal_op or
/// abort_op.
class remote_memory final : public objstore::block_owner {
public:
  /// How the node is asked. Called without a lock held, on any thread.
  struct asker {
    std::function<void(const create_op&)> create;
    std::function<void(const seal_op&)> seal;
    std::function<void(const abort_op&)> abort;
    std::function<void(const pin_op&)> pin;
    std::function<void(const unpin_op&)> unpin;
  };

  /// Maps all of the descriptor, which stays the caller's. Errors: io_failed. The result deletes
  /// itself when it is abandoned and the last handle is gone.
  static result<remote_memory*> map(int descriptor, asker ask);

  /// As the store's. Errors also: node_died, shut_down.
  result<objstore::writable> create(object_id id, std::size_t size_bytes,
                                    std::chrono::milliseconds patience);
  result<objstore::pinned> read(object_id id, std::chrono::milliseconds patience);

  /// The node's answers. On its link's thread.
  void created(const created_op& answer);
  void pinned(const pinned_op& answer);

  /// From now on and now: whoever waits comes back with `why`.
  void close(error why);
  /// No calls but those of handles from now on, and nobody is asked any more.
  void abandon();

  // -- for handles
  void seal(objstore::pin_block* block) noexcept override;
  void abort(objstore::pin_block* block) noexcept override;
  void unpin(objstore::pin_block* block) noexcept override;

private:
  remote_memory(std::byte* base, std::size_t size_bytes, asker ask);
  ~remote_memory();

  struct answer {
    error failure;
    std::uint64_t offset_bytes = 0;
    std::uint64_t size_bytes = 0;
  };
  /// Threads that asked about one object; each takes one of the answers.
  struct question {
    std::size_t waiting = 0;
    std::vector<answer> answers;
  };
  using questions = std::unordered_map<object_id, question>;
  using lock_type = std::unique_lock<std::mutex>;

  /// Calls `ask` without the lock, then waits for an answer. Error: timed_out, or why this is
  /// closed.
  template <class Ask>
  result<answer> inquire(questions& all, object_id id, std::chrono::milliseconds patience, Ask ask);
  /// False when nobody waits for it.
  bool deliver(questions& all, object_id id, answer a);
  objstore::pin_block* new_block(object_id id, const answer& place);
  /// Calls `tell` unless nobody is asked any more; deletes this with the last handle.
  template <class Tell>
  void drop(objstore::pin_block* block, Tell tell) noexcept;

  std::byte* const base_;
  const std::size_t size_bytes_;
  const asker ask_;
  std::mutex mutex_;
  std::condition_variable answered_;
  questions creating_;
  questions pinning_;
  error closed_;
  bool abandoned_ = false;
  std::size_t handle_count_ = 0;
};

} // namespace caf_ray::cluster
