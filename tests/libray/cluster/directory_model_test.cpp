// The directory against a naive one: it keeps every reference in a map and asks, after each step
// and for each object anew, whether anything leads to it. Random operations; a failure prints its
// seed.

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "libray/src/cluster/directory.hpp"
#include "tests/libray/cluster/support.hpp"

using namespace caf_ray;
using namespace caf_ray::cluster;
using namespace caf_ray::cluster::test;

namespace {

constexpr std::uint64_t object_count = 24;
constexpr std::size_t client_count = 4;

struct model {
  using pair = std::pair<client_id, object_id>;

  std::map<pair, std::uint32_t> holds;
  std::map<object_id, std::uint32_t> tasks; // that need it
  std::map<object_id, directory::value> values;
  std::set<pair> told, wants;
  std::set<object_id> watched;

  /// What the last step must have answered, sorted.
  std::vector<pair> tell;
  std::vector<object_id> erase, noticed;

  bool alive(object_id id) const {
    if (tasks.count(id))
      return true;
    for (auto& [key, count] : holds)
      if (key.second == id)
        return true;
    for (auto& [outer, value] : values)
      if (std::count(value.contained.begin(), value.contained.end(), id) && alive(outer))
        return true;
    return false;
  }

  /// Lets go whatever nothing leads to.
  void sweep() {
    for (bool again = true; std::exchange(again, false);)
      for (std::uint64_t i = 0; i < object_count; ++i)
        if (!alive(object(i)) && (values.count(object(i)) || watched.count(object(i)))) {
          if (values.count(object(i)) && values[object(i)].kind == value_kind::stored)
            erase.push_back(object(i));
          values.erase(object(i));
          watched.erase(object(i));
          again = true;
        }
  }

  void drop(pair key) {
    told.erase(key);
    wants.erase(key);
  }

  void release(object_id id, client_id by, std::uint32_t count) {
    auto at = holds.find({by, id});
    if (at == holds.end())
      return;
    told.erase({by, id});
    if (at->second > count) {
      at->second -= count;
      if (values.count(id) && wants.erase({by, id}))
        tell.push_back({by, id});
    } else {
      wants.erase({by, id});
      holds.erase(at);
    }
  }

  void forget(client_id gone) {
    for (std::uint64_t i = 0; i < object_count; ++i) {
      drop({gone, object(i)});
      holds.erase({gone, object(i)});
    }
  }

  void resolve(object_id id, const directory::value& v) {
    auto first = values.find(id);
    // Bytes in the arena that are of no use: nobody refers to the object, or it is something else.
    if (!alive(id) || (first != values.end() && first->second.kind != value_kind::stored)) {
      if (v.kind == value_kind::stored)
        erase.push_back(id);
      return;
    }
    if (first != values.end())
      return;
    values[id] = v;
    if (watched.erase(id))
      noticed.push_back(id);
    for (auto& key : std::set<pair>(wants))
      if (key.second == id) {
        wants.erase(key);
        if (!told.count(key))
          tell.push_back(key);
      }
  }

  void want(object_id id, client_id by) {
    if (!holds.count({by, id}))
      return;
    if (values.count(id) && !told.count({by, id}))
      tell.push_back({by, id});
    else
      wants.insert({by, id});
  }

  bool must_tell(object_id id, client_id to) const {
    return holds.count({to, id}) && values.count(id) && !told.count({to, id});
  }

  std::size_t inlined_bytes() const {
    std::size_t sum = 0;
    for (auto& [id, value] : values)
      sum += value.bytes.size();
    return sum;
  }
};

struct run {
  std::mt19937_64 random;
  directory tested;
  model expected;
  std::vector<client_id> clients;
  client_id last_client = 0;
  std::vector<object_id> task_inputs;

  explicit run(std::uint64_t seed) : random(seed) {
    while (clients.size() < client_count)
      clients.push_back(++last_client);
  }

  std::uint64_t below(std::uint64_t n) { return random() % n; }
  object_id some_object() { return object(below(object_count)); }
  client_id& some_client() { return clients[below(client_count)]; }

  /// Contains only objects of higher numbers: there are no cycles among immutable values.
  directory::value some_value(object_id id) {
    directory::value v;
    v.kind = static_cast<value_kind>(below(3));
    if (v.kind == value_kind::inlined)
      v.bytes = std::string(below(100), 'x');
    if (v.kind == value_kind::failed)
      v.failure = {errc::task_failed, "n"};
    v.size_bytes = below(1000);
    for (auto left = below(3); left > 0 && id.low + 1 < object_count; --left)
      v.contained.push_back(object(id.low + 1 + below(object_count - id.low - 1)));
    return v;
  }

  void tell(client_id to, object_id id) {
    auto& v = tested.tell(id, to);
    auto& same = expected.values.at(id);
    BOOST_TEST_REQUIRE((v.kind == same.kind && v.bytes == same.bytes && v.failure == same.failure
                        && v.size_bytes == same.size_bytes && v.contained == same.contained));
    expected.told.insert({to, id});
    expected.wants.erase({to, id});
    for (auto& inner : same.contained)
      ++expected.holds[{to, inner}];
  }

