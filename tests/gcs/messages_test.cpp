#include "gcs/types/messages.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

struct fixture {
  fixture() { config.add_message_types<caf::id_block::caf_ray>(); }

  caf::actor_system_config config;
  caf::actor_system system{config};

  std::vector<char> to_bytes(caf::message& m) {
    std::vector<char> bytes;
    caf::binary_serializer sink{system, bytes};
    bool failed = static_cast<bool>(sink(m));
    BOOST_TEST(!failed);
    return bytes;
  }

  /// As between two processes: a whole message to bytes and back. A type that CAF was not told of
  /// arrives as an empty message.
  template <class T>
  T round_trip(const T& value) {
    auto out = caf::make_message(value);
    auto bytes = to_bytes(out);
    caf::message in;
    caf::binary_deserializer source{system, bytes};
    bool failed = static_cast<bool>(source(in));
    BOOST_TEST(!failed);
    BOOST_TEST_REQUIRE(in.match_elements<T>(), "not announced: " << caf::type_name<T>::value);
    BOOST_TEST((to_bytes(in) == bytes));
    return in.get_as<T>(0);
  }

  template <caf::type_id_t... Offset>
  void round_trip_block(std::integer_sequence<caf::type_id_t, Offset...>) {
    (round_trip(typename caf::type_by_id<caf::id_block::caf_ray::begin + Offset>::type{}), ...);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(messages, fixture)

BOOST_AUTO_TEST_CASE(every_type_of_the_block_travels) {
  constexpr auto count = caf::id_block::caf_ray::end - caf::id_block::caf_ray::begin;
  static_assert(count > 10);
  round_trip_block(std::make_integer_sequence<caf::type_id_t, count>{});
}

BOOST_AUTO_TEST_CASE(a_task_spec_travels_with_its_options) {
  auto options = std::make_shared<task_options>();
  options->name = "n";
  options->env_vars = {{"A", "1"}};
  options->resources.set("CPU", 5000);
  task_spec spec;
  spec.id = {1, 2};
  spec.function = "f";
  spec.argument_bytes = std::string("\0\xff", 2);
  spec.options = options;
  auto back = round_trip(spec);
  BOOST_TEST((back.id == spec.id));
  BOOST_TEST(back.argument_bytes == spec.argument_bytes);
  BOOST_TEST((back.opts() == *options));
}

BOOST_AUTO_TEST_CASE(a_write_batch_travels_by_value) {
  write_list list;
  list.add({table_kind::kv, write_kind::put, "key", std::string("\0value", 6), 3});
  list.add({table_kind::jobs, write_kind::erase, "other", {}, 0});
  auto back = round_trip(write_batch{7, 8, 6, std::make_shared<const write_list>(list)});
  BOOST_TEST(back.client == 7u);
  BOOST_TEST(back.sequence == 8u);
  BOOST_TEST(back.oldest == 6u);
  BOOST_TEST((*back.ops == list));
  BOOST_TEST(code_of(back.ops->check()) == errc::none);
}

BOOST_AUTO_TEST_CASE(what_shards_answer_travels) {
  write_ack ack;
  ack.err = {errc::io_failed, "disk"};
  ack.notes = {{4, op_outcome::refused}};
  BOOST_TEST((round_trip(ack) == ack));
  read_batch reads{7, 8, {{9, read_kind::scan, table_kind::nodes, "p", "a", 5}}};
  BOOST_TEST((round_trip(reads) == reads));
  std::vector<read_answer> answers{{9, {}, {{{"k", "v"}}, "next"}}};
  BOOST_TEST((round_trip(answers) == answers));
  std::vector<change> changes{{table_kind::actors, true, "k", ""}};
  BOOST_TEST((round_trip(changes) == changes));
  shard_status status;
  status.entries = {1, 2, 3};
  status.alarm = "a";
  BOOST_TEST((round_trip(status) == status));
}

BOOST_AUTO_TEST_CASE(truncated_messages_are_errors) {
  auto out = caf::make_message(std::vector<change>{{table_kind::actors, true, "key", "value"}});
  auto bytes = to_bytes(out);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    caf::message in;
    caf::binary_deserializer source{system, bytes.data(), size};
    BOOST_TEST(static_cast<bool>(in.load(source)), size << " of " << bytes.size());
  }
}

BOOST_AUTO_TEST_SUITE_END()
