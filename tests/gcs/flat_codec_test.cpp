#include "gcs/types/flat_codec.hpp"

#include <algorithm>
#include <concepts>
#include <limits>
#include <tuple>

#include <sys/mman.h>

#include "gcs/types/objects.hpp"
#include "gcs/types/operations.hpp"
#include "gcs/types/placement.hpp"
#include "gcs/types/records.hpp"
#include "gcs/types/task_spec.hpp"
#include "tests/gcs/support.hpp"
#include "tests/support/record_fields.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs::test;
using caf_ray::test::listed_fields;
using caf_ray::test::member_count;
using caf_ray::test::scribbler;

namespace {

/// Has what the records of gcs have not: a view, and small numbers between large ones.
struct viewing_record {
  bool flag = false;
  std::string_view view;
  std::uint8_t small = 0;
  double number = 0;
  std::vector<std::string_view> views;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, viewing_record& x) {
    return f(x.flag, x.view, x.small, x.number, x.views);
  }
};

using records =
  std::tuple<viewing_record, object_record, function_record, actor_record, node_record, job_record,
             group_record, event_record, task_options, task_spec, task_argument, error,
             resource_set, object_id, objstore::object_info, objstore::store_stats,
             scheduler::input_place, scheduler::placement_request, scheduler::placement,
             scheduler::forwarded_task, scheduler::bundle_request, scheduler::group_plan,
             gcs::write_list, gcs::write_batch, gcs::op_note, gcs::write_ack, gcs::read_op,
             gcs::read_batch, gcs::entry, gcs::scan_page, gcs::read_answer, gcs::watch_request,
             gcs::change, gcs::shard_status>;

template <class T>
std::string flat(const T& x) {
  std::string bytes;
  flat_writer(bytes).write(x);
  return bytes;
}

/// Bytes whose end is the end of the readable memory: who reads on dies.
class guarded {
public:
  guarded() {
    auto at = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BOOST_TEST_REQUIRE(at != MAP_FAILED);
    begin_ = static_cast<char*>(at);
    BOOST_TEST_REQUIRE(mprotect(begin_ + page, page, PROT_NONE) == 0);
  }
  ~guarded() { munmap(begin_, 2 * page); }
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;

  /// Valid until the next call.
  std::string_view copy(std::string_view bytes) {
    BOOST_TEST_REQUIRE(bytes.size() <= page);
    auto at = begin_ + page - bytes.size();
    std::copy(bytes.begin(), bytes.end(), at);
    return {at, bytes.size()};
  }

  static constexpr std::size_t page = 64 * 1024;

private:
  char* begin_ = nullptr;
};

} // namespace

BOOST_AUTO_TEST_SUITE(flat_codec)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_record_comes_back_as_it_was, Record, records) {
  std::mt19937_64 random(seed());
  for (int i = 0; i < 100; ++i) {
    scribbler scribble(random);
    Record record{};
    scribble.write(record);
    auto bytes = flat(record);
    flat_reader reader(bytes);
    Record back{};
    reader.read(back);
    BOOST_TEST_REQUIRE(!reader.failed());
    BOOST_TEST_REQUIRE(reader.at_end());
    BOOST_TEST_REQUIRE(flat(back) == bytes);
    if constexpr (std::equality_comparable<Record>)
      BOOST_TEST_REQUIRE((back == record));
  }
}

