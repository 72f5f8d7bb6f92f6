#pragma once

#include <utility>
#include <vector>

#include "libray/src/cluster/directory.hpp"
#include "tests/libray/cluster/support.hpp"

/// What the tests of the directory share.
namespace caf_ray::cluster::test {

inline constexpr client_id driver = 1;
inline constexpr client_id worker = 2;

inline directory::value inlined(std::string bytes, std::vector<object_id> contained = {}) {
  directory::value v;
  v.kind = value_kind::inlined;
  v.size_bytes = bytes.size();
  v.bytes = std::move(bytes);
  v.contained = std::move(contained);
  return v;
}

inline directory::value stored(std::uint64_t size_bytes, std::vector<object_id> contained = {}) {
  directory::value v;
  v.kind = value_kind::stored;
  v.size_bytes = size_bytes;
  v.contained = std::move(contained);
  return v;
}

inline directory::value failed(errc code) {
  directory::value v;
  v.failure = {code, "a cause"};
  return v;
}

using ids = std::vector<object_id>;
using tells = std::vector<std::pair<client_id, object_id>>;

struct fixture {
  directory objects;
  directory::actions actions;
  const object_id a = object(1);
  const object_id b = object(2);
  const object_id c = object(3);

  /// What the last calls have asked for.
  tells to_tell() { return std::exchange(actions.tell, {}); }
  ids to_erase() { return std::exchange(actions.erase, {}); }
  ids to_notice() { return std::exchange(actions.watched, {}); }
};

} // namespace caf_ray::cluster::test
