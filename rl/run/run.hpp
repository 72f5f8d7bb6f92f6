// A run: what a training loop needs around it. When to stop, what to show, what to write, where to
// continue.
//
//   rl::Run run(options, "ppo", config.fields());
//   while (run.more()) {
//     ...                                   // sample and learn
//     run.add(batch);
//     run.log("loss/policy", loss);
//     run.end_update([&](rl::Checkpoint& c) { ... });
//   }
//
// In the log folder: log.csv, events.out.tfevents.* (TensorBoard), curve.svg, checkpoint.bin,
// config.txt. Nothing here influences training except when it stops.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rl/batch.hpp"
#include "rl/config.hpp"
#include "rl/run/checkpoint.hpp"
#include "rl/run/csv.hpp"
#include "rl/run/progress.hpp"
#include "rl/run/tensorboard.hpp"

namespace rl {

/// The options that every algorithm has.
struct RunOptions {
  std::string env = "CartPole-v1";
  std::int64_t seed = 1;
  std::int64_t workers = 0;
  double stop_return = std::numeric_limits<double>::infinity();
  std::int64_t stop_steps = 0;
  double stop_seconds = 0;
  std::string logdir;
  std::string resume;
  double checkpoint_seconds = 30;
  std::int64_t return_window = 20;
  std::int64_t evaluation_episodes = 100;
  bool quiet = false;

  std::vector<Field> fields();
};

class Run {
public:
  /// Opens the log folder, and the checkpoint when resuming (from its folder; it is then also the
  /// log folder unless another is given). `config` is written beside the log and into checkpoints,
  /// and must outlive the run. Errors: bad_value (options out of range), unknown_name
  /// (environment), cannot_write, cannot_read, bad_checkpoint (also when it is of another
  /// algorithm, environment or seed).
  Run(RunOptions options, std::string algorithm, std::vector<Field> config);

  /// The checkpoint in a log folder.
  static std::filesystem::path checkpoint_file(const std::filesystem::path& folder);

  const RunOptions& options() const { return options_; }
  std::uint64_t seed() const { return static_cast<std::uint64_t>(options_.seed); }

  /// The checkpoint to continue from; none in a fresh run.
  const std::optional<Checkpoint>& resumed() const { return resumed_; }

  /// Whether to go on: no limit is reached, stop() was not called, nobody asked to interrupt.
  bool more() const;
  void stop() { stopped_ = true; }

  /// Ends every run of the process after its update; safe in a signal handler.
  static void interrupt() { interrupted_ = true; }
  static bool interrupted() { return interrupted_; }
  static void clear_interrupt() { interrupted_ = false; }

  /// Counts steps and episodes.
  void add(const Batch& batch);
  void add_steps(std::int64_t steps) { steps_ += steps; }
  void add_episode(double total);

  std::int64_t steps() const { return steps_; }
  std::int64_t updates() const { return updates_; }
  double seconds() const;

  /// Mean of the latest `return_window` episodes; NaN while there are fewer than that.
  double mean_return() const;
  /// Whether mean_return has reached stop_return.
  bool return_reached() const { return mean_return() >= options_.stop_return; }

  /// A scalar of this update. Same names in the same order every time.
  void log(std::string name, double value) { scalars_.emplace_back(std::move(name), value); }

  /// Ends an update: writes the log, draws the line, and calls `save` to fill a checkpoint when one
  /// is due.
  using Save = std::function<void(Checkpoint&)>;
  void end_update(const Save& save);

  /// Ends the run: last line, last checkpoint, curve. Throws Error{cannot_write}.
  void finish(const Save& save);

private:
  Progress progress() const;
  void write_checkpoint(const Save& save);
  void write_curve() const;

  RunOptions options_;
  std::string algorithm_;
  std::vector<Field> config_;
  std::optional<Checkpoint> resumed_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double seconds_before_ = 0; // of the runs that this one continues
  std::int64_t steps_before_ = 0;
  std::int64_t steps_ = 0;
  std::int64_t updates_ = 0;
  std::int64_t episodes_ = 0;
  std::deque<double> returns_; // latest, at most return_window
  LogRow scalars_;
  double next_checkpoint_ = 0;
  bool stopped_ = false;
  std::unique_ptr<CsvWriter> csv_;
  std::unique_ptr<TensorBoardWriter> tensorboard_;
  std::unique_ptr<ProgressLine> line_;
  static inline std::atomic<bool> interrupted_{false};
};

} // namespace rl
