// Objects: putting and getting them, small and large.
//
//   put_small, get_small  1 KiB; against malloc and memcpy of as much
//   put_large             64 MiB and 256 MiB, one thread; against a copy by one thread, with
//                         streaming stores (the limit) and with memcpy
//   put_large_threads     64 MiB in each of as many threads as cores; against as many copying
//   create_in_place       fill 64 MiB of the store and seal it; against the same fill of own memory
//   get_large             as ray::Array from 1 KiB to 1 GiB; against memcpy of as much, the least
//                         that a reader pays who has objects deserialised

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <thread>

#include "tests/bench/copy_peer.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/session.hpp"

namespace caf_ray::bench {

namespace {

constexpr std::size_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
constexpr double giga = 1e9;

std::string size_name(std::size_t bytes) {
  return bytes >= gib   ? std::to_string(bytes / gib) + "GiB"
         : bytes >= mib ? std::to_string(bytes / mib) + "MiB"
                        : std::to_string(bytes / kib) + "KiB";
}

double copies_of_1kib(std::size_t count) {
  const std::string source(kib, 'x');
  std::vector<void*> copies(count);
  stopwatch watch;
  for (auto& copy : copies) {
    copy = std::malloc(kib);
    std::memcpy(copy, source.data(), kib);
    keep(copy);
  }
  auto rate = static_cast<double>(count) / watch.seconds();
  for (auto copy : copies)
    std::free(copy);
  return rate;
}

/// Bytes that a sample moves: enough that what the caches held before it makes no difference.
constexpr std::size_t sample_bytes = gib;

/// Bytes per second of something that moves `size` bytes, repeated.
double repeated_rate(std::size_t size, const std::function<void()>& move) {
  stopwatch watch;
  std::size_t moved = 0;
  for (; moved < sample_bytes; moved += size)
    move();
  return static_cast<double>(moved) / watch.seconds() / giga;
}

/// What a put of the same bytes by the same number of threads is compared with.
std::vector<peer> copies(const void* source, const warm_memory& target, std::size_t threads) {
  auto rate = [source, &target, threads](copy_function copy) {
    return [source, &target, threads, copy] {
      return repeated_rate(target.size(), [&] { copy_rate(copy, source, target, threads); });
    };
  };
  const auto with = ", threads: " + std::to_string(threads);
  return {{"streaming stores" + with, rate(copy_past_caches)},
          {"memcpy" + with, rate(copy_plainly), "_vs_memcpy", {.ratio_at_least = 0.9}}};
}

void small(report& out) {
  session running;
  const auto count = out.size(100'000, 10'000);
  const std::string value(kib, 'x');
  std::vector<ray::ObjectRef<std::string>> refs;
  const peer copy{"malloc and memcpy of 1 KiB", [&] { return copies_of_1kib(count); }};
  out.compare({"put_small", "puts/s", {.at_least = 300'000}},
              [&] {
                refs.clear();
                refs.reserve(count);
                stopwatch watch;
                for (std::size_t i = 0; i < count; ++i)
                  refs.push_back(ray::Put(value));
                return static_cast<double>(count) / watch.seconds();
              },
              {copy});
  out.compare({"get_small", "gets/s", {.at_least = 1'000'000}},
              [&] {
                stopwatch watch;
                for (auto& ref : refs)
                  keep(ref.Get());
                return static_cast<double>(count) / watch.seconds();
              },
              {copy});
}

void put_large(report& out) {
  session running({.store_bytes = out.size(1 * gib, 256 * mib)});
  for (auto size : {64 * mib, 256 * mib}) {
    if (out.quick() && size > 64 * mib)
      break;
    const std::vector<float> value(size / sizeof(float), 1.f);
    const warm_memory target(size);
    out.compare(
      {"put_large_" + size_name(size), "GB/s", {.ratio_at_least = 0.9}},
      [&] { return repeated_rate(size, [&] { keep(ray::Put(value)); }); },
      copies(value.data(), target, 1));
  }
}

void put_large_threads(report& out) {
  const auto threads = std::max<std::size_t>(2, std::thread::hardware_concurrency());
  const auto size = 64 * mib;
  session running({.store_bytes = (threads + 2) * size});
  const std::vector<std::vector<float>> values(threads,
                                               std::vector<float>(size / sizeof(float), 1.f));
  const warm_memory source(threads * size), target(threads * size);
  out.compare(
    {"put_large_threads", "GB/s", {.ratio_at_least = 0.9}},
    [&] {
      return repeated_rate(threads * size, [&] {
        in_threads(threads, [&](std::size_t i) { keep(ray::Put(values[i])); });
      });
    },
    copies(source.data(), target, threads));
}

void create_in_place(report& out) {
  const auto size = 64 * mib;
  session running({.store_bytes = 4 * size});
  const warm_memory own(size);
  auto fill = [&](float* begin) { std::iota(begin, begin + size / sizeof(float), 0.f); };
  out.compare({"create_in_place", "GB/s", {.ratio_at_least = 0.9}},
              [&] {
                stopwatch watch;
                auto writer = ray::CreateArray<float>(size / sizeof(float));
                fill(writer.data());
                auto ref = writer.Seal();
                return static_cast<double>(size) / watch.seconds() / giga;
              },
              {{"the same fill of memory of its own", [&] {
                  stopwatch watch;
                  fill(reinterpret_cast<float*>(own.data()));
                  keep(own.data());
                  return static_cast<double>(size) / watch.seconds() / giga;
                }}});
}

void get_large(report& out) {
  const auto largest = out.size(gib, 64 * mib);
  session running({.store_bytes = largest + largest / 2});
  for (auto size : {kib, mib, 64 * mib, gib}) {
    if (size > largest)
      break;
    auto writer = ray::CreateArray<float>(size / sizeof(float));
    std::fill(writer.begin(), writer.end(), 1.f);
    auto ref = writer.Seal();
    const warm_memory source(size), target(size);
    constexpr int gets = 1000;
    out.compare({"get_large_" + size_name(size), "us", {.at_most = 10}},
                [&] {
                  stopwatch watch;
                  for (int i = 0; i < gets; ++i)
                    keep(ref.Get()->data()[size / sizeof(float) - 1]);
                  return watch.microseconds() / gets;
                },
                {{"memcpy of it", [&] {
                    return 1e6 * static_cast<double>(size)
                           / copy_rate(copy_plainly, source.data(), target, 1);
                  }}});
  }
}

constexpr bench_case cases[] = {{"small", small},
                                {"put_large", put_large},
                                {"put_large_threads", put_large_threads},
                                {"create_in_place", create_in_place},
                                {"get_large", get_large}};

} // namespace

std::span<const bench_case> object_cases() {
  return cases;
}

} // namespace caf_ray::bench
