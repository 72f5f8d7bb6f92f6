#include <boost/test/unit_test.hpp>

#include <stdexcept>

#include "tests/libray/session.hpp"

namespace {

std::atomic<int> runs{0};

/// Throws as it is packed, the first time.
struct fails_once {
  int value = 0;
  template <typename Packer>
  void msgpack_pack(Packer& out) const {
    if (runs.fetch_add(1) == 0)
      throw std::runtime_error("not yet");
    out.pack(value);
  }
  void msgpack_unpack(const msgpack::object& o) { value = o.as<int>(); }
};

std::tuple<std::vector<double>, fails_once> large_then_failing() {
  return {std::vector<double>(100'000, 1.5), {7}};
}

int always_throws(std::string door) {
  ++runs;
  gate::pass(door);
  throw std::runtime_error("again and again");
}

int retry_one() {
  return 1;
}

struct tally_actor {
  static tally_actor* create() { return new tally_actor; }
  int up() { return ++count; }
  int count = 0;
};

/// Makes an actor of its own and a named one, and fails the first time.
std::pair<int, int> counts_in_actors() {
  auto own = ray::Actor(tally_actor::create).Remote();
  auto named = ray::Actor(tally_actor::create).SetName("of the retried task").Remote();
  auto mine = *own.Task(&tally_actor::up).Remote().Get();
  auto shared = *named.Task(&tally_actor::up).Remote().Get();
  if (runs.fetch_add(1) == 0)
    throw std::runtime_error("not yet");
  return {mine, shared};
}

RAY_REMOTE(large_then_failing, always_throws, retry_one, tally_actor::create, &tally_actor::up,
           counts_in_actors);

} // namespace

using ray::internal::RayException;
using ray::internal::RayTaskCancelledException;

BOOST_AUTO_TEST_SUITE(retry)

BOOST_FIXTURE_TEST_CASE(what_a_failed_attempt_stored_does_not_take_the_next_ones_away, session) {
  runs = 0;
  auto [large, small] = ray::Task(large_then_failing).SetRetryExceptions(true).RemoteTuple();
  BOOST_TEST(small.Get()->value == 7);
  BOOST_TEST(large.Get()->size() == 100'000u);
}

BOOST_FIXTURE_TEST_CASE(cancel_ends_retries_too, session) {
  runs = 0;
  auto ref =
    ray::Task(always_throws).SetRetryExceptions(true).SetMaxRetries(-1).Remote("first attempt");
  BOOST_REQUIRE(gate::await_arrivals("first attempt", 1));
  ray::Cancel(ref, true);
  BOOST_CHECK_THROW(ref.Get(), RayTaskCancelledException);
  gate::open("first attempt");
  // At most the attempt that was under way is followed by another. Tasks behind it see that none
  // is.
  for (int i = 0; i < 200; ++i)
    ray::Task(retry_one).Remote().Get();
  auto seen = runs.load();
  for (int i = 0; i < 1000; ++i)
    ray::Task(retry_one).Remote().Get();
  BOOST_TEST(runs.load() == seen);
  BOOST_TEST(seen <= 2);
}

BOOST_FIXTURE_TEST_CASE(each_attempt_makes_actors_of_its_own_and_meets_its_named_ones, session) {
  runs = 0;
  auto counts = ray::Task(counts_in_actors).SetRetryExceptions(true).Remote().Get();
  BOOST_TEST(counts->first == 1);  // made anew
  BOOST_TEST(counts->second == 2); // has its name still
  BOOST_TEST(runs == 2);
}

BOOST_AUTO_TEST_SUITE_END()
