#include "libray/src/control_reset.hpp"

#include <algorithm>

#include "gcs/types/codec.hpp"
#include "gcs/types/records.hpp"

namespace caf_ray {

namespace {

/// Entries read and erased at a time: lineage may be long.
constexpr std::size_t page = 10'000;

result<void> erase_all(gcs::client& control, gcs::table_kind table) {
  for (;;) {
    auto entries = control.scan(table, {}, page);
    if (!entries)
      return tl::unexpected(entries.error());
    for (auto& entry : *entries)
      if (auto erased = control.erase(table, entry.key); !erased)
        return erased;
    if (entries->size() < page)
      return {};
  }
}

} // namespace

std::string job_key(job_id job) {
  std::string key(4, '\0');
  for (int i = 0; i < 4; ++i)
    key[i] = static_cast<char>(job >> (24 - 8 * i));
  return key;
}

std::optional<job_id> parse_job_key(std::string_view key) {
  if (key.size() != 4)
    return std::nullopt;
  job_id job = 0;
  for (char c : key)
    job = job << 8 | static_cast<std::uint8_t>(c);
  return job;
}

result<job_id> reset_control(gcs::client& control) {
  using enum gcs::table_kind;
  for (auto table : {nodes, objects, actors, names, groups, tasks})
    if (auto erased = erase_all(control, table); !erased)
      return tl::unexpected(erased.error());
  auto known = control.scan(jobs);
  if (!known)
    return tl::unexpected(known.error());
  job_id highest = 0;
  for (auto& [key, value] : *known) {
    auto job = parse_job_key(key);
    if (!job)
      continue;
    highest = std::max(highest, *job);
    auto record = decode<job_record>(value);
    if (!record || !record->alive)
      continue;
    record->alive = false;
    record->ended_ms = unix_time_ms();
    if (auto written = control.put(jobs, key, encode(*record)); !written)
      return tl::unexpected(written.error());
  }
  if (auto done = control.flush(); !done)
    return tl::unexpected(done.error());
  return highest;
}

} // namespace caf_ray
