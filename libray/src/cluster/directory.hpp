#pragma once

#include <cstdint>
#include <functional>
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
/// Pure; no thread, clock or message. Its clients are the processes of the host, and other nodes.
///
/// An object is known from the first hold until the last is gone. Holds are counted for each
/// client (how often it was told the id; it gives all of them back at once when it has no
/// reference any more) and, without a name, for pending tasks and for values that contain the id.
/// Counting what is on its way, too, makes the order of crossing messages irrelevant: a release
/// that meets a hold which its sender had not seen leaves that hold.
///
/// Between nodes the same counts make a tree. A node that has not got an object when another one
/// lends it (`borrow`) owes it to that one until it knows it no more; one that has it already owes
/// nothing, and gives the loan back at once. So nobody's origin is below him. Who keeps a copy for
/// another (the result of a task it was sent) owes nothing either, else the two would wait for each
/// other. No ring of nodes can keep an object for ever.
///
///   pending --resolve--> ready                        a value, here
///      \--resolve(elsewhere)--> elsewhere --localise--> ready
class directory {
public:
  struct value {
    value_kind kind = value_kind::failed;
    std::string bytes;
    std::uint64_t size_bytes = 0;
    error failure;
    std::vector<object_id> contained;
    /// Nodes that have a copy; of a value that is elsewhere.
    std::vector<node_id> nodes;

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
    /// These lie elsewhere and are needed here: have them brought, then `localise`.
    std::vector<object_id> bring;
    /// These are needed, and the node they come from has not been asked what they are.
    std::vector<std::pair<client_id, object_id>> ask;
    /// What is owed to other nodes and needed no more: so often.
    struct debt {
      client_id to;
      object_id object;
      std::uint32_t count;
    };
    std::vector<debt> give_back;
    /// Where they come from is gone, and nothing is known of them or where else they are.
    std::vector<object_id> orphaned;
  };

  /// This client is another node: it is told of values that are elsewhere, too.
  void add_node(client_id node) { nodes_.push_back(node); }

  /// `from`, a node, has lent us this id once more. Whoever needs it holds it next; then `settle`.
  void borrow(object_id id, client_id from, actions& out);
  /// Lets it go when nobody has held it since.
  void settle(object_id id, actions& out);
  /// We keep a copy for this node from now on, as a hold. So nothing is owed for the object any
  /// more: whom we owed it to may be he who waits for our copy to be given back.
  void keep_for(object_id id, client_id node, actions& out);
  /// `at`, a node, keeps a copy for us, counted as a loan; until the object is let go.
  void keep_copy(object_id id, client_id at, actions& out);
  /// The copy that was to be brought is in the arena.
  void localise(object_id id, actions& out);
  /// It cannot be brought.
  void lose(object_id id, error why, actions& out);

  /// `to` is sent this id once more.
  void hold(object_id id, client_id to);
  /// `by` has no reference any more, having been sent the id `count` times.
  void release(object_id id, client_id by, std::uint32_t count, actions& out);
  /// A task needs it, or a value contains it.
  void hold_inside(object_id id);
  void release_inside(object_id id, actions& out);
  /// The client is gone, with all it held and had.
  void forget(client_id gone, node_id node, actions& out);

  /// What the object is. Later ones change nothing and are let go, as is one that nobody refers to
  /// any more.
  void resolve(object_id id, value v, actions& out);

  /// `by` waits for it: told now or when it is there, once. One that has been told already is told
  /// again when it has released what it was told of: it had asked for what came later.
  void want(object_id id, client_id by, actions& out);
  /// True when it is there, or not known: nothing to wait for. Else it will be in
  /// `actions::watched`.
  bool watch(object_id id, actions& out);

  /// Null while it is pending, elsewhere, or not known.
  const value* find(object_id id) const;
  /// The same, but also of what is elsewhere.
  const value* find_anywhere(object_id id) const;
  bool known(object_id id) const { return objects_.count(id) != 0; }

  /// Whether this process holds it without having been told what it is, and it is there.
  bool must_tell(object_id id, client_id to) const;
  /// The process is about to be sent the value, which must be there: holds for it what the value
  /// contains.
  const value& tell(object_id id, client_id to);

  /// A line for people on each object: what it is, who refers to it, whom it is owed to.
  void describe(const std::function<void(object_id, const std::string&)>& each) const;

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

  enum class state : std::uint8_t { pending, elsewhere, ready };

  /// What is owed to another node, for the id or for a copy.
  struct loan {
    client_id from;
    std::uint32_t count = 0;
  };

  struct object {
    state stage = state::pending;
    bool watched = false;
    /// The origin was asked what it is.
    bool asked = false;
    std::uint32_t inside_count = 0;
    boost::container::small_vector<holder, 1> holders;
    /// The node it was borrowed from, if any; and those that keep copies.
    loan origin{0, 0};
    std::vector<loan> copies;
    value what;

    bool dead() const noexcept { return inside_count == 0 && holders.empty(); }
    bool ready() const noexcept { return stage == state::ready; }
  };

  using table = std::unordered_map<object_id, object>;

  static holder* holder_of(object& x, client_id who);
  bool is_node(client_id id) const;
  /// Somebody here needs it, and it is not here.
  void need(object& x, object_id id, actions& out);
  /// It is what `x.what` says now, for everybody.
  void announce(object& x, object_id id, actions& out);
  /// Lets go what is dead, and what only that contained.
  void bury(table::iterator at, actions& out);
  void let_go(object& x, object_id id, std::vector<object_id>& inside, actions& out);

  table objects_;
  std::vector<client_id> nodes_;
  std::size_t inlined_bytes_ = 0;
};

} // namespace caf_ray::cluster
