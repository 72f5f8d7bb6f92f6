// The word bench of caf-ray-train: trains presets with several seeds and says what they reach.
//
//   caf-ray-train bench                                 all presets, 5 seeds, a table on the
//   terminal caf-ray-train bench --algorithm ppo --into rl/README.md     those rows of the table
//   there anew
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rl/train/algorithms.hpp"

namespace rl {

/// One training of a preset, as its log folder tells it.
struct BenchRun {
  double mean = 0;              ///< return of the evaluation at the end
  double steps = 0;             ///< of the environment, until it stopped
  double seconds = 0;           ///< of wall-clock time, until it stopped
  double processor_seconds = 0; ///< of this process, with evaluations
};

/// A row of the table: preset, what it is to reach, in how many of the seeds it did; then smallest
/// and largest return, steps, time and processor time of all seeds.
std::string bench_row(std::string_view algorithm, std::string_view env, double reach,
                      const std::vector<BenchRun>& runs);

/// `text` with `rows` in the table between the lines bench_begin and bench_end: in place of the row
/// of the same preset, or behind the last. Throws Error{bad_value} when there are no such lines.
std::string with_rows(std::string_view text, const std::vector<std::string>& rows);

inline constexpr std::string_view bench_begin = "<!-- caf-ray-train bench writes from here -->";
inline constexpr std::string_view bench_end = "<!-- to here -->";

/// Returns 0 when every training reached what its preset promises, else 1. Errors: those of the
/// parts.
int bench_command(Words words, std::ostream& out, std::ostream& err);

} // namespace rl