// What the list does not name is lost on the way, and no round trip through the list tells.
BOOST_AUTO_TEST_CASE_TEMPLATE(every_member_of_a_record_is_in_its_field_list, Record, records) {
  if constexpr (std::is_aggregate_v<Record>)
    BOOST_TEST(listed_fields<Record>() == member_count<Record>());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_record_cut_at_any_byte_fails_and_reads_nothing_behind_it, Record,
                              records) {
  std::mt19937_64 random(seed());
  guarded memory;
  scribbler scribble(random);
  Record record{};
  scribble.write(record);
  auto bytes = flat(record);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    flat_reader reader(memory.copy(std::string_view(bytes).substr(0, size)));
    Record back{};
    reader.read(back);
    BOOST_TEST_REQUIRE(reader.failed(), size << " of " << bytes.size() << " bytes passed");
    BOOST_TEST_REQUIRE(reader.at_end());
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bytes_behind_a_record_are_left_for_the_next, Record, records) {
  std::mt19937_64 random(seed());
  scribbler scribble(random);
  Record first{};
  Record second{};
  scribble.write(first);
  scribble.write(second);
  std::string bytes = "kept";
  flat_writer writer(bytes);
  writer.write(first);
  writer.write(second);
  BOOST_TEST_REQUIRE(bytes.starts_with("kept"));
  flat_reader reader(std::string_view(bytes).substr(4));
  Record back{};
  reader.read(back);
  BOOST_TEST(!reader.failed());
  BOOST_TEST(!reader.at_end());
  BOOST_TEST(reader.remaining_bytes() == flat(second).size());
  reader.read(back);
  BOOST_TEST(reader.at_end());
  BOOST_TEST((flat(back) == flat(second)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(garbage_fails_or_is_a_record_of_as_many_bytes, Record, records) {
  std::mt19937_64 random(seed());
  guarded memory;
  scribbler scribble(random);
  Record record{};
  scribble.write(record);
  auto bytes = flat(record);
  for (int i = 0; i < 1000; ++i) {
    auto bad = i % 2 ? random_bytes(random, 300) : bytes;
    if (i % 2 == 0)
      bad[random() % bad.size()] ^= static_cast<char>(1 << random() % 8);
    flat_reader reader(memory.copy(bad));
    Record back{};
    reader.read(back);
    if (!reader.failed())
      BOOST_TEST_REQUIRE(flat(back).size() == bad.size() - reader.remaining_bytes());
  }
}

BOOST_AUTO_TEST_CASE(a_task_keeps_its_options) {
  task_options options;
  options.name = "n";
  options.resources.set("CPU", 5000);
  options.priority = -7;
  options.max_retries = -1;
  options.env_vars = {{"A", "1"}, {"B", std::string("\0", 1)}};
  options.detached = true;
  task_spec spec;
  spec.id = {1, 2};
  spec.function = "f";
  spec.argument_bytes = std::string("\0\xff", 2);
  spec.options = std::make_shared<const task_options>(options);
  auto bytes = flat(spec);
  flat_reader reader(bytes);
  task_spec back;
  reader.read(back);
  BOOST_TEST_REQUIRE(!reader.failed());
  BOOST_TEST((back.opts() == options));
  BOOST_TEST(back.argument_bytes == spec.argument_bytes);

  task_spec plain;
  flat_reader plain_reader(bytes = flat(plain));
  plain_reader.read(back);
  BOOST_TEST((back.opts() == task_options{}));
}

BOOST_AUTO_TEST_CASE(numbers_of_every_width_keep_their_ends) {
  auto round_trip = [](auto x) {
    auto bytes = flat(x);
    BOOST_TEST(bytes.size() == sizeof(x));
    flat_reader reader(bytes);
    decltype(x) back{};
    reader.read(back);
    return back == x && reader.at_end();
  };
  auto both_ends = [&]<class T>(T) {
    return round_trip(std::numeric_limits<T>::lowest()) && round_trip(std::numeric_limits<T>::max())
           && round_trip(T{});
  };
  BOOST_TEST(both_ends(std::uint8_t{}));
  BOOST_TEST(both_ends(std::int32_t{}));
  BOOST_TEST(both_ends(std::uint32_t{}));
  BOOST_TEST(both_ends(std::int64_t{}));
  BOOST_TEST(both_ends(std::uint64_t{}));
  BOOST_TEST(both_ends(double{}));
}

BOOST_AUTO_TEST_CASE(views_are_into_the_bytes_that_are_read) {
  viewing_record record{true, "one", 2, 3, {"", "four"}};
  auto bytes = flat(record);
  flat_reader reader(bytes);
  viewing_record back;
  reader.read(back);
  BOOST_TEST(back.view == "one");
  BOOST_TEST_REQUIRE(back.views.size() == 2u);
  BOOST_TEST(back.views[1] == "four");
  for (auto view : {back.view, back.views[1]}) {
    BOOST_TEST((view.data() >= bytes.data()));
    BOOST_TEST((view.data() + view.size() <= bytes.data() + bytes.size()));
  }
}

BOOST_AUTO_TEST_CASE(a_view_is_written_as_a_string_is) {
  std::string text("a\0b", 3);
  BOOST_TEST(flat(text) == flat(std::string_view(text)));
  BOOST_TEST(flat(std::string()) == flat(std::string_view()));
}

BOOST_AUTO_TEST_CASE(every_byte_but_zero_is_a_true_bool) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string bytes(1, static_cast<char>(byte));
    flat_reader reader(bytes);
    bool x = byte == 0;
    reader.read(x);
    unsigned char lies_there = 0;
    std::memcpy(&lies_there, &x, 1);
    BOOST_TEST(lies_there == (byte == 0 ? 0 : 1));
    BOOST_TEST(!reader.failed());
  }
}

BOOST_AUTO_TEST_CASE(after_a_failure_everything_reads_as_zero) {
  auto bytes = flat(event_record{5, "source", "text"});
  bytes.resize(bytes.size() - 1);
  flat_reader reader(bytes);
  event_record back{1, "old", "old"};
  reader.read(back);
  BOOST_TEST(reader.failed());
  BOOST_TEST((back == event_record{5, "source", ""}));
  std::uint64_t number = 7;
  bool flag = true;
  std::string text = "old";
  std::string_view view = "old";
  std::vector<std::string> texts = {"old"};
  BOOST_TEST(!reader(number, flag, text, view, texts));
  BOOST_TEST(number == 0u);
  BOOST_TEST(!flag);
  BOOST_TEST(text.empty());
  BOOST_TEST(view.empty());
  BOOST_TEST(texts.empty());
}

BOOST_AUTO_TEST_CASE(a_vector_that_is_not_there_in_full_is_empty) {
  auto bytes = flat(std::vector<std::string>{"one", "two"});
  bytes.pop_back();
  flat_reader reader(bytes);
  std::vector<std::string> back;
  reader.read(back);
  BOOST_TEST(reader.failed());
  BOOST_TEST(back.empty());
}

BOOST_AUTO_TEST_CASE(a_length_that_the_bytes_do_not_fill_allocates_no_more_than_they_could) {
  guarded memory;
  for (std::size_t filler : {0, 1, 100, 40'000}) {
    auto bytes = memory.copy("\xff\xff\xff\xff" + std::string(filler, '\0'));
    {
      flat_reader reader(bytes);
      std::string text;
      reader.read(text);
      BOOST_TEST(reader.failed());
      BOOST_TEST(text.capacity() == std::string().capacity());
    }
    flat_reader reader(bytes);
    std::vector<event_record> events; // at least 16 bytes each on the wire
    reader.read(events);
    BOOST_TEST(reader.failed());
    BOOST_TEST(events.empty());
    auto room = std::min<std::size_t>(filler, 64 * 1024 / sizeof(event_record) + 1);
    BOOST_TEST(events.capacity() <= std::max(room, 2 * (filler / 16 + 1)));
  }
}

BOOST_AUTO_TEST_CASE(long_vectors_come_back_whole) {
  std::vector<object_id> ids(100'000);
  for (std::size_t i = 0; i < ids.size(); ++i)
    ids[i] = {i, ~i};
  auto bytes = flat(ids);
  flat_reader reader(bytes);
  std::vector<object_id> back = {{1, 2}};
  reader.read(back);
  BOOST_TEST(!reader.failed());
  BOOST_TEST((back == ids));
}

BOOST_AUTO_TEST_SUITE_END()
