#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "libray/src/transport/frame_guard.hpp"

using caf_ray::transport::frame_guard;

namespace {

constexpr std::size_t limit = 1000;

std::string header(unsigned char operation, std::uint32_t length) {
  std::string bytes(frame_guard::header_bytes, '\0');
  bytes[0] = static_cast<char>(operation);
  for (auto i = 0; i < 4; ++i)
    bytes[4 + i] = static_cast<char>(length >> (24 - 8 * i));
  return bytes;
}

std::string frame(unsigned char operation, std::uint32_t length) {
  return header(operation, length) + std::string(length, '\xff');
}

bool accepts(frame_guard& guard, const std::string& bytes) {
  return guard.accept(bytes.data(), bytes.size());
}

struct random_seed {
  random_seed() {
    auto given = std::getenv("SEED");
    value = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
    BOOST_TEST_MESSAGE("SEED=" << value);
  }
  std::uint64_t value;
};

} // namespace

BOOST_AUTO_TEST_SUITE(frame_guard_of_a_link)

BOOST_AUTO_TEST_CASE(frames_up_to_the_limit_pass) {
  frame_guard guard(limit);
  BOOST_TEST(accepts(guard, frame(1, 10) + frame(6, 0) + frame(2, limit) + frame(2, 1)));
  BOOST_TEST(guard.reason().empty());
}

BOOST_AUTO_TEST_CASE(a_header_that_claims_more_is_refused_before_its_payload_comes) {
  frame_guard guard(limit);
  BOOST_TEST(accepts(guard, frame(1, 10)));
  BOOST_TEST(!accepts(guard, header(2, limit + 1)));
  BOOST_TEST(guard.reason().find("1001") != std::string::npos);
  BOOST_TEST(guard.reason().find("1000") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(once_refused_a_link_stays_refused) {
  frame_guard guard(limit);
  BOOST_TEST(!accepts(guard, header(0, 0xffffffff)));
  BOOST_TEST(!accepts(guard, frame(1, 10)));
}

BOOST_AUTO_TEST_CASE(a_handshake_without_payload_is_refused) {
  for (unsigned char operation : {0, 1}) {
    frame_guard guard(limit);
    BOOST_TEST(!accepts(guard, header(operation, 0)));
  }
}

BOOST_AUTO_TEST_CASE(the_first_frame_must_be_a_handshake) {
  frame_guard guard(limit);
  BOOST_TEST(!accepts(guard, header(6, 0)));
}

// The naive model sees all frames whole; the guard sees their bytes cut anywhere.
BOOST_AUTO_TEST_CASE(where_bytes_are_split_makes_no_difference) {
  random_seed seed;
  std::mt19937_64 random(seed.value);
  auto below = [&](std::uint64_t n) { return random() % n; };
  for (auto round = 0; round < 2000; ++round) {
    std::string stream;
    std::size_t good = std::string::npos; // how many bytes may pass; npos: all
    auto frames = 1 + below(8);
    for (std::uint64_t i = 0; i < frames; ++i) {
      auto operation = static_cast<unsigned char>(i == 0 && below(8) > 0 ? below(2) : below(7));
      auto length = static_cast<std::uint32_t>(below(10) == 0 ? limit + below(3) : below(200));
      auto bad = (operation < 2 && length == 0) || length > limit || (i == 0 && operation > 1);
      if (bad && good == std::string::npos)
        good = stream.size() + frame_guard::header_bytes - 1;
      stream += frame(operation, length);
    }
    frame_guard guard(limit);
    for (std::size_t at = 0; at < stream.size();) {
      auto step = std::min<std::size_t>(1 + below(below(4) == 0 ? 400 : 40), stream.size() - at);
      auto expected = at + step <= good;
      BOOST_REQUIRE_EQUAL(guard.accept(stream.data() + at, step), expected);
      at += step;
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
