#include "objstore/store_core.hpp"

#include <array>
#include <atomic>

#include "objstore/streaming_copy.hpp"
#include "tests/objstore/support.hpp"

/// The store under many threads. Nothing here may hang: every call has a deadline, and the only
/// errors are those that the header names.
namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t mib = 1024 * 1024;

store_options small_store(const folder& disk, std::size_t capacity_bytes) {
  store_options options;
  options.capacity_bytes = capacity_bytes;
  options.spill_directory = disk.path();
  return options;
}

void in_threads(unsigned count, const std::function<void(unsigned)>& body) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i)
    threads.emplace_back(body, i);
  for (auto& thread : threads)
    thread.join();
}

/// The size of an object follows from its number, so that a reader knows it.
std::size_t size_of(std::uint64_t n) {
  auto x = n * 0x9e3779b97f4a7c15ull;
  return (x >> 40) % (std::size_t{1} << (x >> 60));
}

/// What threads saw that they should not have.
struct faults {
  std::atomic<int> count{0};
  std::mutex mutex;
  std::string first;

  void add(const std::string& what) {
    if (count++ == 0) {
      std::lock_guard guard{mutex};
      first = what;
    }
  }
};

/// A thread that does everything at random to objects that all threads share.
class user {
public:
  user(store& objects, faults& seen, std::uint64_t seed)
    : objects_(objects), seen_(seen), random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i)
      step(random_() % 200);
  }

private:
  void step(std::uint64_t n) {
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2: return create(n);
      case 3:
      case 4: return get(n);
      case 5: return objects_.erase(number(n));
      case 6:
        if (auto p = objects_.try_get(number(n)))
          look_at(n, *p);
        return;
      default:
        if (!pins_.empty())
          pins_.erase(pins_.begin() + static_cast<long>(random_() % pins_.size()));
    }
  }

  void create(std::uint64_t n) {
    auto w = objects_.create(number(n), size_of(n) * 8, wait());
    if (!w)
      return expect(w.error(), {errc::already_exists, errc::store_full});
    if (random_() % 8 == 0)
      return;
    fill(w->data(), number(n));
    keep(n, w->seal());
  }

  void get(std::uint64_t n) {
    auto p = objects_.get(number(n), wait());
    if (!p)
      return expect(p.error(), {errc::not_found, errc::store_full, errc::timed_out});
    look_at(n, *p);
    keep(n, *p);
  }

  void look_at(std::uint64_t n, const pinned& p) {
    if (p.bytes().size() != size_of(n) * 8 || !is_filled(p.bytes(), number(n)))
      seen_.add("wrong contents in object " + std::to_string(n));
  }

  /// Some pins stay for a while, and are looked at again when they go.
  void keep(std::uint64_t n, pinned p) {
    if (random_() % 3 != 0)
      return;
    pins_.emplace_back(n, std::move(p));
    if (pins_.size() > 4) {
      look_at(pins_.front().first, pins_.front().second);
      pins_.erase(pins_.begin());
    }
  }

  void expect(const error& e, std::initializer_list<errc> allowed) {
    if (std::find(allowed.begin(), allowed.end(), e.code) == allowed.end())
      seen_.add(std::string{to_string(e.code)} + ": " + e.what);
  }

  std::chrono::milliseconds wait() { return std::chrono::milliseconds(random_() % 50); }

  store& objects_;
  faults& seen_;
  std::mt19937_64 random_;
  std::vector<std::pair<std::uint64_t, pinned>> pins_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(store_core_)

