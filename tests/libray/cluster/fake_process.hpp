#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libray/src/cluster/hub_core.hpp"
#include "tests/libray/cluster/support.hpp"

namespace caf_ray::cluster::test {

inline constexpr job_id job = 1;

/// The value that an object must have when its bytes are told.
inline std::string bytes_of(object_id id) {
  return to_string(id);
}

/// A driver or worker, as far as its node can tell.
struct process {
  /// A node has died: objects may be lost.
  const bool* somebody_died = nullptr;
  std::size_t node = 0;
  client_id me = 0;
  bool is_worker = false;
  bool gone = false;

  struct known {
    std::uint32_t receipts = 0;
    std::uint32_t refs = 0;
    bool wanted = false;
    bool told = false;
    std::vector<object_id> inside;
  };
  std::map<object_id, known> objects;
  /// References that its user code has, each once for each.
  std::vector<object_id> kept;
  std::vector<task_spec> running;
  std::vector<object_id> early;
  std::string out;

  void receive(object_id id) { ++objects[id].receipts; }
  void refer(object_id id) { ++objects[id].refs; }
  void drop(object_id id) {
    if (--objects.at(id).refs == 0)
      settle(id);
  }
  void settle(object_id id) {
    auto at = objects.find(id);
    if (at == objects.end() || at->second.refs > 0)
      return;
    auto x = std::move(at->second);
    objects.erase(at);
    if (x.receipts > 0)
      write_op(out, release_op{id, x.receipts});
    for (auto& inner : x.inside)
      drop(inner);
  }
  void hear(std::string_view batch);
  void on(ready_op& op);
  void on(run_op& op);
  template <class Op>
  void on(Op&) {}
};

inline void process::hear(std::string_view batch) {
  BOOST_TEST_REQUIRE(read_ops(batch, [this](auto& op) { on(op); }).has_value());
}

inline void process::on(ready_op& op) {
  for (auto& inner : op.value.contained)
    receive(inner);
  if (op.held) {
    receive(op.object);
    refer(op.object);
    early.push_back(op.object);
  }
  auto at = objects.find(op.object);
  if (at != objects.end() && !at->second.told) {
    at->second.told = true;
    if (op.value.kind == value_kind::inlined)
      BOOST_TEST(std::string(op.value.bytes) == bytes_of(op.object));
    if (op.value.kind == value_kind::failed)
      BOOST_TEST((*somebody_died || op.value.failure.code == errc::task_failed),
                 op.value.failure.what);
    at->second.inside = op.value.contained;
    for (auto& inner : at->second.inside)
      refer(inner);
  }
  for (auto& inner : op.value.contained)
    settle(inner);
}

inline void process::on(run_op& op) {
  for_each_input(op.spec, [this](object_id id) {
    receive(id);
    refer(id);
  });
  for (auto& argument : op.spec.arguments) {
    auto& x = objects.at(argument.ref);
    if (!x.told && !std::exchange(x.wanted, true)) // had forgotten what it was told
      write_op(out, want_op{argument.ref});
  }
  for (auto& id : std::exchange(early, {}))
    drop(id);
  running.push_back(std::move(op.spec));
}

} // namespace caf_ray::cluster::test
