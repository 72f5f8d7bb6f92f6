#include "tests/bench/measure.hpp"

#include <algorithm>
#include <fstream>
#include <limits>

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

namespace caf_ray::bench {

double median(std::vector<double> samples) {
  if (samples.empty())
    return std::numeric_limits<double>::quiet_NaN();
  std::ranges::sort(samples);
  auto middle = samples.size() / 2;
  return samples.size() % 2 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

double spread(const std::vector<double>& samples) {
  if (samples.size() < 2)
    return 0;
  auto [least, most] = std::ranges::minmax(samples);
  auto middle = median(samples);
  return middle != 0 ? (most - least) / middle : 0;
}

double resident_bytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double folder_bytes(const std::filesystem::path& folder) {
  double sum = 0;
  for (auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    struct stat info {};
    if (entry.is_regular_file() && stat(entry.path().c_str(), &info) == 0)
      sum += 512.0 * static_cast<double>(info.st_blocks);
  }
  return sum;
}

} // namespace caf_ray::bench
