// Wrappers that watch: totals of episodes, and episodes as animated GIFs.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "rl/env/gif.hpp"
#include "rl/env/wrapper.hpp"

namespace rl {

/// Totals of the latest episodes that ended. One that is reset half-way does not count.
class RecordStatistics final : public Wrapper {
public:
  struct Episode {
    double total = 0; ///< undiscounted sum of rewards
    std::int64_t length = 0;
    bool operator==(const Episode&) const = default;
  };

  /// Keeps at most `kept` (> 0) episodes. Throws Error{bad_value}.
  explicit RecordStatistics(std::unique_ptr<Env> env, int kept = 100);

  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;

  std::int64_t episode_count() const { return count_; }
  const std::deque<Episode>& episodes() const { return episodes_; } ///< oldest first
  /// Means over the kept episodes; nothing before one has ended.
  std::optional<double> mean_return() const;
  std::optional<double> mean_length() const;

private:
  std::size_t kept_;
  std::int64_t count_ = 0;
  Episode current_;
  std::deque<Episode> episodes_;
};

struct RecordOptions {
  /// Where the files go; made when it is not there.
  std::filesystem::path folder;
  /// The files are called <name>-<episode, six digits>.gif, with '_' for '/' in the name; the first
  /// episode is 0.
  std::string name = "episode";
  /// Records episodes 0, every, 2 every, ... (> 0).
  int every = 1;
  /// Takes every n-th step (> 0), and the last.
  int step_skip = 1;
  /// Hundredths of a second a picture stays.
  int delay = 4;
  /// Pictures of one file at most (> 0); what follows in the episode is left out.
  int max_pictures = 2000;
};

/// Writes episodes as GIFs, each when it ends or when the next one begins. Nothing is written of
/// an episode that is still running when the object dies. Throws Error{bad_value} for options out
/// of range, Error{bad_environment} at reset when the environment has no picture, and
/// Error{cannot_write}.
class RecordEpisodes final : public Wrapper {
public:
  RecordEpisodes(std::unique_ptr<Env> env, RecordOptions options);

  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;

  /// The file of an episode.
  std::filesystem::path file(std::int64_t episode) const;

private:
  void take_picture();
  void write();

  RecordOptions options_;
  std::int64_t episode_ = -1;
  int steps_ = 0;
  std::optional<Gif> gif_; // none while nothing is recorded
  Picture picture_;
};

} // namespace rl
