// Pulls from sources whose bytes are not what they should be.

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/objstore/cutting_proxy.hpp"
#include "tests/objstore/fake_source.hpp"
#include "tests/objstore/transfer_support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

namespace {

/// Says that every chunk is zeros, with a checksum that is right or not.
fake_source::answer zeros(bool right) {
  return [right](const wire::header& asked) {
    auto x = asked;
    std::string bytes(asked.kind == wire::kind::get ? asked.length_bytes : 0, '\0');
    std::string all(asked.length_bytes, '\0');
    x.kind = asked.kind == wire::kind::get ? wire::kind::chunk : wire::kind::same;
    x.checksum = XXH3_64bits(all.data(), all.size()) + (right ? 0 : 1);
    fake_source::frames out{fake_source::head(x)};
    if (x.kind == wire::kind::chunk)
      out.push_back(std::move(bytes));
    return out;
  };
}

bool is_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](auto x) { return x == std::byte{}; });
}

} // namespace

BOOST_AUTO_TEST_SUITE(transfer_pulls)

BOOST_FIXTURE_TEST_CASE(two_copies_that_differ_are_never_mixed, two_hosts) {
  constexpr auto size = 20 * mib;
  put(*theirs.objects, 1, size);
  fake_source other(zeros(true));
  // The link to the first copy goes down on the way.
  cutting_proxy proxy(theirs.source().port, seed(), 4 * mib, 8 * mib);
  proxy.go_down();
  auto pull = ours.begin_pull(1, size, {through(proxy, theirs), other.source()});
  BOOST_TEST(code_of(pull.get()) == errc::none);
  BOOST_TEST(is_zero(ours.objects->get(number(1)).value().bytes()));
}

BOOST_FIXTURE_TEST_CASE(what_came_before_a_cut_is_compared_with_the_next_copy, two_hosts) {
  constexpr auto size = 20 * mib;
  put(*theirs.objects, 1, size);
  fake_source other(zeros(true));
  cutting_proxy proxy(theirs.source().port, seed(), 4 * mib, 8 * mib);
  auto pull = ours.begin_pull(1, size, {through(proxy, theirs), other.source()});
  // Connections that are there go on until they are cut.
  BOOST_TEST(eventually([&] { return ours.link->stats().bytes_in > 0; }));
  proxy.go_down();
  BOOST_TEST(code_of(pull.get()) == errc::none);
  BOOST_TEST(is_zero(ours.objects->get(number(1)).value().bytes()));
  BOOST_TEST(ours.link->stats().different_chunks > 0u);
}

BOOST_FIXTURE_TEST_CASE(bytes_with_a_wrong_checksum_come_once_more_from_another_source, two_hosts) {
  fake_source liar(zeros(false));
  put(*theirs.objects, 1, 100);
  BOOST_TEST(ours.pull_code(1, 100, {liar.source(), theirs.source()}) == errc::none);
  check(*ours.objects, 1, 100);
  BOOST_TEST(ours.link->stats().damaged_chunks == 1u);
}

BOOST_FIXTURE_TEST_CASE(bytes_with_a_wrong_checksum_twice_are_corrupt, two_hosts) {
  fake_source liar(zeros(false)), other(zeros(false));
  auto how = ours.pull(1, 100, {liar.source(), other.source()});
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().code == errc::corrupt);
  BOOST_TEST(how.error().what.find(to_string(number(1))) != std::string::npos);
  BOOST_TEST(liar.request_count() == 1);
  BOOST_TEST(other.request_count() == 1);
  BOOST_TEST(!ours.objects->contains(number(1)));
}

BOOST_FIXTURE_TEST_CASE(a_source_that_breaks_the_protocol_is_left_for_the_next, two_hosts) {
  using frames = fake_source::frames;
  const fake_source::answer broken[] = {
    [](auto&) { return frames{"hello"}; },
    [](auto& x) { return frames{fake_source::head(x)}; }, // a request
    [](auto& x) {                                         // fewer bytes than it says
      auto y = x;
      y.kind = wire::kind::chunk;
      return frames{fake_source::head(y), "abc"};
    },
    [](auto& x) { // no bytes at all
      auto y = x;
      y.kind = wire::kind::chunk;
      return frames{fake_source::head(y)};
    },
    [](auto& x) {
      return frames{fake_source::head(x), "a", "b"};
    },
    [](auto& x) { // another version
      auto text = fake_source::head(x);
      text[4] = 9;
      return frames{text};
    },
    [](auto& x) { // more than may come in one frame
      return frames{fake_source::head(x), std::string(2 * mib, 'x')};
    },
  };
  std::uint64_t n = 0;
  for (const auto& say : broken) {
    fake_source bad(say);
    put(*theirs.objects, ++n, 1000);
    BOOST_TEST(ours.pull_code(n, 1000, {bad.source(), theirs.source()}) == errc::none);
    check(*ours.objects, n, 1000);
    BOOST_TEST(bad.request_count() == 1);
    BOOST_TEST(ours.pull_code(100 + n, 1000, {bad.source()}) == errc::object_lost);
  }
}

BOOST_FIXTURE_TEST_CASE(answers_that_nobody_asked_for_are_dropped, two_hosts) {
  // Chunks of other pulls, other places, other lengths; then the right one.
  fake_source odd([n = 0](const wire::header& asked) mutable {
    auto x = asked;
    x.kind = wire::kind::chunk;
    switch (n++) {
      case 0: x.pull += 1; break;
      case 1: x.pull = 0; break;
      default: break;
    }
    std::string bytes(x.length_bytes, '\0');
    x.checksum = XXH3_64bits(bytes.data(), bytes.size());
    return fake_source::frames{fake_source::head(x), bytes};
  });
  auto pull = ours.begin_pull(1, 3 * mib, {odd.source(), theirs.source()});
  put(*theirs.objects, 1, 3 * mib);
  BOOST_TEST(code_of(pull.get()) == errc::none);
  BOOST_TEST(ours.link->stats().damaged_chunks == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
