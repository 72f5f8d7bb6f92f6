#define BOOST_TEST_MODULE metric
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <ray/api/metric.h>
#include <ray/api/ray_exception.h>

#include "libray/src/metric_registry.hpp"
#include "tests/libray/session.hpp"

using caf_ray::errc;
using caf_ray::metric_kind;
using caf_ray::metric_options;
using caf_ray::metric_registry;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double endless = HUGE_VAL;

/// The lines of this process's metrics that begin with `beginning`.
std::vector<std::string> exported(const std::string& beginning) {
  std::vector<std::string> lines;
  auto text = caf_ray::process_metrics().prometheus_text();
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    if (text.compare(at, beginning.size(), beginning) == 0)
      lines.push_back(text.substr(at, text.find('\n', at) - at));
  return lines;
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const ray::internal::RayException& e) {
    return e.what();
  }
  return "nothing was thrown";
}

} // namespace

BOOST_AUTO_TEST_SUITE(metric)

BOOST_AUTO_TEST_CASE(gauge_keeps_the_last_value) {
  ray::Gauge gauge("test.gauge", "a gauge", "units", {"key"});
  BOOST_TEST(gauge.GetName() == "test.gauge");
  BOOST_TEST(exported("test_gauge").empty());
  gauge.Set(3, {{"key", "a"}});
  gauge.Record(-1.25, {{"key", "a"}});
  gauge.Set(7, {{"key", "b"}});
  BOOST_TEST(
    (exported("test_gauge")
     == std::vector<std::string>{"test_gauge{key=\"a\"} -1.25", "test_gauge{key=\"b\"} 7"}));
}

BOOST_AUTO_TEST_CASE(counter_adds_and_never_goes_down) {
  ray::Counter counter("test.counter", "a counter", "");
  counter.Inc(2, {});
  counter.Record(0.5, {});
  counter.Inc(0, {});
  BOOST_TEST(error_of([&] { counter.Inc(-1, {}); })
             == "Counter \"test.counter\": a counter cannot go down by 1.");
  BOOST_TEST((exported("test_counter") == std::vector<std::string>{"test_counter 2.5"}));
}

BOOST_AUTO_TEST_CASE(sum_adds_in_both_directions) {
  ray::Sum sum("test.sum", "a sum", "");
  sum.Record(2, {});
  sum.Record(-5, {});
  BOOST_TEST((exported("test_sum") == std::vector<std::string>{"test_sum -3"}));
}

BOOST_AUTO_TEST_CASE(histogram_counts_values_up_to_each_boundary) {
  ray::Histogram histogram("test.histogram", "a histogram", "s", {0.5, 1, 2.5}, {"key"});
  for (double x : {0.25, 0.5, 0.75, 1.0, 2.0, 3.0, -1.0})
    histogram.Observe(x, {{"key", "v"}});
  histogram.Record(100, {{"key", "v"}});
  BOOST_TEST((exported("test_histogram")
              == std::vector<std::string>{
                "test_histogram_bucket{key=\"v\",le=\"0.5\"} 3",
                "test_histogram_bucket{key=\"v\",le=\"1\"} 5",
                "test_histogram_bucket{key=\"v\",le=\"2.5\"} 6",
                "test_histogram_bucket{key=\"v\",le=\"+Inf\"} 8",
                "test_histogram_sum{key=\"v\"} 106.5",
                "test_histogram_count{key=\"v\"} 8",
              }));
}

BOOST_AUTO_TEST_CASE(of_one_name_is_one_metric_and_outlives_its_objects) {
  {
    ray::Counter first("test.shared", "first", "u", {"a", "b"});
    first.Inc(1, {{"a", "x"}});
    ray::Counter copy = first;
    copy.Inc(1, {{"a", "x"}});
  }
  ray::Counter second("test.shared", "second", "u", {"b", "a"});
  second.Inc(1, {{"a", "x"}});
  BOOST_TEST(
    (exported("test_shared") == std::vector<std::string>{"test_shared{a=\"x\",b=\"\"} 3"}));
  BOOST_TEST(
    (exported("# HELP test_shared") == std::vector<std::string>{"# HELP test_shared first (u)"}));
}

