#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/libray/cluster/fake_process.hpp"

/// Several nodes without sockets, threads or processes: hub cores joined by queues whose messages
/// arrive in random order (but each queue in its own), and processes that submit, put, keep, drop
/// and return whatever they have met.
namespace caf_ray::cluster::test {

using event_kind = scheduler::task_event::kind;

struct host {
  node_id id;
  bool dead = false;
  std::shared_ptr<objstore::store> store;
  std::shared_ptr<scheduler::local_ports> ports = std::make_shared<scheduler::local_ports>();
  std::unique_ptr<hub_core> hub;
  std::map<client_id, process*> processes;
  /// The number that another node has here.
  std::map<std::size_t, client_id> neighbours;
  /// Tasks of the local scheduler that miss objects.
  std::vector<std::pair<task_ptr, std::set<object_id>>> waiting;
  unsigned workers_to_start = 0;
  std::vector<client_id> to_end;
  std::vector<std::function<void(result<void>)>> brings;
};

struct network {
  std::mt19937_64 random;
  std::vector<std::unique_ptr<host>> hosts;
  std::vector<std::unique_ptr<process>> processes;
  /// From (node, client) to it, and back; between nodes both are of that kind.
  std::map<std::pair<std::size_t, client_id>, std::deque<std::string>> to_client, to_node;
  std::uint64_t last_id = 0;
  std::map<object_id, std::uint64_t> birth;
  bool somebody_died = false;
  bool ending = false;

  explicit network(std::uint64_t seed, std::size_t count) : random(seed) {
    for (std::size_t i = 0; i < count; ++i)
      add_host(i);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t k = 0; k < count; ++k)
        if (i != k)
          hosts[i]->neighbours[k] = hosts[i]->hub->join_node(hosts[k]->id);
    for (std::size_t i = 0; i < count; ++i)
      add_process(i, false);
  }

  std::uint64_t below(std::uint64_t n) { return random() % n; }
  template <class T>
  T& some(std::vector<T>& list) {
    return list[below(list.size())];
  }

  void add_host(std::size_t i) {
    auto& h = *hosts.emplace_back(std::make_unique<host>());
    h.id = {0x0de, i};
    objstore::store_options small;
    small.capacity_bytes = 4 << 20;
    h.store = objstore::store::open(small).value();
    hub_options options;
    options.node = h.id;
    options.store = h.store;
    options.ports = h.ports;
    options.pool.workers_per_job = 2;
    options.send = [this, i](client_id to, std::string batch) {
      to_client[{i, to}].push_back(std::move(batch));
    };
    options.know_job = [](client_id, const job_op&) {};
    options.describe_job = [](job_id id) { return job_op{id, "", "program", "", {}}; };
    options.start_worker = [&h](job_id, actor_id) { ++h.workers_to_start; };
    options.end_worker = [&h](client_id who) { h.to_end.push_back(who); };
    options.kill_worker = [](client_id) {};
    options.bring = [&h](object_id, std::uint64_t, const std::vector<node_id>&, auto then) {
      h.brings.push_back(std::move(then));
    };
    options.now = [] { return std::chrono::steady_clock::time_point{}; };
    h.hub = std::make_unique<hub_core>(std::move(options));
  }

  void add_process(std::size_t node, bool is_worker) {
    auto& p = *processes.emplace_back(std::make_unique<process>());
    p.somebody_died = &somebody_died;
    p.node = node;
    p.is_worker = is_worker;
    auto& h = *hosts[node];
    p.me = h.hub->next_client();
    h.processes[p.me] = &p;
    h.hub->join(is_worker ? client_kind::worker : client_kind::driver, job);
    h.hub->flush();
  }

  object_id new_object() {
    auto id = object(++last_id);
    birth[id] = last_id;
    return id;
  }
  /// Names only what is older: counting does not see a ring of values.
  value_form some_value(object_id id, std::string& bytes, std::vector<object_id> names) {
    std::erase_if(names, [&](auto& x) { return birth.at(x) >= birth.at(id); });
    value_form form;
    form.kind = below(2) ? value_kind::inlined : value_kind::stored;
    bytes = bytes_of(id);
    if (form.kind == value_kind::inlined)
      form.bytes = bytes;
    form.size_bytes = bytes.size();
    for (auto n = names.empty() ? 0 : below(3); n > 0; --n)
      form.contained.push_back(names[below(names.size())]);
    return form;
  }

  void put(process& p) {
    auto id = new_object();
    std::string bytes;
    put_op op{id, some_value(id, bytes, p.kept)};
    p.receive(id);
    p.refer(id);
    p.kept.push_back(id);
    auto& x = p.objects[id];
    x.told = true;
    x.inside = op.value.contained;
    for (auto& inner : x.inside)
      p.refer(inner);
    write_op(p.out, op);
  }

