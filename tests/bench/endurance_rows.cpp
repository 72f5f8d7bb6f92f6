// Ten million tasks in a loop whose references are dropped: nothing may grow. (A quarter over nine
// million tasks is less than two bytes for each.)
//
//   endurance_rate    tasks per second after the first tenth; against those of the first tenth
//   endurance_memory  resident memory at the end; against that after the first tenth
//   endurance_disk    blocks of the control store's folder at the end; against the same

#include <filesystem>
#include <stdexcept>

#include <stdlib.h>

#include "tests/bench/rows.hpp"
#include "tests/bench/session.hpp"

namespace caf_ray::bench {

namespace {

int echo(int x) {
  return x;
}
RAY_REMOTE(echo);

/// Removed with all that is in it.
class temporary_folder {
public:
  temporary_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "caf-ray-bench-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw std::runtime_error("cannot make a temporary folder " + pattern);
    path_ = pattern;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// Tasks per second.
double timed_tasks(std::size_t count) {
  constexpr std::size_t window = 10'000;
  stopwatch watch;
  for (std::size_t done = 0; done < count; done += window) {
    std::vector<ray::ObjectRef<int>> refs;
    refs.reserve(window);
    for (std::size_t i = 0; i < window; ++i)
      refs.push_back(ray::Task(echo).Remote(static_cast<int>(i)));
    keep(ray::Get(refs));
  }
  return static_cast<double>(count) / watch.seconds();
}

void endurance(report& out) {
  const std::size_t all = out.size(10'000'000, 100'000);
  const temporary_folder folder;
  session running({.gcs_directory = folder.path()});

  const auto first = timed_tasks(all / 10);
  const auto first_memory = resident_bytes(), first_disk = folder_bytes(folder.path());
  const auto rest = timed_tasks(all - all / 10);

  constexpr double mib = 1 << 20;
  const std::string early = "after the first tenth of them";
  out.add({"endurance_rate", "tasks/s", {.ratio_at_least = 0.9}}, {rest}, early, {first});
  out.add({"endurance_memory", "MiB", {.ratio_at_most = 1.25}}, {resident_bytes() / mib}, early,
          {first_memory / mib});
  out.add({"endurance_disk", "MiB", {.ratio_at_most = 1.25}}, {folder_bytes(folder.path()) / mib},
          early, {first_disk / mib});
}

constexpr bench_case cases[] = {{"endurance", endurance, true}};

} // namespace

std::span<const bench_case> endurance_cases() {
  return cases;
}

} // namespace caf_ray::bench
