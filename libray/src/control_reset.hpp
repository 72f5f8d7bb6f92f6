#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gcs/client.hpp"

/// A control store that was kept from an earlier run, seen by the only process that uses it.
namespace caf_ray {

/// All that earlier runs had is gone with their processes: erases their nodes, objects, actors,
/// placement groups, names and lineage, and says of their jobs that they have ended. Events, the
/// users' own keys and the jobs themselves stay. Returns the highest job number so far. Blocks, for
/// as long as erasing takes. Errors: those of client.
result<job_id> reset_control(gcs::client& control);

/// Key of a job in its table, and back; nothing for what is no such key.
std::string job_key(job_id job);
std::optional<job_id> parse_job_key(std::string_view key);

} // namespace caf_ray
