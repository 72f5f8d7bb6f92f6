#include "objstore/streaming_copy.hpp"

#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;

BOOST_AUTO_TEST_SUITE(streaming_copy_)

BOOST_AUTO_TEST_CASE(copies_every_byte_and_no_other_at_any_alignment) {
  constexpr auto limit = streaming_threshold_bytes;
  std::vector<std::byte> from(limit + 4096), into(limit + 4096);
  fill(from, number(1));
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, limit - 1, limit,
                           limit + 1, limit + 63, limit + 127, limit + 2049})
    for (std::size_t source : {0, 1, 17, 64})
      for (std::size_t target : {0, 1, 32, 63, 64}) {
        std::fill(into.begin(), into.end(), std::byte{0xee});
        streaming_copy(into.data() + target, from.data() + source, size);
        BOOST_REQUIRE(std::memcmp(into.data() + target, from.data() + source, size) == 0);
        auto untouched = [](std::byte x) { return x == std::byte{0xee}; };
        BOOST_REQUIRE(
          std::all_of(into.begin(), into.begin() + static_cast<long>(target), untouched));
        BOOST_REQUIRE(
          std::all_of(into.begin() + static_cast<long>(target + size), into.end(), untouched));
      }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