  void submit(process& p) {
    submit_op op;
    auto& spec = op.spec;
    // Below there is room for the index of a result.
    spec.id = {0x7a5c, ++last_id << 32};
    spec.job = job;
    spec.function = "f";
    spec.return_count = static_cast<std::uint32_t>(1 + below(2));
    for (auto n = p.kept.empty() ? 0 : below(3); n > 0; --n) {
      if (below(3) == 0)
        spec.contained.push_back(some(p.kept));
      else
        spec.arguments.push_back({argument_kind::object, 0, 0, some(p.kept)});
    }
    for (auto i = 1u; i <= spec.return_count; ++i) {
      auto id = result_of(spec.id, i);
      birth[id] = last_id;
      p.receive(id);
      p.refer(id);
      p.objects[id].wanted = true;
      p.kept.push_back(id);
    }
    write_op(p.out, op);
  }

  void want(process& p) {
    auto& x = p.objects.at(some(p.kept));
    if (x.wanted || x.told)
      return;
    x.wanted = true;
    for (auto& [id, known] : p.objects)
      if (&known == &x)
        write_op(p.out, want_op{id});
  }

  void drop_one(process& p) {
    std::swap(some(p.kept), p.kept.back());
    auto id = p.kept.back();
    p.kept.pop_back();
    p.drop(id);
  }

  void finish_one(process& p) {
    std::swap(some(p.running), p.running.back());
    auto spec = std::move(p.running.back());
    p.running.pop_back();
    std::vector<object_id> met;
    for_each_input(spec, [&](object_id id) { met.push_back(id); });
    done_op op;
    op.task = spec.id;
    std::vector<std::string> bytes(spec.return_count);
    if (below(10) == 0) {
      op.failure = {errc::task_failed, "it throws"};
    } else {
      auto names = met;
      names.insert(names.end(), p.kept.begin(), p.kept.end());
      for (auto i = 0u; i < spec.return_count; ++i)
        op.results.push_back(some_value(result_of(spec.id, i + 1), bytes[i], names));
    }
    write_op(p.out, op);
    for (auto& id : met) {
      if (!ending && below(3) == 0) { // remembered by an actor, say
        p.refer(id);
        p.kept.push_back(id);
      }
      p.drop(id);
    }
  }

  // -- what happens next

  bool schedule(std::size_t i) {
    auto& h = *hosts[i];
    std::vector<task_ptr> tasks;
    std::vector<scheduler::task_event> events;
    h.ports->submissions.take(tasks);
    h.ports->events.take(events);
    for (auto& task : tasks) {
      std::set<object_id> missing;
      for (auto& argument : task->spec.arguments)
        if (!h.hub->watch(argument.ref))
          missing.insert(argument.ref);
      h.waiting.emplace_back(task, std::move(missing));
    }
    for (auto& event : events)
      for (auto& [task, missing] : h.waiting)
        if (event.what == event_kind::object_ready)
          missing.erase(event.object);
    h.hub->flush();
    std::vector<std::size_t> ready;
    for (std::size_t k = 0; k < h.waiting.size(); ++k)
      if (h.waiting[k].second.empty() || (!h.waiting[k].first->placed && below(8) == 0))
        ready.push_back(k);
    if (ready.empty())
      return !tasks.empty() || !events.empty();
    auto k = some(ready);
    auto task = h.waiting[k].first;
    auto to = below(hosts.size());
    bool can_stay = h.waiting[k].second.empty();
    if (to == i || task->placed || hosts[to]->dead) {
      if (!can_stay)
        return true;
      h.waiting.erase(h.waiting.begin() + static_cast<std::ptrdiff_t>(k));
      std::vector<task_ptr> batch{task};
      h.hub->start(batch);
    } else {
      h.waiting.erase(h.waiting.begin() + static_cast<std::ptrdiff_t>(k));
      if (!h.hub->forward(hosts[to]->id, task))
        h.waiting.emplace_back(task, std::set<object_id>{});
    }
    return true;
  }

