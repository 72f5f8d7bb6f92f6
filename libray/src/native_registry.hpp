#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/message_id.hpp>

#include "gcs/client.hpp"
#include "gcs/types/records.hpp"

namespace caf_ray {

/// The native CAF actors of this job, by id and by name, and who waits for their answers: CAF tells
/// nobody when an actor ends that still owes one. Thread-safe. An actor leaves when it ends, and
/// when it is killed.
///
/// Invariant: who is in `actors_` is alive in the GCS and owns its name there, as far as writes
/// have got.
class native_registry : public std::enable_shared_from_this<native_registry> {
public:
  /// Takes in an actor whose name is its own already; its records go to `control` until `end_all`.
  /// False after `end_all`.
  bool add(gcs::client& control, const std::string& id, const caf::strong_actor_ptr& actor,
           actor_record record);
  /// Kills it; without effect when it has ended.
  void kill(const std::string& id);
  /// Null when it has ended or was never there.
  caf::strong_actor_ptr find(const std::string& id) const;
  /// "" when nobody has it.
  std::string find_name(const std::string& name) const;
  /// `asker` gets request_receiver_down as `answer` when the actor ends, or now if it has.
  void watch(const std::string& id, const caf::strong_actor_ptr& asker, caf::message_id answer);
  void unwatch(const std::string& id, const caf::strong_actor_ptr& asker);
  std::size_t size() const;
  /// Kills all of them and takes no more. The GCS is not used afterwards.
  void end_all();

private:
  struct question {
    caf::strong_actor_ptr asker;
    caf::message_id answer;
  };
  struct native {
    caf::strong_actor_ptr actor;
    actor_record record;
    std::vector<question> questions;
  };

  void end(const std::string& id, const std::string& cause, bool kill);
  /// Takes it out; what it leaves is for `bury`.
  native take(const std::string& id);
  static void bury(native& gone, bool kill);
  void record_end(const std::string& id, native& gone, const std::string& cause);

  mutable std::mutex mutex_;
  std::map<std::string, native> actors_;
  std::map<std::string, std::string> names_;
  gcs::client* control_ = nullptr;
  bool ended_ = false;
};

/// Whether all detached actors have ended, which native actors may have spawned, and only the
/// `own_count` that CAF has had from the start are left; waits a moment for that. ~actor_system
/// would wait for ever.
bool threads_of_natives_ended(caf::actor_system& system, std::size_t own_count);

} // namespace caf_ray
