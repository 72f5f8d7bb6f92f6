// Settings that are known to work: what each algorithm needs for an environment that differs from
// its defaults.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rl {

/// Lines "name=value" for read_fields, of the algorithm's config; empty where no preset is known.
std::string preset(std::string_view algorithm, std::string_view env);

/// The environment steps that the preset trains for, when nobody says otherwise; 0 without preset.
std::int64_t preset_steps(std::string_view algorithm, std::string_view env);

} // namespace rl