BOOST_AUTO_TEST_CASE(ignores_tags_that_it_was_not_made_with) {
  ray::Gauge gauge("test.tags", "", "", {"known"});
  gauge.Set(1, {{"unknown", "x"}, {"known", "a"}});
  gauge.Set(2, {{"other", "y"}});
  BOOST_TEST((exported("test_tags")
              == std::vector<std::string>{"test_tags{known=\"\"} 2", "test_tags{known=\"a\"} 1"}));
}

BOOST_AUTO_TEST_CASE(refuses_what_is_not_finite) {
  ray::Gauge gauge("test.finite", "", "");
  ray::Counter counter("test.finite.counter", "", "");
  ray::Sum sum("test.finite.sum", "", "");
  ray::Histogram histogram("test.finite.histogram", "", "", {1});
  struct row {
    double value;
    std::string shown;
  };
  for (auto [value, shown] :
       std::vector<row>{{not_a_number, "nan"}, {endless, "inf"}, {-endless, "-inf"}}) {
    auto text = " is not finite.";
    BOOST_TEST(error_of([&] { gauge.Set(value, {}); })
               == "Gauge \"test.finite\": value " + shown + text);
    BOOST_TEST(error_of([&] { counter.Inc(value, {}); })
               == "Counter \"test.finite.counter\": value " + shown + text);
    BOOST_TEST(error_of([&] { sum.Record(value, {}); })
               == "Sum \"test.finite.sum\": value " + shown + text);
    BOOST_TEST(error_of([&] { histogram.Observe(value, {}); })
               == "Histogram \"test.finite.histogram\": value " + shown + text);
  }
  BOOST_TEST(exported("test_finite").empty());
}

BOOST_AUTO_TEST_CASE(says_why_it_cannot_be_made) {
  using doubles = std::vector<double>;
  using keys = std::vector<std::string>;
  auto histogram = [](doubles boundaries, keys tag_keys = {}) {
    return error_of([&] { ray::Histogram("test.bad", "", "", boundaries, tag_keys); });
  };
  auto gauge = [](std::string name, keys tag_keys = {}) {
    return error_of([&] { ray::Gauge(name, "", "", tag_keys); });
  };
  BOOST_TEST(gauge("") == "Gauge \"\": a metric's name must not be empty.");
  BOOST_TEST(error_of([] { ray::Sum("", "", ""); })
             == "Sum \"\": a metric's name must not be empty.");
  BOOST_TEST(gauge("test.bad", {"a", ""}) == "Gauge \"test.bad\": a tag key must not be empty.");
  BOOST_TEST(gauge("test.bad", {"a.b", "a_b"})
             == "Gauge \"test.bad\": the tag key \"a_b\" is there twice, as a_b.");
  BOOST_TEST(histogram({1}, {"le"})
             == "Histogram \"test.bad\": the tag key \"le\" is the histogram's own.");
  BOOST_TEST(histogram({1, 1})
             == "Histogram \"test.bad\": boundaries must increase, but 1 follows 1.");
  BOOST_TEST(histogram({1, 3, 2})
             == "Histogram \"test.bad\": boundaries must increase, but 2 follows 3.");
  BOOST_TEST(histogram({1, not_a_number}) == "Histogram \"test.bad\": boundary nan is not finite.");
  BOOST_TEST(histogram({1, endless}) == "Histogram \"test.bad\": boundary inf is not finite.");
  BOOST_TEST(gauge("caf.ray.tasks")
             == "Gauge \"caf.ray.tasks\": names that begin with caf_ray_ are the system's own.");
  BOOST_TEST(gauge("test.bad") == "nothing was thrown");
}