  void step() {
    directory::actions actions;
    auto id = some_object();
    auto& client = some_client();
    switch (below(20)) {
      case 0:
      case 1:
      case 2:
        tested.hold(id, client);
        ++expected.holds[{client, id}];
        break;
      case 3:
      case 4:
      case 5:
      case 6: { // of what it has been sent, or less: the rest is on its way; or more
        auto at = expected.holds.find({client, id});
        auto count = static_cast<std::uint32_t>(at == expected.holds.end() ? 1 : at->second);
        if (below(4) == 0)
          count = static_cast<std::uint32_t>(below(count + 2));
        tested.release(id, client, count, actions);
        expected.release(id, client, count);
        break;
      }
      case 7:
      case 8:
        tested.hold_inside(id);
        ++expected.tasks[id];
        task_inputs.push_back(id);
        break;
      case 9:
      case 10:
        if (!task_inputs.empty()) {
          std::swap(task_inputs[below(task_inputs.size())], task_inputs.back());
          id = task_inputs.back();
          task_inputs.pop_back();
          tested.release_inside(id, actions);
          if (--expected.tasks[id] == 0)
            expected.tasks.erase(id);
        }
        break;
      case 11:
        if (below(10) == 0) {
          tested.forget(client, {}, actions);
          expected.forget(client);
          client = ++last_client;
        }
        break;
      case 12:
      case 13:
      case 14: {
        auto v = some_value(id);
        tested.resolve(id, v, actions);
        expected.resolve(id, v);
        break;
      }
      case 15:
      case 16:
        tested.want(id, client, actions);
        expected.want(id, client);
        break;
      case 17: {
        bool there = expected.values.count(id) || !expected.alive(id);
        BOOST_TEST_REQUIRE(tested.watch(id, actions) == there);
        if (!there)
          expected.watched.insert(id);
        break;
      }
      default:
        if (expected.must_tell(id, client)) // an input of a task that it is sent
          tell(client, id);
        break;
    }
    expected.sweep();
    compare(actions);
  }

  void compare(directory::actions& actions) {
    std::sort(actions.tell.begin(), actions.tell.end());
    std::sort(actions.erase.begin(), actions.erase.end());
    for (auto list : {&expected.erase, &expected.noticed})
      std::sort(list->begin(), list->end());
    std::sort(expected.tell.begin(), expected.tell.end());
    BOOST_TEST_REQUIRE((actions.tell == std::exchange(expected.tell, {})));
    BOOST_TEST_REQUIRE((actions.erase == std::exchange(expected.erase, {})));
    BOOST_TEST_REQUIRE((actions.watched == std::exchange(expected.noticed, {})));
    // Most are told now, as a node does; some later, though nobody asks again.
    for (auto& [to, id] : actions.tell)
      if (below(8) != 0)
        tell(to, id);
    std::size_t known = 0;
    for (std::uint64_t i = 0; i < object_count; ++i) {
      auto id = object(i);
      bool alive = expected.alive(id);
      known += alive;
      BOOST_TEST_REQUIRE(tested.known(id) == alive);
      auto* found = tested.find(id);
      auto at = expected.values.find(id);
      BOOST_TEST_REQUIRE((found != nullptr) == (at != expected.values.end()));
      if (found)
        BOOST_TEST_REQUIRE((found->kind == at->second.kind && found->bytes == at->second.bytes));
      for (auto client : clients)
        BOOST_TEST_REQUIRE(tested.must_tell(id, client) == expected.must_tell(id, client));
    }
    BOOST_TEST_REQUIRE(tested.size() == known);
    BOOST_TEST_REQUIRE(tested.inlined_bytes() == expected.inlined_bytes());
  }

  /// Everybody goes.
  void end() {
    for (auto& client : clients) {
      directory::actions actions;
      tested.forget(client, {}, actions);
      expected.forget(client);
      expected.sweep();
      compare(actions);
    }
    while (!task_inputs.empty()) {
      directory::actions actions;
      auto id = task_inputs.back();
      task_inputs.pop_back();
      tested.release_inside(id, actions);
      if (--expected.tasks[id] == 0)
        expected.tasks.erase(id);
      expected.sweep();
      compare(actions);
    }
    BOOST_TEST(tested.size() == 0u);
    BOOST_TEST(tested.inlined_bytes() == 0u);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(directory_model)

BOOST_AUTO_TEST_CASE(the_directory_does_as_a_naive_one) {
  std::mt19937_64 seeds(seed());
  for (int i = 0; i < 10; ++i) {
    run r(seeds());
    for (int step = 0; step < 1000; ++step)
      r.step();
    r.end();
  }
}

BOOST_AUTO_TEST_SUITE_END()