  bool deliver() {
    using queue = std::deque<std::string>;
    struct link {
      std::pair<std::size_t, client_id> key;
      bool to_node;
      queue* messages;
    };
    std::vector<link> full;
    for (auto& [key, messages] : to_client)
      if (!messages.empty())
        full.push_back({key, false, &messages});
    for (auto& [key, messages] : to_node)
      if (!messages.empty())
        full.push_back({key, true, &messages});
    if (full.empty())
      return false;
    auto& chosen = some(full);
    auto batch = std::move(chosen.messages->front());
    chosen.messages->pop_front();
    auto [node, client] = chosen.key;
    if (hosts[node]->dead)
      return true;
    if (chosen.to_node) {
      BOOST_TEST_REQUIRE(hosts[node]->hub->handle(client, batch).has_value());
      hosts[node]->hub->flush();
      return true;
    }
    for (auto& [other, as] : hosts[node]->neighbours)
      if (as == client) {
        if (hosts[other]->dead || !hosts[other]->neighbours.count(node))
          return true;
        auto there = hosts[other]->neighbours.at(node);
        BOOST_TEST_REQUIRE(hosts[other]->hub->handle(there, batch).has_value());
        hosts[other]->hub->flush();
        return true;
      }
    if (auto at = hosts[node]->processes.find(client); at != hosts[node]->processes.end())
      at->second->hear(batch);
    return true;
  }

  bool bring_one(host& h) {
    if (h.brings.empty())
      return false;
    std::swap(some(h.brings), h.brings.back());
    auto then = std::move(h.brings.back());
    h.brings.pop_back();
    then({});
    return true;
  }

  void act(process& p) {
    if (p.gone || hosts[p.node]->dead)
      return;
    auto choice = below(10);
    if (!p.running.empty() && (ending || choice < 4))
      finish_one(p);
    else if (ending) {
      if (!p.kept.empty())
        drop_one(p);
    } else if (choice < 5)
      put(p);
    else if (choice < 7)
      submit(p);
    else if (!p.kept.empty())
      choice < 8 ? want(p) : drop_one(p);
    if (!p.out.empty() && (ending || below(2)))
      to_node[{p.node, p.me}].push_back(std::exchange(p.out, {}));
  }

  void die(std::size_t i) {
    somebody_died = true;
    hosts[i]->dead = true;
    for (std::size_t k = 0; k < hosts.size(); ++k)
      if (k != i && !hosts[k]->dead) {
        to_client.erase({k, hosts[k]->neighbours.at(i)});
        hosts[k]->hub->leave(hosts[k]->neighbours.at(i), "killed");
        hosts[k]->neighbours.erase(i);
        hosts[k]->hub->flush();
      }
    hosts[i]->brings.clear();
  }

  bool step() {
    bool moved = false;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      auto& h = *hosts[i];
      if (h.dead)
        continue;
      if (h.workers_to_start > 0 && below(4) == 0) {
        --h.workers_to_start;
        add_process(i, true);
      }
      moved |= h.workers_to_start > 0 || schedule(i) || bring_one(h);
    }
    for (auto n = 1 + below(4); n > 0; --n)
      moved |= deliver();
    return moved;
  }

  void run(int steps, bool with_death) {
    for (int i = 0; i < steps; ++i) {
      act(*some(processes));
      step();
      if (with_death && i == steps / 2)
        die(below(hosts.size()));
    }
    end();
  }

  /// Everybody gets what he waits for; then drops all, and nothing is left.
  void end() {
    int quiet = 0;
    for (int i = 0; i < 200'000 && quiet < 200; ++i) {
      ending = true;
      bool busy = step();
      for (auto& p : processes) {
        bool is_here = !hosts[p->node]->dead;
        if (is_here && !p->running.empty())
          finish_one(*p);
        if (is_here && !p->out.empty())
          to_node[{p->node, p->me}].push_back(std::exchange(p->out, {}));
        busy |= is_here && (!p->running.empty() || !p->out.empty());
      }
      quiet = busy ? 0 : quiet + 1;
    }
    BOOST_TEST_REQUIRE(quiet >= 200, "it never comes to rest");
    for (auto& p : processes)
      for (auto& [id, x] : p->objects)
        if (!hosts[p->node]->dead && x.wanted && !x.told)
          BOOST_ERROR("nobody has said what " + to_string(id) + " is");
    for (int i = 0; i < 200'000; ++i) {
      bool left = false;
      for (auto& p : processes) {
        act(*p);
        left |= !hosts[p->node]->dead && (!p->kept.empty() || !p->out.empty());
      }
      if (!step() && !left)
        break;
    }
    for (auto& h : hosts) {
      if (h->dead)
        continue;
      BOOST_TEST(h->hub->task_count() == 0u);
      h->hub->objects().describe([&](object_id id, const std::string& line) {
        BOOST_ERROR("node " << h->id.low << " still has " << to_string(id) << ": " << line);
      });
    }
    for (auto& p : processes)
      for (auto& [id, x] : p->objects)
        if (!hosts[p->node]->dead)
          BOOST_ERROR("process " << p->me << " of node " << p->node << " still has "
                                 << to_string(id) << ": " << x.refs << " references, " << x.receipts
                                 << " receipts, kept " << p->kept.size() << ", running "
                                 << p->running.size() << ", early " << p->early.size() << " told "
                                 << x.told);
  }
};

} // namespace caf_ray::cluster::test
