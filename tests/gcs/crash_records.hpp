#pragma once

#include <cstdint>
#include <string>

#include "gcs/types/ids.hpp"
#include "gcs/types/operations.hpp"

/// What the writing process of crash_test writes and the other one looks for.
namespace caf_ray::gcs::test {

inline constexpr std::uint32_t crash_shards = 2;

struct crash_entry {
  table_kind table;
  std::string key;
  std::string value;
};

/// The record of this number: in the lineage table or elsewhere, of some length.
inline crash_entry crash_record(std::uint64_t n) {
  auto id = to_binary(derive_task({1, 1}, n));
  return {n % 3 == 0 ? table_kind::tasks : table_kind::kv, id,
          std::to_string(n) + std::string(n % 700, 'v')};
}

} // namespace caf_ray::gcs::test
