// The line that shows how training goes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace rl {

/// What the line shows.
struct Progress {
  std::int64_t steps = 0;
  double steps_per_second = 0;
  double mean_return = 0; ///< NaN before the first episode has ended
  std::int64_t episodes = 0;
  double seconds = 0;
};

/// "    24,576 steps   312k steps/s   return 187.4   214 episodes   0:01".
std::string progress_text(const Progress& progress);

/// Shows the line on `out`, which outlives it: in place on a terminal, at most ten times a second;
/// elsewhere as a line of its own, at most every five seconds. Times are seconds since the run
/// began, given by the caller.
class ProgressLine {
public:
  explicit ProgressLine(bool terminal, std::FILE* out = stderr);
  /// Ends the line if it is still open, so that whoever prints next begins at the left.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;

  void show(const Progress& progress);
  /// Shows the last state whenever the line was last drawn, and ends it.
  void finish(const Progress& progress);

private:
  void draw(const Progress& progress, bool last);

  bool terminal_;
  std::FILE* out_;
  bool open_ = false; // something stands in the line and it has not ended
  double next_ = 0;   // seconds
};

} // namespace rl