BOOST_AUTO_TEST_CASE(says_which_metric_has_its_name) {
  ray::Histogram first("test.taken", "", "s", {1, 2}, {"key"});
  auto taken = "Histogram \"test.taken\" exists already and ";
  BOOST_TEST(error_of([] { ray::Gauge("test.taken", "", "s", {"key"}); })
             == std::string("Gauge \"test.taken\": ") + taken + "has another kind.");
  struct row {
    std::string unit;
    std::vector<double> boundaries;
    std::vector<std::string> tag_keys;
    std::string differs;
  };
  for (auto& [unit, boundaries, tag_keys, differs] :
       std::vector<row>{{"ms", {1, 2}, {"key"}, "has another unit."},
                        {"s", {1, 3}, {"key"}, "has another list of boundaries."},
                        {"s", {1, 2}, {"other"}, "has another set of tag keys."},
                        {"s", {1, 2}, {}, "has another set of tag keys."}})
    BOOST_TEST(error_of([&] { ray::Histogram("test_taken", "", unit, boundaries, tag_keys); })
               == std::string("Histogram \"test_taken\": ") + taken + differs);
  BOOST_TEST(error_of([] { ray::Gauge("test.taken.count", "", ""); })
             == std::string("Gauge \"test.taken.count\": ") + taken
                  + "also exports test_taken_count.");
}

