#include "objstore/transfer_wire.hpp"

#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;

namespace {

errc decode_code(std::span<const std::byte> bytes) {
  auto x = wire::decode(bytes);
  return x ? errc::none : x.error().code;
}

wire::header example() {
  wire::header x;
  x.kind = wire::kind::chunk;
  x.pull = 0x0102030405060708;
  x.object = {0x1112131415161718, 0x2122232425262728};
  x.size_bytes = 1'000'000;
  x.offset_bytes = 999'000;
  x.checksum = 0x3132333435363738;
  x.length_bytes = 1000;
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(transfer_wire)

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  auto x = example();
  BOOST_TEST((wire::decode(wire::encode(x)).value() == x));
}

BOOST_AUTO_TEST_CASE(the_layout_is_fixed) {
  auto bytes = wire::encode(example());
  auto at = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
  BOOST_TEST(at(0) == 'C');
  BOOST_TEST(at(3) == 'F');
  BOOST_TEST(at(4) == 1);
  BOOST_TEST(at(6) == 3);
  BOOST_TEST(at(8) == 8);
  BOOST_TEST(at(16) == 0x18);
  BOOST_TEST(at(24) == 0x28);
  BOOST_TEST(at(48) == 0x38);
  BOOST_TEST(at(56) == (1000 & 255));
}

BOOST_AUTO_TEST_CASE(chunks_that_are_not_inside_their_object_are_corrupt) {
  auto code = [](auto change) {
    auto x = example();
    change(x);
    return decode_code(wire::encode(x));
  };
  BOOST_TEST(code([](auto&) {}) == errc::none);
  BOOST_TEST(code([](auto& x) { x.length_bytes = 1001; }) == errc::corrupt);
  BOOST_TEST(code([](auto& x) { x.offset_bytes = 1'000'001; }) == errc::corrupt);
  // Sums that wrap around to something small.
  BOOST_TEST(code([](auto& x) { x.offset_bytes = UINT64_MAX - 500; }) == errc::corrupt);
  BOOST_TEST(code([](auto& x) {
               x.size_bytes = UINT64_MAX;
               x.offset_bytes = 0;
               x.length_bytes = UINT32_MAX;
             })
             == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(another_version_is_named) {
  auto bytes = wire::encode(example());
  bytes[4] = std::byte{9};
  auto x = wire::decode(bytes);
  BOOST_REQUIRE(!x);
  BOOST_TEST(x.error().code == errc::version_mismatch);
  BOOST_TEST(x.error().what.find("version 9") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(random_bytes_are_an_error_or_a_sound_header) {
  std::mt19937_64 random(seed());
  auto good = wire::encode(example());
  int sound = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto bytes = good;
    for (auto n = 1 + random() % 6; n > 0; --n)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    auto length = random() % 8 == 0 ? random() % bytes.size() : bytes.size();
    auto x = wire::decode({bytes.data(), length});
    if (!x)
      continue;
    ++sound;
    BOOST_REQUIRE(length == wire::header_bytes);
    if (x->kind == wire::kind::other_size)
      continue;
    BOOST_REQUIRE(x->length_bytes <= wire::max_chunk_bytes);
    BOOST_REQUIRE(x->offset_bytes <= x->size_bytes);
    BOOST_REQUIRE(x->length_bytes <= x->size_bytes - x->offset_bytes);
  }
  BOOST_TEST(sound > 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
