// Take the first K of N results, and call off the rest: ray::Wait and ray::Cancel.
//
//   build/bin/example_first_k_of_n
//
// Twelve tasks search for a number whose hash begins with 22 zero bits, each in a region of its
// own. How long one takes is luck, so waiting for all means waiting for the unluckiest. Three
// answers are enough. Prints, with other winners from run to run:
//
//   searcher 1 tried 310511 numbers
//   searcher 0 tried 1620277 numbers
//   searcher 2 tried 2206093 numbers
//   3 of 12 are enough: 7 were called off, 2 had begun and ran to their end

#include <bit>
#include <cstdint>
#include <iostream>
#include <vector>

#include <ray/api.h>

struct Found {
  int searcher = 0;
  std::uint64_t tried = 0;
  MSGPACK_DEFINE(searcher, tried) // makes it a value that tasks can take and return
};

// A mixing function whose output bits look random.
std::uint64_t Hash(std::uint64_t x) {
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
  return x ^ (x >> 32);
}

Found Search(int searcher) {
  const auto region = static_cast<std::uint64_t>(searcher + 1) << 48;
  std::uint64_t tried = 1;
  while (std::countl_zero(Hash(region + tried)) < 22)
    ++tried;
  return {searcher, tried};
}
RAY_REMOTE(Search);

int main() {
  const int n = 12, k = 3;
  ray::Init();

  std::vector<ray::ObjectRef<Found>> running;
  for (int i = 0; i < n; ++i)
    running.push_back(ray::Task(Search).Remote(i));

  // One at a time, as they come; Wait(running, k, -1) would give the first k at once.
  for (int i = 0; i < k; ++i) {
    auto result = ray::Wait(running, 1, -1);
    auto found = *result.ready.front().Get();
    std::cout << "searcher " << found.searcher << " tried " << found.tried << " numbers\n";
    running.assign(result.unready.begin(), result.unready.end());
  }

  // A task that has not begun never will; one that runs goes on to its end.
  for (auto& ref : running)
    ray::Cancel(ref);
  int called_off = 0, begun = 0;
  for (auto& ref : running) {
    try {
      ref.Get();
      ++begun;
    } catch (const ray::internal::RayTaskCancelledException&) {
      ++called_off;
    }
  }
  std::cout << k << " of " << n << " are enough: " << called_off << " were called off, " << begun
            << " had begun and ran to their end\n";
  ray::Shutdown();
}
