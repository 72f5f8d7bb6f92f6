#include "objstore/transfer_selftest.hpp"

#include "tests/objstore/fake_source.hpp"
#include "tests/objstore/transfer_support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(transfer_selftest)

BOOST_AUTO_TEST_CASE(without_its_gate_a_transfer_does_not_start) {
  auto options = quick_options();
  options.objects = std::shared_ptr<store>{store_fixture{}.open(8 * mib)};
  options.with_gate = false;
  auto started = transfer::start(options);
  BOOST_REQUIRE(!started);
  BOOST_TEST(started.error().code == errc::io_failed);
  BOOST_TEST(started.error().what.find("lets in a client whose key it cannot know")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_door_that_lets_strangers_in_is_found_out) {
  fake_source open([](auto&) { return fake_source::frames{}; });
  zmq::context_t context;
  auto how = try_door(context, open.source(), {.keys = make_curve_keys().value()}, long_time);
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().what.find("lets in") != std::string::npos);
  BOOST_TEST(open.request_count() == 0);
}

BOOST_AUTO_TEST_CASE(a_door_that_is_not_there_or_does_not_know_us_is_no_good_door) {
  host h;
  zmq::context_t context;
  auto strange = make_curve_keys().value();
  auto how = try_door(context, h.source(), {.keys = strange}, long_time);
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().what.find("does not admit our key, to ourselves") != std::string::npos);
  BOOST_REQUIRE(h.link->admit(strange.public_key, "no stranger").has_value());
  BOOST_TEST(try_door(context, h.source(), {.keys = strange}, long_time).has_value());
  auto gone = h.source();
  h.link.reset();
  how = try_door(context, gone, {.keys = strange}, long_time);
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().what.find("cannot be reached") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
