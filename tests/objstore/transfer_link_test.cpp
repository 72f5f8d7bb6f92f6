#include "objstore/transfer_link.hpp"

#include "tests/objstore/fake_source.hpp"
#include "tests/objstore/transfer_support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

namespace {

link_options with_new_keys(unsigned connections = 1) {
  return {.keys = make_curve_keys().value(), .connections = connections};
}

/// The first thing that goes wrong.
std::string failure_of(transfer_link& link) {
  std::optional<std::string> why;
  BOOST_TEST(eventually([&] {
    why = link.read_events().failure;
    return why.has_value();
  }));
  return why.value_or("");
}

wire::header request(std::uint64_t pull) {
  wire::header x;
  x.pull = pull;
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(transfer_link_)

BOOST_AUTO_TEST_CASE(requests_over_several_connections_are_all_answered) {
  fake_source echo([](auto& x) {
    auto y = x;
    y.kind = wire::kind::not_found;
    return fake_source::frames{fake_source::head(y)};
  });
  zmq::context_t context;
  transfer_link link(context, echo.source(), with_new_keys(4));
  std::vector<bool> seen(100);
  for (std::uint64_t i = 0; i < seen.size(); ++i)
    BOOST_TEST(link.send(request(i)));
  std::size_t count = 0;
  BOOST_TEST(eventually([&] {
    while (auto came = link.receive()) {
      BOOST_REQUIRE(came->has_value());
      auto pull = (*came)->head.pull;
      BOOST_REQUIRE(!seen.at(pull));
      seen[pull] = true;
      ++count;
    }
    return count == seen.size();
  }));
}

BOOST_AUTO_TEST_CASE(a_port_where_nobody_listens_fails) {
  std::uint16_t port = 0;
  {
    fake_source gone([](auto&) { return fake_source::frames{}; });
    port = gone.source().port;
  }
  zmq::context_t context;
  transfer_link link(context, {"127.0.0.1", port, make_curve_keys().value().public_key},
                     with_new_keys());
  BOOST_TEST(failure_of(link) == "cannot be reached");
}

BOOST_AUTO_TEST_CASE(a_source_that_goes_fails_the_link_at_once) {
  std::optional<fake_source> source(std::in_place, [](auto&) { return fake_source::frames{}; });
  zmq::context_t context;
  transfer_link link(context, source->source(), with_new_keys());
  BOOST_TEST(eventually([&] { return link.read_events().ready; }));
  source.reset();
  BOOST_TEST(failure_of(link) == "ended the connection");
}

// libzmq's I/O thread stood still, with all its connections, when it had news for a link that had
// just gone.
BOOST_AUTO_TEST_CASE(links_that_go_at_any_moment_stop_no_io_thread) {
  fake_source echo([](auto& x) {
    auto y = x;
    y.kind = wire::kind::not_found;
    return fake_source::frames{fake_source::head(y)};
  });
  std::mt19937_64 random(seed());
  zmq::context_t context(1);
  for (int i = 0; i < 1000; ++i) {
    transfer_link link(context, echo.source(), with_new_keys(2));
    auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 600);
    while (std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
  }
  transfer_link last(context, echo.source(), with_new_keys());
  BOOST_TEST(last.send(request(1)));
  BOOST_TEST(eventually([&] { return last.receive().has_value(); }));
}

BOOST_AUTO_TEST_CASE(an_address_that_is_none_throws) {
  zmq::context_t context;
  auto key = make_curve_keys().value().public_key;
  BOOST_CHECK_THROW(transfer_link(context, {"no such host", 1, key}, with_new_keys()),
                    zmq::error_t);
  BOOST_CHECK_THROW(transfer_link(context, {"127.0.0.1", 1, "no key"}, with_new_keys()),
                    zmq::error_t);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
