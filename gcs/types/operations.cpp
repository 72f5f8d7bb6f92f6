#include "gcs/types/operations.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace caf_ray::gcs {

const char* to_string(table_kind table) noexcept {
  static constexpr const char* names[table_count] = {"objects", "tasks", "functions", "actors",
                                                     "names",   "nodes", "jobs",      "groups",
                                                     "events",  "kv",    "meta"};
  auto at = static_cast<std::size_t>(table);
  return at < table_count ? names[at] : "unknown";
}

result<void> check(const write_op& op) {
  auto bad = [&](const std::string& why) {
    return fail(errc::invalid_argument, std::string("table ") + to_string(op.table) + ": " + why);
  };
  if (static_cast<std::size_t>(op.table) >= table_count)
    return bad("no such table");
  if (op.value.size() > max_value_bytes)
    return bad("a value has at most " + std::to_string(max_value_bytes) + " bytes, not "
               + std::to_string(op.value.size()));
  bool event_put = op.table == table_kind::events && op.kind != write_kind::erase;
  if (event_put ? !op.key.empty() : op.key.empty() || op.key.size() > max_key_bytes)
    return bad(event_put ? "events get their key from the shard"
                         : "a key has 1 to " + std::to_string(max_key_bytes) + " bytes, not "
                             + std::to_string(op.key.size()));
  if (op.table == table_kind::tasks && !from_binary<task_id>(op.key).value_or(task_id{}))
    return bad("a key is a task id in binary");
  return {};
}

result<void> write_list::check() const {
  std::size_t at = 0;
  std::uint32_t erases = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    header h;
    if (bytes_.size() - at < sizeof(h))
      return fail(errc::corrupt, "write list ends inside a header");
    std::memcpy(&h, bytes_.data() + at, sizeof(h));
    at += sizeof(h);
    if (bytes_.size() - at < std::size_t{h.key_size} + h.value_size)
      return fail(errc::corrupt, "write list ends inside an entry");
    write_op op{h.table, h.kind, {bytes_.data() + at, h.key_size}, {}, h.job};
    if (h.kind > write_kind::erase || h.value_size > max_value_bytes || !gcs::check(op))
      return fail(errc::corrupt, "write list has an entry that no client makes");
    at += std::size_t{h.key_size} + h.value_size;
    erases += h.kind == write_kind::erase;
  }
  if (at != bytes_.size() || erases != erases_)
    return fail(errc::corrupt, "write list is not as long as it says");
  return {};
}

std::uint32_t shard_of(table_kind table, std::string_view key, std::uint32_t shard_count) noexcept {
  auto part = routing_key(table, key);
  return static_cast<std::uint32_t>(XXH3_64bits(part.data(), part.size()) % shard_count);
}

} // namespace caf_ray::gcs
