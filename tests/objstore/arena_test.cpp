#include "objstore/arena.hpp"

#include <map>

#include <sys/resource.h>

#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;

namespace {

constexpr std::size_t mib = 1024 * 1024;

/// Takes memory until the end; the error, if that is what ended it.
errc extend_fully(arena& x, std::size_t step_bytes) {
  for (;;) {
    auto came = x.extend(step_bytes);
    if (!came)
      return came.error().code;
    if (*came == 0)
      return errc::none;
    x.adopt(*came);
  }
}

/// Allocates blocks of one size until there is no space and writes to every byte.
std::vector<std::size_t> write_everywhere(arena& x, std::size_t size_bytes) {
  std::vector<std::size_t> result;
  while (auto at = x.allocate(size_bytes)) {
    fill({x.base() + *at, size_bytes}, number(result.size()));
    result.push_back(*at);
  }
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(arena_)

BOOST_AUTO_TEST_CASE(blocks_are_aligned_and_apart_and_keep_their_contents) {
  auto x = arena::map({8 * mib, {}}).value();
  extend_fully(*x, mib);
  std::mt19937_64 random{seed()};
  std::map<std::size_t, std::pair<std::size_t, object_id>> live;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0 && !live.empty()) {
      auto victim = std::next(live.begin(), static_cast<long>(random() % live.size()));
      auto [size, id] = victim->second;
      BOOST_REQUIRE(is_filled({x->base() + victim->first, size}, id));
      x->deallocate(victim->first);
      live.erase(victim);
      continue;
    }
    std::size_t size = random() % (std::size_t{1} << random() % 18);
    auto at = x->allocate(size);
    if (!at)
      continue;
    BOOST_REQUIRE_EQUAL(*at % 64, 0u);
    BOOST_REQUIRE_LE(*at + size, x->committed_bytes());
    auto next = live.lower_bound(*at);
    BOOST_REQUIRE(next == live.end() || *at + size <= next->first);
    if (next != live.begin()) {
      auto before = std::prev(next);
      BOOST_REQUIRE_LE(before->first + before->second.first, *at);
    }
    fill({x->base() + *at, size}, number(i));
    live[*at] = {size, number(i)};
  }
  for (const auto& [at, what] : live)
    x->deallocate(at);
  BOOST_TEST(x->allocate(x->largest_bytes()).has_value());
}

BOOST_AUTO_TEST_CASE(it_grows_in_steps_and_keeps_what_was_written) {
  auto x = arena::map({16 * mib, {}}).value();
  auto at = x->allocate(mib / 2).value();
  fill({x->base() + at, mib / 2}, number(1));
  BOOST_TEST(!x->allocate(mib));
  BOOST_TEST(x->extend(2 * mib).value() == 2 * mib);
  BOOST_TEST(!x->allocate(mib));
  x->adopt(2 * mib);
  BOOST_TEST(x->allocate(2 * mib).has_value());
  BOOST_TEST((extend_fully(*x, 4 * mib) == errc::none));
  BOOST_TEST(x->committed_bytes() == 16 * mib);
  BOOST_TEST(is_filled({x->base() + at, mib / 2}, number(1)));
}

BOOST_AUTO_TEST_CASE(nobody_can_shrink_it) {
  auto x = arena::map({2 * mib, {}}).value();
  BOOST_TEST(ftruncate(x->descriptor(), 0) == -1);
  BOOST_TEST(errno == EPERM);
}

BOOST_AUTO_TEST_CASE(sizes_that_make_no_sense_are_invalid) {
  for (std::size_t size : {std::size_t{0}, mib - 1, SIZE_MAX})
    BOOST_TEST((arena::map({size, {}}).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(the_default_capacity_is_part_of_what_is_free) {
  auto all = default_capacity_bytes(1.0, {});
  auto some = default_capacity_bytes(0.1, {});
  BOOST_TEST(some > 0u);
  BOOST_TEST(some < all);
  small_disk disk{"8m"};
  if (disk)
    BOOST_TEST(default_capacity_bytes(1.0, disk.path()) <= 8 * mib);
}

BOOST_AUTO_TEST_CASE(a_full_tmpfs_is_an_error_and_never_a_signal) {
  small_disk disk{"8m"};
  if (!disk)
    return;
  auto x = arena::map({64 * mib, disk.path()}).value();
  BOOST_TEST((extend_fully(*x, 2 * mib) == errc::store_full));
  auto blocks = write_everywhere(*x, 100'000);
  BOOST_TEST(blocks.size() > 60u);
  for (std::size_t i = 0; i < blocks.size(); ++i)
    BOOST_REQUIRE(is_filled({x->base() + blocks[i], 100'000}, number(i)));
}

BOOST_AUTO_TEST_CASE(memory_that_others_took_can_be_had_once_they_give_it_back) {
  small_disk disk{"16m"};
  if (!disk)
    return;
  auto x = arena::map({12 * mib, disk.path()}).value();
  auto ballast = disk.fill_up();
  auto refused = x->extend(4 * mib);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::store_full));
  std::filesystem::remove(ballast);
  BOOST_TEST((extend_fully(*x, 4 * mib) == errc::none));
  BOOST_TEST(write_everywhere(*x, mib).size() >= 10u);
}

BOOST_AUTO_TEST_CASE(a_limit_on_file_sizes_is_an_error_and_never_a_signal) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small{4 * mib, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  auto x = arena::map({64 * mib, {}});
  setrlimit(RLIMIT_FSIZE, &before);
  BOOST_REQUIRE(!x);
  BOOST_TEST((x.error().code == errc::store_full));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
