#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "gcs/types/error.hpp"
#include "gcs/types/ids.hpp"
#include "libray/src/cluster/wire.hpp"

namespace caf_ray::cluster {

/// A process that is connected to a node: numbered from 1, never used again.
using client_id = std::uint32_t;

/// The objects that one host knows: what has become of each, who refers to it, who is to be told.
/// Pure; no thread, clock or message.
///
/// An object is known from the first hold until the last is gone. Holds are counted for each
/// process (how often it was told the id; it gives all of them back at once when it has no
/// reference any more) and, without a name, for pending tasks and for values that contain the id.
/// Counting what is on its way, too, makes the order of crossing messages irrelevant: a release
/// that meets a hold which its sender had not seen leaves that hold.
class directory {
public:
  struct value {
    value_kind kind = value_kind::failed;
    std::string bytes;
    std::uint64_t size_bytes = 0;
    error failure;
    std::vector<object_id> contained;

    value() = default;
    explicit value(value_form& form);
    /// A view of this one.
    value_form form() const;
  };

  /// What follows from a call, in order. Appended to.
  struct actions {
    /// These processes wait for these objects, which are ready: call `tell`.
    std::vector<std::pair<client_id, object_id>> tell;
    /// The local scheduler waits for these.
    std::vector<object_id> watched;
    /// They lie in the arena and are of no use there: the last reference is gone, or the object
    /// has turned out to be something else before.
    std::vector<object_id> erase;
  };

  /// `to` is sent this id once more.
  void hold(object_id id, client_id to);
  /// `by` has no reference any more, having been sent the id `count` times.
  void release(object_id id, client_id by, std::uint32_t count, actions& out);
  /// A task needs it, or a value contains it.
  void hold_inside(object_id id);
  void release_inside(object_id id, actions& out);
  /// The process is gone, with all it held.
  void forget(client_id gone, actions& out);

  /// What the object is. Later ones change nothing and are let go, as is one that nobody refers to
  /// any more.
  void resolve(object_id id, value v, actions& out);

  /// `by` waits for it: told now or when it is there, once. One that has been told already is told
  /// again when it has released what it was told of: it had asked for what came later.
  void want(object_id id, client_id by, actions& out);
  /// True when it is there, or not known: nothing to wait for. Else it will be in
  /// `actions::watched`.
  bool watch(object_id id);

  /// Null while it is pending, or not known.
  const value* find(object_id id) const;
  bool known(object_id id) const { return objects_.count(id) != 0; }

  /// Whether this process holds it without having been told what it is, and it is there.
  bool must_tell(object_id id, client_id to) const;
  /// The process is about to be sent the value, which must be there: holds for it what the value
  /// contains.
  const value& tell(object_id id, client_id to);

  std::size_t size() const noexcept { return objects_.size(); }
  /// Of values that lie in this process.
  std::size_t inlined_bytes() const noexcept { return inlined_bytes_; }

private:
  struct holder {
    client_id who;
    /// How often it was sent the id since its last release.
    std::uint32_t count = 0;
    bool told = false;
    /// Has asked since it was told last.
    bool wants = false;
  };

  struct object {
    bool ready = false;
    bool watched = false;
    std::uint32_t inside_count = 0;
    boost::container::small_vector<holder, 1> holders;
    value what;

    bool dead() const noexcept { return inside_count == 0 && holders.empty(); }
  };

  using table = std::unordered_map<object_id, object>;

  static holder* holder_of(object& x, client_id who);
  /// Lets go what is dead, and what only that contained.
  void bury(table::iterator at, actions& out);
  void let_go(value& v, object_id id, std::vector<object_id>& inside, actions& out);

  table objects_;
  std::size_t inlined_bytes_ = 0;
};

} // namespace caf_ray::cluster
