#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <caf/actor_control_block.hpp>

namespace caf_ray {

/// The native CAF actors of this job, by id and by name. Thread-safe. An actor leaves when it ends.
class native_registry : public std::enable_shared_from_this<native_registry> {
public:
  /// Its id, 16 bytes; empty when the name is taken.
  std::string add(const caf::strong_actor_ptr& actor, const std::string& name);
  void remove(const std::string& id);
  caf::strong_actor_ptr find(const std::string& id) const;
  std::string find_name(const std::string& name) const;
  /// Kills all of them.
  void end_all();

private:
  mutable std::mutex mutex_;
  std::map<std::string, caf::strong_actor_ptr> actors_;
  std::map<std::string, std::string> names_;
};

} // namespace caf_ray