BOOST_AUTO_TEST_CASE(threads_that_do_everything_see_only_right_contents) {
  folder disk;
  auto first_seed = seed();
  auto s = store::open(small_store(disk, 2 * mib)).value();
  auto before = s->stats().used_bytes;
  faults seen;
  in_threads(6, [&](unsigned i) { user{*s, seen, first_seed + i}.run(10'000); });
  BOOST_TEST(seen.count == 0, seen.first);
  for (std::uint64_t n = 0; n < 200; ++n)
    s->erase(number(n));
  auto stats = s->stats();
  BOOST_TEST(stats.spilled_bytes_total > 0u);
  BOOST_TEST(stats.restored_bytes_total > 0u);
  BOOST_TEST(stats.used_bytes == before);
  BOOST_TEST(stats.memory_bytes == 0u);
  BOOST_TEST(stats.pinned_count == 0u);
  BOOST_TEST(stats.object_count == 0u);
  BOOST_TEST(stats.spill_file_bytes == 0u);
  BOOST_TEST(disk.files().empty());
}

BOOST_AUTO_TEST_CASE(producers_and_readers_of_ten_times_the_memory_all_finish) {
  constexpr std::uint64_t per_thread = 80;
  constexpr std::size_t size = 256 * 1024;
  folder disk;
  auto s = store::open(small_store(disk, 8 * mib)).value();
  faults seen;
  in_threads(8, [&](unsigned i) {
    auto first = (i / 2) * per_thread;
    for (auto n = first; n < first + per_thread; ++n) {
      if (i % 2 == 0) {
        auto w = s->create(number(n), size, long_time);
        if (!w)
          return seen.add(w.error().what);
        fill(w->data(), number(n));
        w->seal();
        continue;
      }
      // The writer may not have come to it yet.
      auto p = s->get(number(n), long_time);
      while (!p && p.error().code == errc::not_found)
        p = s->get(number(n), long_time);
      if (!p || !is_filled(p->bytes(), number(n)))
        return seen.add(p ? "wrong contents" : p.error().what);
    }
  });
  BOOST_TEST(seen.count == 0, seen.first);
  BOOST_TEST(s->stats().object_count == 4 * per_thread);
}

BOOST_AUTO_TEST_CASE(readers_who_pin_more_than_there_is_get_errors_and_let_others_on) {
  folder disk;
  auto s = store::open(small_store(disk, 4 * mib)).value();
  for (std::uint64_t n = 0; n < 40; ++n) {
    auto w = s->create(number(n), mib / 4, long_time).value();
    fill(w.data(), number(n));
    w.seal();
  }
  faults seen;
  std::atomic<int> refused{0};
  in_threads(4, [&](unsigned i) {
    std::vector<pinned> pins;
    for (std::uint64_t k = 0; k < 120; ++k) {
      auto n = (k * 7 + i * 10) % 40;
      auto p = s->get(number(n), 20ms);
      if (p && !is_filled(p->bytes(), number(n)))
        return seen.add("wrong contents");
      if (p) {
        pins.push_back(*p);
      } else if (p.error().code == errc::store_full || p.error().code == errc::timed_out) {
        ++refused;
        pins.clear();
      } else {
        return seen.add(p.error().what);
      }
    }
  });
  BOOST_TEST(seen.count == 0, seen.first);
  BOOST_TEST(refused > 0);
}

BOOST_AUTO_TEST_CASE(handles_and_the_store_may_end_in_any_order) {
  folder disk;
  for (int round = 0; round < 20; ++round) {
    auto s = store::open(small_store(disk, 2 * mib)).value();
    std::array<std::vector<pinned>, 3> pins;
    for (std::uint64_t n = 0; n < 300; ++n) {
      auto w = s->create(number(n), 16 * 1024, long_time).value();
      fill(w.data(), number(n));
      auto p = w.seal();
      if (n % 4 == 0)
        pins[n % 3].push_back(p);
      s->erase(number(n / 2));
    }
    in_threads(4, [&](unsigned i) {
      if (i == 3)
        s.reset();
      else
        pins[i].clear();
    });
  }
  BOOST_TEST(disk.files().empty());
}

BOOST_AUTO_TEST_CASE(a_stream_of_large_objects_goes_through_a_small_store_without_spilling) {
  folder disk;
  auto s = store::open(small_store(disk, 32 * mib)).value();
  std::vector<std::byte> source(4 * mib);
  fill(source, number(0));
  in_threads(2, [&](unsigned i) {
    for (std::uint64_t n = 0; n < 100; ++n) {
      auto id = number(1000 * (i + 1) + n);
      auto w = s->create(id, source.size(), long_time).value();
      streaming_copy(w.data().data(), source.data(), source.size());
      w.seal();
      s->erase(id);
    }
  });
  BOOST_TEST(s->stats().spilled_bytes_total == 0u);
  BOOST_TEST(s->stats().memory_bytes == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
