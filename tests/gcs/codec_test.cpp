#include "gcs/types/codec.hpp"

#include <boost/mpl/list.hpp>

#include "gcs/types/operations.hpp"
#include "gcs/types/records.hpp"
#include "gcs/types/task_spec.hpp"
#include "tests/gcs/support.hpp"
#include "tests/support/record_fields.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs::test;
using caf_ray::test::scribbler;

namespace {

using records =
  boost::mpl::list<object_record, function_record, actor_record, node_record, job_record,
                   group_record, event_record, task_options, task_spec, task_argument, error,
                   resource_set, object_id, gcs::read_op, gcs::read_answer, gcs::write_ack,
                   gcs::change, gcs::watch_request, gcs::shard_status>;

} // namespace

BOOST_AUTO_TEST_SUITE(codec)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_record_comes_back_as_it_was, Record, records) {
  std::mt19937_64 random(seed());
  for (int i = 0; i < 100; ++i) {
    Record record{};
    scribbler(random).write(record);
    auto bytes = encode(record);
    auto back = decode<Record>(bytes);
    BOOST_TEST_REQUIRE(code_of(back) == errc::none);
    BOOST_TEST_REQUIRE(encode(*back) == bytes);
    if constexpr (std::equality_comparable<Record>)
      BOOST_TEST_REQUIRE((*back == record));
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_truncation_is_corrupt, Record, records) {
  std::mt19937_64 random(seed());
  Record record{};
  scribbler(random).write(record);
  auto bytes = encode(record);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_TEST_REQUIRE(code_of(decode<Record>(std::string_view(bytes).substr(0, size)))
                       == errc::corrupt);
  BOOST_TEST(code_of(decode<Record>(bytes + '\0')) == errc::corrupt);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(garbage_and_flipped_bits_are_corrupt_or_another_record, Record,
                              records) {
  std::mt19937_64 random(seed());
  Record record{};
  scribbler(random).write(record);
  auto bytes = encode(record);
  for (int i = 0; i < 1000; ++i) {
    auto bad = bytes;
    bad[random() % bad.size()] ^= static_cast<char>(1 << random() % 8);
    (void)decode<Record>(bad);
    (void)decode<Record>(random_bytes(random, 100));
  }
}

BOOST_AUTO_TEST_CASE(claims_of_huge_sizes_are_corrupt_before_anything_is_allocated) {
  const std::string claims[] = {
    "\xdd\xff\xff\xff\xff",                         // array of 2^32-1
    "\xc6\xff\xff\xff\xff",                         // bin of 2^32-1
    "\xdb\xff\xff\xff\xff",                         // str
    "\xdf\xff\xff\xff\xff",                         // map
    "\xc9\xff\xff\xff\xff",                         // ext
    std::string(100'000, '\x91'),                   // arrays in arrays
    std::string("\x93\xdd\x00\x0f\xff\xff\xc0", 7), // a long array that is not there
  };
  for (auto& bytes : claims)
    BOOST_TEST(code_of(decode<event_record>(bytes)) == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(text_with_any_bytes_survives) {
  event_record e{-5, std::string("\0\xff\x80", 3), {}};
  BOOST_TEST((decode<event_record>(encode(e)).value() == e));
}

BOOST_AUTO_TEST_SUITE_END()
