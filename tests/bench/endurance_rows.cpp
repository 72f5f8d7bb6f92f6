// Ten million tasks in a loop whose references are dropped: nothing may grow. The second five
// million are compared with the first, by their medians over a million each, as memory needs a few
// million to settle.
//
//   endurance_rate    tasks per second
//   endurance_memory  resident memory
//   endurance_disk    blocks of the control store's folder

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
  constexpr std::size_t parts = 10;
  constexpr double mib = 1 << 20;
  const temporary_folder folder;
  session running({.gcs_directory = folder.path()});
  timed_tasks(all / parts / 10); // starts threads, grows tables

  std::vector<double> rate[2], memory[2], disk[2];
  for (std::size_t part = 0; part < parts; ++part) {
    auto half = part / (parts / 2);
    rate[half].push_back(timed_tasks(all / parts));
    memory[half].push_back(resident_bytes() / mib);
    disk[half].push_back(folder_bytes(folder.path()) / mib);
  }
  const std::string before = "during the first half of them";
  out.add({"endurance_rate", "tasks/s", {.ratio_at_least = 0.9}}, rate[1], before, rate[0]);
  out.add({"endurance_memory", "MiB", {.ratio_at_most = 1.25}}, memory[1], before, memory[0]);
  out.add({"endurance_disk", "MiB", {.ratio_at_most = 1.25}}, disk[1], before, disk[0]);
}

constexpr bench_case cases[] = {{"endurance", endurance, true}};

} // namespace

std::span<const bench_case> endurance_cases() {
  return cases;
}

} // namespace caf_ray::bench
