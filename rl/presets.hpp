// Settings that are known to work, from rl/presets.toml, which is compiled in: an installed program
// has them without looking for a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rl {

/// What one algorithm needs in one environment.
struct Preset {
  std::string algorithm;
  std::string env;
  std::int64_t steps = 0; ///< environment steps that it trains for, when nobody says otherwise
  double reach = 0;       ///< mean return that it is to reach within them
  std::string fields;     ///< lines "name=value" for read_fields, of the algorithm's config
};

/// Reads presets in the form of rl/presets.toml. Throws Error{bad_value} that names the line and
/// what belongs there, also when a section comes twice or lacks steps or reach.
std::vector<Preset> read_presets(std::string_view text);

/// Those compiled in, in the order of the file.
const std::vector<Preset>& presets();

/// Lines "name=value" for read_fields; empty where no preset is known.
std::string preset(std::string_view algorithm, std::string_view env);

/// The steps of the preset; 0 without preset.
std::int64_t preset_steps(std::string_view algorithm, std::string_view env);

} // namespace rl