BOOST_AUTO_TEST_CASE(loses_nothing_when_threads_record_at_once) {
  constexpr int thread_count = 4, per_thread = 5000;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < thread_count; ++t)
      threads.emplace_back([t] {
        ray::Counter counter("test.threads", "", "", {"parity"});
        for (int i = 0; i < per_thread; ++i)
          counter.Inc(1, {{"parity", t % 2 ? "odd" : "even"}});
      });
    for (int i = 0; i < 20; ++i)
      exported("test_threads");
  }
  BOOST_TEST((exported("test_threads")
              == std::vector<std::string>{"test_threads{parity=\"even\"} 10000",
                                          "test_threads{parity=\"odd\"} 10000"}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(registry)

BOOST_AUTO_TEST_CASE(writes_all_metrics_sorted_with_help_and_type) {
  metric_registry r;
  BOOST_TEST(r.prometheus_text() == "");
  auto add = [&](metric_options options) { return r.add(std::move(options)).value(); };
  BOOST_TEST(add({metric_kind::sum, "d", "", "", {}, {}})->record(1, {}).has_value());
  BOOST_TEST(add({metric_kind::counter, "b", "counts", "", {}, {}})->record(1e6, {}).has_value());
  BOOST_TEST(add({metric_kind::gauge, "a", "goes", "m/s", {}, {}})->record(0.1, {}).has_value());
  BOOST_TEST(add({metric_kind::histogram, "c", "", "", {}, {}})->record(1, {}).has_value());
  add({metric_kind::gauge, "unused", "", "", {}, {}});
  BOOST_TEST(r.prometheus_text()
             == "# HELP a goes (m/s)\n# TYPE a gauge\na 0.1\n"
                "# HELP b counts\n# TYPE b counter\nb 1e+06\n"
                "# HELP c \n# TYPE c histogram\n"
                "c_bucket{le=\"+Inf\"} 1\nc_sum 1\nc_count 1\n"
                "# HELP d \n# TYPE d gauge\nd 1\n");
}

BOOST_AUTO_TEST_CASE(replaces_what_the_format_does_not_allow) {
  struct row {
    std::string name, key, expected;
  };
  for (auto& [name, key, expected] : std::vector<row>{
         {"ray.test.gauge", "tag-key", "ray_test_gauge{tag_key=\"v\"} 1\n"},
         {"9 lives", "1st", "_9_lives{_1st=\"v\"} 1\n"},
         {"a:b", "a:b", "a:b{a_b=\"v\"} 1\n"},
         {"\xc3\xa9", "\n", "__{_=\"v\"} 1\n"},
       }) {
    metric_registry r;
    auto m = r.add({metric_kind::gauge, name, "", "", {key}, {}}).value();
    BOOST_TEST(m->record(1, {{key, "v"}}).has_value());
    BOOST_TEST(r.prometheus_text().ends_with(expected));
  }
}

BOOST_AUTO_TEST_CASE(escapes_texts) {
  struct row {
    std::string text, in_help, in_tag;
  };
  for (auto& [text, in_help, in_tag] : std::vector<row>{
         {"a\\b\n\"c\"", "a\\\\b\\n\"c\"", "a\\\\b\\n\\\"c\\\""},
         {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
          "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
         {"a\xff", "a?", "a?"},         // no UTF-8 sequence begins so
         {"a\xc3", "a?", "a?"},         // cut short
         {"\xc0\xaf", "??", "??"},      // longer than needed
         {"\xed\xa0\x80", "???", "???"} // half of a surrogate pair
       }) {
    metric_registry r;
    auto m = r.add({metric_kind::gauge, "m", text, "", {"k"}, {}}).value();
    BOOST_TEST(m->record(1, {{"k", text}}).has_value());
    BOOST_TEST(r.prometheus_text()
               == "# HELP m " + in_help + "\n# TYPE m gauge\nm{k=\"" + in_tag + "\"} 1\n");
  }
}

BOOST_AUTO_TEST_CASE(records_combinations_of_tags_beyond_the_limit_together) {
  metric_registry r;
  auto m = r.add({metric_kind::counter, "m", "", "", {"a", "b"}, {}}).value();
  auto limit = caf_ray::max_metric_series;
  for (std::size_t i = 0; i < limit + 50; ++i)
    BOOST_TEST(m->record(1, {{"a", std::to_string(i)}, {"b", "x"}}).has_value());
  BOOST_TEST(m->record(10, {{"a", "0"}, {"b", "x"}}).has_value());
  auto text = r.prometheus_text();
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == static_cast<long>(limit + 1 + 2));
  BOOST_TEST(text.find("\nm{a=\"_other_\",b=\"_other_\"} 50\n") != std::string::npos);
  BOOST_TEST(text.find("\nm{a=\"0\",b=\"x\"} 11\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(gives_typed_errors) {
  metric_registry r;
  auto code = [&](metric_options options) { return r.add(std::move(options)).error().code; };
  BOOST_TEST((code({metric_kind::gauge, "", "", "", {}, {}}) == errc::invalid_argument));
  auto m = r.add({metric_kind::gauge, "m_count", "", "", {}, {}});
  BOOST_REQUIRE(m.has_value());
  BOOST_TEST(((*m)->record(not_a_number, {}).error().code == errc::invalid_argument));
  BOOST_TEST((code({metric_kind::counter, "m_count", "", "", {}, {}}) == errc::already_exists));
  BOOST_TEST((code({metric_kind::histogram, "m", "", "", {}, {1}}) == errc::already_exists));
  BOOST_TEST((*r.add({metric_kind::gauge, "m.count", "", "", {}, {}}) == *m));
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

int record_in_task(int value, std::string gate_name) {
  ray::Counter counter("test.text.task", "recorded in tasks", "things", {"parity"});
  counter.Inc(value, {{"parity", value % 2 ? "odd" : "even"}});
  return gate_name.empty() || gate::pass(gate_name) ? value : -1;
}

struct recorder {
  static recorder* create() { return new recorder; }
  int record(double value) {
    seen.Observe(value, {});
    return 0;
  }
  ray::Histogram seen{"test.text.actor", "recorded in an actor", "s", {1, 2}};
};
RAY_REMOTE(record_in_task, recorder::create, &recorder::record);

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

/// The value of a sample without tags; not a number when there is none.
double sample(const std::string& name) {
  for (auto& line : lines_of(ray::MetricsText()))
    if (line.starts_with(name + " "))
      return std::stod(line.substr(name.size() + 1));
  return not_a_number;
}

/// Results are there a moment before their task counts as finished.
bool becomes(const std::string& name, double value) {
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (sample("caf_ray_" + name) != value) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::yield();
  }
  return true;
}

} // namespace

BOOST_AUTO_TEST_SUITE(metrics_text)

BOOST_FIXTURE_TEST_CASE(has_what_tasks_and_actors_record, session) {
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 1; i <= 10; ++i)
    refs.push_back(ray::Task(record_in_task).Remote(i, ""));
  ray::Get(refs);
  auto actor = ray::Actor(recorder::create).Remote();
  for (double value : {0.5, 1.5, 5.0})
    actor.Task(&recorder::record).Remote(value).Get();
  auto text = ray::MetricsText();
  for (auto line : {"# HELP test_text_task recorded in tasks (things)\n",
                    "# TYPE test_text_task counter\n", "test_text_task{parity=\"even\"} 30\n",
                    "test_text_task{parity=\"odd\"} 25\n", "# TYPE test_text_actor histogram\n",
                    "test_text_actor_bucket{le=\"2\"} 2\n", "test_text_actor_count 3\n"})
    BOOST_TEST(contains(text, line), line);
}

BOOST_AUTO_TEST_CASE(has_the_systems_own_figures_from_init_to_shutdown) {
  BOOST_TEST(!contains(ray::MetricsText(), "caf_ray_"));
  {
    session s;
    BOOST_TEST(becomes("tasks_submitted_total", 0));
    std::vector<ray::ObjectRef<int>> refs;
    for (int i = 0; i < 100; ++i)
      refs.push_back(ray::Task(record_in_task).Remote(i, ""));
    auto actor = ray::Actor(recorder::create).Remote();
    refs.push_back(actor.Task(&recorder::record).Remote(1));
    ray::Get(refs);
    BOOST_TEST(sample("caf_ray_tasks_submitted_total") == 101);
    BOOST_TEST(becomes("tasks_finished_total", 101));
    BOOST_TEST(becomes("tasks_running", 0));
    BOOST_TEST(becomes("actors_alive", 1));
    BOOST_TEST(sample("caf_ray_task_runs_total") == 100);
    BOOST_TEST(sample("caf_ray_task_run_seconds_total") > 0);
    BOOST_TEST(sample("caf_ray_objects") == 101);

    auto running = ray::Task(record_in_task).Remote(1, "metrics");
    auto queued = ray::Task(record_in_task).SetResource("GPU", 1).Remote(1, "");
    BOOST_REQUIRE(gate::await_arrivals("metrics", 1));
    BOOST_TEST(becomes("tasks_running", 1));
    BOOST_TEST(becomes("tasks_queued", 1));
    gate::open("metrics");
    BOOST_TEST(*running.Get() == 1);
    ray::Cancel(queued);
    BOOST_TEST(becomes("tasks_queued", 0));
    BOOST_TEST(becomes("tasks_finished_total", 103));
    actor.Kill();
    BOOST_TEST(becomes("actors_alive", 0));

    auto large = ray::Put(std::vector<double>(1'000'000));
    BOOST_TEST(sample("caf_ray_store_used_bytes") >= 8e6);
    BOOST_TEST(sample("caf_ray_store_committed_bytes") >= 8e6);
    BOOST_TEST(sample("caf_ray_store_capacity_bytes") == 256 * 1024 * 1024);
    BOOST_TEST(sample("caf_ray_store_objects") == 1);
    BOOST_TEST(sample("caf_ray_store_spilled_bytes") == 0);
    BOOST_TEST(sample("caf_ray_gcs_writes_total") > 0);
    BOOST_TEST(sample("caf_ray_executor_slots") == 4);
    BOOST_TEST(sample("caf_ray_executor_threads") >= 1);
  }
  BOOST_TEST(!contains(ray::MetricsText(), "caf_ray_"));
}

BOOST_FIXTURE_TEST_CASE(describes_each_family_once_before_its_samples, session) {
  std::set<std::string> described;
  std::string family;
  for (auto& line : lines_of(ray::MetricsText())) {
    std::istringstream words(line);
    std::string first, second, name;
    words >> first;
    if (first == "#") {
      words >> second >> name;
      BOOST_TEST((second == "HELP" || second == "TYPE"));
      BOOST_TEST((second == "TYPE" ? name == family : described.insert(name).second), line);
      family = name;
    } else {
      BOOST_TEST(first.starts_with(family), line);
    }
  }
  BOOST_TEST(described.size() > 20u);
}

BOOST_AUTO_TEST_SUITE_END()
