#include "objstore/object_table.hpp"

#include <algorithm>
#include <list>
#include <map>

#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;

namespace {

/// The same by the simplest means: objects in a list, in order of use, everything searched.
class model {
public:
  struct object {
    object_table::slot slot;
    object_id id;
    std::size_t size;
    std::size_t offset = no_offset;
    disk_copy disk;
    unsigned pins = 1;
    object_state state = object_state::created;
    bool erased = false;
  };

  /// Oldest first.
  std::list<object> objects;

  object* find(object_id id) {
    for (auto& x : objects)
      if (x.id == id && !x.erased)
        return &x;
    return nullptr;
  }

  object& at(object_table::slot slot) {
    return *std::find_if(objects.begin(), objects.end(),
                         [&](const object& x) { return x.slot == slot; });
  }

  /// Used just now: last in order.
  void touch(object_table::slot slot) { move(slot, objects.end()); }
  void age(object_table::slot slot) { move(slot, objects.begin()); }

  /// What is free now because nobody can ask for the object any more.
  leavings collect(object_table::slot slot) {
    auto& x = at(slot);
    if (!x.erased || x.pins > 0 || x.state == object_state::spilling)
      return {};
    leavings result{x.offset, x.disk};
    objects.remove_if([&](const object& y) { return y.slot == slot; });
    return result;
  }

  table_totals totals() const {
    table_totals sum;
    for (const auto& x : objects) {
      sum.object_count += !x.erased;
      sum.memory_bytes += x.offset == no_offset ? 0 : x.size;
      sum.pinned_count += x.pins > 0;
      sum.pinned_bytes += x.pins > 0 ? x.size : 0;
      bool spilled = x.state == object_state::spilled || x.state == object_state::restoring;
      sum.spilled_count += spilled;
      sum.spilled_bytes += spilled ? x.size : 0;
    }
    return sum;
  }

  std::vector<object_table::slot> in_state(object_state state) const {
    std::vector<object_table::slot> result;
    for (const auto& x : objects)
      if (x.state == state)
        result.push_back(x.slot);
    return result;
  }

private:
  void move(object_table::slot slot, std::list<object>::iterator before) {
    auto i =
      std::find_if(objects.begin(), objects.end(), [&](const object& x) { return x.slot == slot; });
    objects.splice(before, objects, i);
  }
};

/// Drives both with the same random steps and compares everything they say.
struct pair_of_tables {
  object_table table;
  model naive;
  std::mt19937_64 random;
  std::size_t last_offset = 0;
  std::uint32_t last_file = 0;

  explicit pair_of_tables(std::uint64_t seed) : random(seed) {}

  std::optional<object_table::slot> any(object_state state) {
    auto all = naive.in_state(state);
    if (all.empty())
      return std::nullopt;
    return all[random() % all.size()];
  }

  void insert() {
    auto id = number(random() % 60);
    std::size_t size = 1 + random() % 1000;
    auto slot = table.insert(id, size);
    BOOST_REQUIRE_EQUAL(slot.has_value(), naive.find(id) == nullptr);
    if (slot) {
      naive.objects.push_back({*slot, id, size, {}, {}});
      naive.objects.back().offset = no_offset;
    }
  }

  void place_and_finish_writing(object_table::slot slot) {
    auto& x = naive.at(slot);
    if (x.offset == no_offset) {
      x.offset = last_offset += 64;
      table.place(slot, x.offset);
    }
    if (random() % 4 == 0) {
      x.erased = true;
      x.pins = 0;
      auto expected = naive.collect(slot);
      BOOST_REQUIRE(table.abort(slot) == expected);
    } else {
      x.state = object_state::sealed;
      table.seal(slot);
    }
  }

  void pin_or_unpin(object_table::slot slot) {
    auto& x = naive.at(slot);
    if (x.pins == 0 || random() % 3 == 0) {
      if (x.erased)
        return;
      ++x.pins;
      table.pin(slot);
    } else {
      if (--x.pins == 0 && x.state == object_state::sealed)
        naive.touch(slot);
      auto expected = naive.collect(slot);
      BOOST_REQUIRE(table.unpin(slot) == expected);
    }
  }

  void erase() {
    auto id = number(random() % 60);
    auto x = naive.find(id);
    BOOST_REQUIRE_EQUAL(table.find(id).has_value(), x != nullptr);
    if (!x)
      return;
    x->erased = true;
    auto slot = x->slot;
    auto expected = naive.collect(slot);
    BOOST_REQUIRE(table.erase(slot) == expected);
  }

  void make_room() {
    std::size_t need = random() % 3000, batch = random() % 2000, budget = random() % 4000;
    object_table::room expected;
    std::size_t spilling = 0;
    for (auto& x : naive.objects) {
      if (x.state != object_state::sealed || x.pins > 0)
        continue;
      bool enough = expected.size_bytes >= need;
      if (x.disk.file != 0 && !enough) {
        expected.evicted.push_back({x.offset, {}});
        x.offset = no_offset;
        x.state = object_state::spilled;
      } else if (x.disk.file == 0 && spilling + x.size <= budget
                 && (!enough || (!expected.to_spill.empty() && spilling < batch))) {
        expected.to_spill.push_back(x.slot);
        x.state = object_state::spilling;
        spilling += x.size;
      } else {
        continue;
      }
      expected.size_bytes += x.size;
    }
    auto room = table.make_room(need, batch, budget);
    BOOST_REQUIRE(room.evicted == expected.evicted);
    BOOST_REQUIRE(room.to_spill == expected.to_spill);
    BOOST_REQUIRE_EQUAL(room.size_bytes, expected.size_bytes);
  }

