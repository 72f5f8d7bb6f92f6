// What a job leaves in a control store that is kept.

#include <boost/test/unit_test.hpp>

#include "gcs/types/codec.hpp"
#include "gcs/types/records.hpp"
#include "tests/libray/control_store.hpp"
#include "tests/libray/session.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

struct recorded {
  static recorded* create() { return new recorded; }
  int ready() { return 1; }
};
RAY_REMOTE(recorded::create, &recorded::ready);

} // namespace

using namespace caf_ray;
using enum gcs::table_kind;

BOOST_AUTO_TEST_SUITE(records)

BOOST_AUTO_TEST_CASE(of_a_job_tell_when_it_ran_and_what_happened) {
  test::temp_folder folder;
  ray::RayConfig config;
  config.gcs_directory = (folder.path / "gcs").string();
  config.ray_namespace = "recorded";
  ray::Init(config);
  auto actor = ray::Actor(recorded::create).SetName("one").SetMaxRestarts(1).Remote();
  actor.Task(&recorded::ready).Remote().Get();
  actor.Kill(false);
  actor.Task(&recorded::ready).Remote().Get();
  actor.Kill();
  ray::Shutdown();

  control_store control(config.gcs_directory);
  auto job_entries = control.entries(jobs);
  BOOST_REQUIRE(job_entries.size() == 1u);
  auto job = decode<job_record>(job_entries[0].value).value();
  BOOST_TEST(job.ray_namespace == "recorded");
  BOOST_TEST(!job.alive);
  BOOST_TEST(job.started_ms > 0);
  BOOST_TEST(job.ended_ms >= job.started_ms);
  std::string story;
  for (auto& entry : control.entries(events))
    story += decode<event_record>(entry.value).value().text + "\n";
  for (auto part : {"job 1 has started", "it is being restarted", "\"one\"", "it was killed",
                    "job 1 has ended"})
    BOOST_TEST(contains(story, part), part << " is missing in: " << story);
  BOOST_TEST(control.count(names) == 0u);
  BOOST_TEST(control.count(functions) > 0u);
}

BOOST_AUTO_TEST_SUITE_END()
