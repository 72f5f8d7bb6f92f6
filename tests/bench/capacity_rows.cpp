// A store of 1 GiB and more than fits into it.
//
//   stream_through  100 GiB put in all, 64 MiB at a time with references dropped; against copying
//                   as many bytes with streaming stores (the limit)
//   spill_put       4 GiB put and all references held, so that three quarters go to disk; against
//                   writing as much to one file past the page cache
//   spill_get       every one of these objects read back and compared, the oldest first, so that
//   the
//                   quarter in memory must be written before the rest fits; against reading that
//                   file

#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "tests/bench/copy_peer.hpp"
#include "tests/bench/disk_peer.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/session.hpp"

namespace caf_ray::bench {

namespace {

constexpr std::size_t mib = std::size_t{1} << 20, gib = 1024 * mib;
constexpr double giga = 1e9;

/// Rounds of a full run, and the one that does not count.
constexpr std::size_t rounds = 5;

using numbers = std::vector<std::uint64_t>;

/// An object's contents: its own number at every place, plus the place.
void fill(numbers& value, std::uint64_t object) {
  for (std::size_t i = 0; i < value.size(); ++i)
    value[i] = (object << 32) + i;
}

void stream_through(report& out) {
  const auto size = 64 * mib;
  const auto per_round = out.size(100 * gib / rounds, 2 * gib);
  session running({.store_bytes = gib});
  const numbers value(size / sizeof(std::uint64_t), 1);
  const warm_memory source(size), target(size);
  out.compare(
    {"stream_through", "GB/s", {.ratio_at_least = 0.8}},
    [&] {
      stopwatch watch;
      for (std::size_t put = 0; put < per_round; put += size)
        keep(ray::Put(value));
      return static_cast<double>(per_round) / watch.seconds() / giga;
    },
    {{"streaming stores, threads: 1",
      [&] {
        stopwatch watch;
        for (std::size_t copied = 0; copied < per_round; copied += size)
          copy_past_caches(target.data(), source.data(), size);
        return static_cast<double>(per_round) / watch.seconds() / giga;
      }}},
    out.quick() ? 0 : rounds);
}

void spill(report& out) {
  const auto size = 16 * mib;
  const auto all = out.size(4 * gib, 512 * mib);
  session running({.store_bytes = all / 4});
  disk_file disk(all);
  numbers value(size / sizeof(std::uint64_t));
  std::vector<double> put_rates, get_rates, write_rates, read_rates;
  for (std::size_t round = 0; round < (out.quick() ? 1 : 3); ++round) {
    std::vector<ray::ObjectRef<numbers>> refs;
    double put_seconds = 0, get_seconds = 0;
    for (std::uint64_t i = 0; i < all / size; ++i) {
      fill(value, i);
      stopwatch watch;
      refs.push_back(ray::Put(value));
      put_seconds += watch.seconds();
    }
    for (std::uint64_t i = 0; i < refs.size(); ++i) {
      fill(value, i);
      stopwatch watch;
      auto array = ray::ObjectRef<ray::Array<std::uint64_t>>(refs[i].ID()).Get();
      bool same =
        array->size() == value.size() && std::memcmp(array->data(), value.data(), size) == 0;
      get_seconds += watch.seconds();
      if (!same)
        throw std::runtime_error("spill: object " + std::to_string(i) + " is not what was put");
    }
    put_rates.push_back(static_cast<double>(all) / put_seconds / giga);
    get_rates.push_back(static_cast<double>(all) / get_seconds / giga);
    refs.clear();
    write_rates.push_back(disk.write() / giga);
    read_rates.push_back(disk.read() / giga);
  }
  out.add({"spill_put", "GB/s", {}}, put_rates, "a file written past the page cache", write_rates);
  out.add({"spill_get", "GB/s", {}}, get_rates, "a file read past the page cache", read_rates);
}

constexpr bench_case cases[] = {{"stream_through", stream_through}, {"spill", spill}};

} // namespace

std::span<const bench_case> capacity_cases() {
  return cases;
}

} // namespace caf_ray::bench
