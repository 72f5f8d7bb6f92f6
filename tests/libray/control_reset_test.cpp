#include "libray/src/control_reset.hpp"

#include <boost/test/unit_test.hpp>

#include "gcs/types/codec.hpp"
#include "gcs/types/records.hpp"
#include "tests/libray/control_store.hpp"
#include "tests/support/temp_folder.hpp"

using namespace caf_ray;
using enum gcs::table_kind;

namespace {

struct fixture : caf_ray::test::temp_folder, control_store {
  fixture() : control_store(path) {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(control_reset)

BOOST_FIXTURE_TEST_CASE(an_empty_store_has_no_job, fixture) {
  BOOST_TEST(reset_control(*client).value() == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_earlier_runs_had_goes_and_their_jobs_have_ended, fixture) {
  for (int i = 0; i < 25'000; ++i)
    client->put(tasks, to_binary(random_id<task_id>()), "spec", 7);
  for (auto table : {nodes, objects, actors, groups})
    client->put(table, to_binary(random_id<node_id>()), "record");
  client->put(names, "a/b", "id");
  client->put(kv, "mine", "value");
  client->put(functions, "f", "record");
  client->put(jobs, job_key(7), encode(job_record{"ns", "program", 1, 0, true}));
  client->put(jobs, job_key(300), encode(job_record{"ns", "program", 1, 2, false}));
  BOOST_TEST(reset_control(*client).value() == 300u);
  for (auto table : {tasks, nodes, objects, actors, names, groups})
    BOOST_TEST(count(table) == 0u);
  for (auto table : {kv, functions})
    BOOST_TEST(count(table) == 1u);
  auto lost = decode<job_record>(client->get(jobs, job_key(7)).value().value()).value();
  BOOST_TEST(!lost.alive);
  BOOST_TEST(lost.ended_ms > 2);
  auto ended = decode<job_record>(client->get(jobs, job_key(300)).value().value()).value();
  BOOST_TEST(ended.ended_ms == 2);
}

BOOST_AUTO_TEST_SUITE_END()