  void finish_spill(object_table::slot slot) {
    auto& x = naive.at(slot);
    disk_copy copy{++last_file, random(), random()};
    bool written = random() % 4 != 0;
    x.state = object_state::sealed;
    if (written)
      x.disk = copy;
    leavings expected;
    if (x.pins == 0 && !x.erased && written) {
      expected.offset_bytes = std::exchange(x.offset, no_offset);
      x.state = object_state::spilled;
    } else {
      if (x.pins == 0)
        naive.age(slot);
      expected = naive.collect(slot);
    }
    BOOST_REQUIRE(table.finish_spill(slot, written ? &copy : nullptr) == expected);
  }

  void begin_restore(object_table::slot slot) {
    auto& x = naive.at(slot);
    x.state = object_state::restoring;
    ++x.pins;
    table.begin_restore(slot);
    BOOST_REQUIRE(table.disk(slot) == x.disk);
  }

  void finish_restore(object_table::slot slot) {
    auto& x = naive.at(slot);
    bool read = random() % 4 != 0;
    if (read || random() % 2 == 0) {
      x.offset = last_offset += 64;
      table.place(slot, x.offset);
    }
    leavings expected;
    if (read) {
      x.state = object_state::sealed;
    } else {
      x.state = object_state::spilled;
      --x.pins;
      if (x.erased)
        expected = naive.collect(slot);
      else
        expected.offset_bytes = std::exchange(x.offset, no_offset);
    }
    BOOST_REQUIRE(table.finish_restore(slot, read) == expected);
  }

  void step() {
    switch (random() % 12) {
      case 0:
      case 1: return insert();
      case 2:
      case 3:
        if (auto slot = any(object_state::created))
          place_and_finish_writing(*slot);
        return;
      case 4:
      case 5:
      case 6:
        if (auto slot = any(object_state::sealed))
          pin_or_unpin(*slot);
        return;
      case 7:
        if (auto slot = any(object_state::spilling))
          pin_or_unpin(*slot);
        return;
      case 8: return erase();
      case 9: return make_room();
      case 10:
        if (auto slot = any(object_state::spilling))
          finish_spill(*slot);
        return;
      default:
        if (auto slot = any(object_state::restoring); slot && random() % 2 == 0)
          finish_restore(*slot);
        else if (auto spilled = any(object_state::spilled))
          begin_restore(*spilled);
    }
  }

  void compare() {
    BOOST_REQUIRE(table.totals() == naive.totals());
    std::map<object_id, object_info> expected;
    for (const auto& x : naive.objects)
      if (!x.erased)
        expected[x.id] = {x.id, x.size, x.state, x.pins, x.disk.file != 0};
    auto listed = table.list();
    BOOST_REQUIRE_EQUAL(listed.size(), expected.size());
    for (const auto& info : listed)
      BOOST_REQUIRE(expected.at(info.id) == info);
  }
};

/// A sealed object of this size that nobody has pinned.
object_table::slot add(object_table& table, std::uint64_t n, std::size_t size_bytes) {
  auto at = table.insert(number(n), size_bytes).value();
  table.place(at, 64 * n);
  table.seal(at);
  table.unpin(at);
  return at;
}

} // namespace

BOOST_AUTO_TEST_SUITE(object_table_)

BOOST_AUTO_TEST_CASE(does_what_a_naive_model_does) {
  pair_of_tables both{seed()};
  for (int i = 0; i < 100'000; ++i) {
    both.step();
    if (i % 16 == 0)
      both.compare();
  }
}

BOOST_AUTO_TEST_CASE(the_least_recently_used_goes_first) {
  object_table table;
  auto a = add(table, 1, 100), b = add(table, 2, 100), c = add(table, 3, 100);
  table.pin(a);
  table.unpin(a);
  BOOST_TEST((table.make_room(150, 0, 1000).to_spill == std::vector{b, c}));
}

BOOST_AUTO_TEST_CASE(pinned_objects_are_never_chosen) {
  object_table table;
  auto a = add(table, 1, 100);
  table.pin(a);
  BOOST_TEST(table.make_room(100, 100, 1000).size_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(an_object_that_was_pinned_while_it_was_written_stays) {
  object_table table;
  auto a = add(table, 1, 100);
  table.make_room(100, 100, 1000);
  table.pin(a);
  disk_copy copy{1, 0, 0};
  BOOST_TEST((table.finish_spill(a, &copy) == leavings{}));
  table.unpin(a);
  auto room = table.make_room(100, 100, 1000);
  BOOST_TEST(room.to_spill.empty());
  BOOST_TEST((room.evicted == std::vector{leavings{64, {}}}));
}

BOOST_AUTO_TEST_CASE(an_erased_id_can_be_used_again_while_the_old_object_is_pinned) {
  object_table table;
  auto old = add(table, 1, 100);
  table.pin(old);
  BOOST_TEST((table.erase(old) == leavings{}));
  auto young = table.insert(number(1), 50);
  BOOST_REQUIRE(young.has_value());
  BOOST_TEST(*young != old);
  BOOST_TEST((table.unpin(old) == leavings{64, {}}));
  BOOST_TEST((table.find(number(1)) == young));
}

BOOST_AUTO_TEST_CASE(a_full_disk_still_lets_go_of_what_is_on_it) {
  object_table table;
  auto a = add(table, 1, 100);
  table.make_room(1, 1, 1000);
  table.pin(a);
  disk_copy copy{1, 0, 0};
  table.finish_spill(a, &copy);
  add(table, 2, 100);
  table.unpin(a);
  auto room = table.make_room(100, 100, 0);
  BOOST_TEST(room.to_spill.empty());
  BOOST_TEST(room.evicted.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
