#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <caf/scheduler/test_coordinator.hpp>

#include "gcs/types/limits.hpp"
#include "scheduler/global.hpp"
#include "scheduler/local.hpp"
#include "tests/scheduler/support.hpp"

/// Schedulers on simulated time, with a pretended executor behind each local one.
namespace caf_ray::scheduler::test {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

struct test_config : caf::actor_system_config {
  test_config() {
    add_message_types<caf::id_block::caf_ray>();
    set("scheduler.policy", caf::atom("testing"));
  }
};

/// A node: its local scheduler, and what its executor and object store would do.
struct simulated_node {
  node_id id;
  std::shared_ptr<local_ports> ports = std::make_shared<local_ports>();
  local_actor scheduler;
  std::set<object_id> objects;
  std::vector<object_id> watched;
  /// In the order of their dispatch, and how many of them have started.
  std::vector<task_ptr> dispatched;
  std::size_t started = 0;
  std::vector<std::pair<task_ptr, node_id>> moved;
  std::vector<std::pair<task_ptr, error>> dropped;
  std::vector<node_record> reports;

  void submit(task_ptr task) { ports->submissions.push(std::move(task)); }
  void tell(task_event::kind what, task_ptr task) {
    ports->events.push({what, std::move(task), {}});
  }
  void finish(task_ptr task) { tell(task_event::kind::finished, std::move(task)); }
  void make(object_id object) {
    objects.insert(object);
    ports->events.push({task_event::kind::object_ready, nullptr, object});
  }

  /// Starts the next of what was dispatched, as the executor does.
  void start(std::size_t count) {
    auto& gauge = ports->gauge;
    for (; count > 0; --count) {
      BOOST_TEST_REQUIRE(started < dispatched.size());
      dispatched[started++]->try_claim();
      ++gauge.started;
      if (gauge.dispatched - gauge.started <= dispatch_window / 2 && gauge.hungry.exchange(false))
        tell(task_event::kind::room, nullptr);
    }
  }

  numbers dispatched_numbers() const { return numbers_of(dispatched); }
};

class simulated_cluster {
public:
  simulated_cluster()
    : system(config),
      coordinator(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())) {}

  ~simulated_cluster() {
    for (auto& node : nodes)
      kill(*node);
    for (auto& replica : replicas)
      caf::anon_send_exit(replica, caf::exit_reason::user_shutdown);
    replicas.clear();
    run();
  }

  simulated_node& add_node(resource_set total, local_options options = {}) {
    auto& x = *nodes.emplace_back(std::make_unique<simulated_node>());
    x.id = test::node(nodes.size());
    x.ports->watch = [&x](object_id object) {
      x.watched.push_back(object);
      return x.objects.contains(object);
    };
    x.ports->start = [&x](std::vector<task_ptr>& batch) {
      for (auto& task : batch)
        x.dispatched.push_back(std::move(task));
    };
    options.ports = x.ports;
    options.node = x.id;
    options.total = std::move(total);
    options.moved = [&x](const task_ptr& task, node_id to) { x.moved.emplace_back(task, to); };
    options.drop = [&x](const task_ptr& task, error why) { x.dropped.emplace_back(task, why); };
    options.report = [&x](const node_record& record) { x.reports.push_back(record); };
    x.scheduler = system.spawn(local_scheduler, std::move(options));
    run();
    return x;
  }

  void add_replica() {
    replicas.push_back(system.spawn(global_scheduler, global_options{}));
    run();
  }

  /// Tells everybody of everybody, as the GCS and the connections do.
  void introduce() {
    std::vector<caf::strong_actor_ptr> handles;
    for (auto& replica : replicas)
      handles.push_back(caf::actor_cast<caf::strong_actor_ptr>(replica));
    for (auto& to : nodes)
      if (to->scheduler) {
        caf::anon_send(to->scheduler, replicas_atom_v, handles);
        for (auto& of : nodes)
          if (of->scheduler && of != to)
            caf::anon_send(to->scheduler, peer_atom_v, of->id,
                           caf::actor_cast<caf::strong_actor_ptr>(of->scheduler));
      }
    run();
    heartbeat();
  }

  /// What the GCS passes on: each node's present record.
  void heartbeat() {
    node_updates updates;
    for (auto& node : nodes)
      if (node->scheduler)
        updates.emplace_back(node->id, status(*node));
    for (auto& node : nodes)
      if (node->scheduler)
        caf::anon_send(node->scheduler, nodes_atom_v, updates);
    for (auto& replica : replicas)
      caf::anon_send(replica, nodes_atom_v, updates);
    run();
  }

  void kill(simulated_node& node) {
    if (auto scheduler = std::exchange(node.scheduler, {}))
      caf::anon_send_exit(scheduler, caf::exit_reason::kill);
    run();
  }

  void kill_replica(std::size_t index) {
    caf::anon_send_exit(replicas[index], caf::exit_reason::kill);
    replicas.erase(replicas.begin() + static_cast<std::ptrdiff_t>(index));
    run();
  }

  /// Until nobody has anything to do; time stands still.
  void run() {
    while (coordinator.try_run_once()) {
    }
  }

  void pass(std::chrono::milliseconds time) {
    for (auto end = coordinator.clock().now() + time; coordinator.clock().now() < end;) {
      coordinator.advance_time(50ms);
      run();
    }
  }

  template <class Result, class Handle, class... Ts>
  Result ask(const Handle& whom, Ts... xs) {
    Result result{};
    caf::scoped_actor self{system};
    auto request = self->request(whom, 1s, std::move(xs)...);
    run();
    request.receive([&](Result& x) { result = std::move(x); },
                    [&](caf::error& e) { BOOST_FAIL(system.render(e)); });
    return result;
  }

  node_record status(simulated_node& x) { return ask<node_record>(x.scheduler, status_atom_v); }
  std::string why(simulated_node& x, std::uint64_t task) {
    return ask<std::string>(x.scheduler, why_atom_v, number(task));
  }
  bool cancel(simulated_node& x, std::uint64_t task) {
    return ask<bool>(x.scheduler, cancel_atom_v, number(task));
  }

  test_config config;
  caf::actor_system system;
  caf::scheduler::test_coordinator& coordinator;
  std::vector<std::unique_ptr<simulated_node>> nodes;
  std::vector<global_actor> replicas;
};

} // namespace caf_ray::scheduler::test
