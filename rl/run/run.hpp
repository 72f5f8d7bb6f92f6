// A run: what a training loop needs around it. When to stop, what to show, what to write, where to
// continue.
//
//   rl::Run run(options, "ppo", config.fields());
//   run.restore([&](const rl::Checkpoint& c) { ... });
//   while (run.more()) {
//     ...                                   // sample and learn
//     run.add(batch);
//     run.log("loss/policy", loss);
//     run.end_update([&](rl::Checkpoint& c) { ... });
//   }
//
// In the log folder: log.csv, evaluation.csv, events.out.tfevents.* (TensorBoard), curve.svg,
// checkpoint.bin, config.txt. Nothing here influences training except when it stops.
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
#include "rl/evaluate.hpp"
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
  std::int64_t evaluation_steps = 0;
  bool quiet = false;

  std::vector<Field> fields();
};

/// The fields that a checkpoint keeps and a resumed run goes on with: all but the folders.
std::vector<Field> lasting_fields(RunOptions& options);

class Run {
public:
  /// Reads the checkpoint when resuming, and makes sure that the log folder can be written. Changes
  /// no file: those are opened when the first update ends, so that a run which is refused, here or
  /// in restore(), leaves everything as it was. Continued in its own folder, the files go on; in
  /// another, the table begins with the rows up to the checkpoint. `config` is written beside the
  /// log and into checkpoints, and must outlive the run. Errors: bad_value (options out of range),
  /// unknown_name (environment), cannot_write (also when the folder holds another run),
  /// cannot_read, bad_checkpoint (also when it is of another algorithm, environment or seed).
  Run(RunOptions options, std::string algorithm, std::vector<Field> config);

  /// A run that an exception ends leaves the checkpoint of its last complete update.
  ~Run();
  Run(const Run&) = delete;

  /// The checkpoint in a log folder.
  static std::filesystem::path checkpoint_file(const std::filesystem::path& folder);

  const RunOptions& options() const { return options_; }
  std::uint64_t seed() const { return static_cast<std::uint64_t>(options_.seed); }

  /// Calls `load` with the checkpoint to continue from; does nothing in a fresh run. An
  /// Error{bad_checkpoint} that `load` throws comes out naming the file and what to do.
  void restore(const std::function<void(const Checkpoint&)>& load) const;

  /// What is left of stop_steps, from 1 at the start to 0; always 1 without that limit.
  double left() const;

  /// Whether to go on: no limit is reached, stop() was not called, nobody asked to interrupt.
  bool more() const;
  /// Ends the run: what it was for is reached.
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

  /// Ends every run of the process after its update; safe in a signal handler.
  static void interrupt() { interrupted_ = true; }
  static bool interrupted() { return interrupted_; }
  static void clear_interrupt() { interrupted_ = false; }

  /// Counts steps and episodes.
  void add(const Batch& batch);
  void add_steps(std::int64_t steps) { steps_ += steps; }
  void add_episode(double total);

  /// Logs an evaluation, in evaluation.csv and as eval/mean_return.
  void add(const Evaluation& evaluation);

  std::int64_t steps() const { return steps_; }
  std::int64_t updates() const { return updates_; }
  double seconds() const;

  /// Mean of the latest episodes, at most `return_window` of them; NaN before one has ended.
  double mean_return() const;
  /// Whether the mean of `return_window` episodes has reached stop_return.
  bool return_reached() const;

  /// Whether to evaluate the policy now: stop_return may be reached, or another evaluation_steps
  /// are over. Ask once an update, after end_update.
  bool evaluation_due();

  /// A scalar of this update. Same names in the same order every time.
  void log(std::string name, double value) { scalars_.emplace_back(std::move(name), value); }

  /// Ends an update: writes the log, draws the line, and calls `save` to fill a checkpoint when one
  /// is due.
  using Save = std::function<void(Checkpoint&)>;
  void end_update(const Save& save);

  /// Ends the run: last line, last checkpoint, curve. Throws Error{cannot_write}.
  void finish(const Save& save);

private:
  void read_counters();
  std::unique_ptr<CsvWriter> open_table(const char* name) const;
  void open_files();
  Progress progress() const;
  Checkpoint make_checkpoint(const Save& save);
  void write_checkpoint();
  void write_curve() const;

  RunOptions options_;
  std::string algorithm_;
  std::vector<Field> config_;
  std::optional<Checkpoint> resumed_; // none in a fresh run
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double seconds_before_ = 0; // of the runs that this one continues
  std::int64_t steps_before_ = 0;
  std::int64_t steps_ = 0;
  std::int64_t updates_ = 0;
  std::int64_t episodes_ = 0;
  std::deque<double> returns_; // latest, at most return_window
  LogRow scalars_;
  std::optional<Checkpoint> unwritten_; // of the last complete update, until it is in the file
  double next_checkpoint_ = 0;
  std::int64_t evaluations_ = 0; // how many times evaluation_steps fit into the steps so far
  bool stopped_ = false;
  std::unique_ptr<CsvWriter> csv_, evaluation_csv_;
  std::unique_ptr<TensorBoardWriter> tensorboard_;
  std::unique_ptr<ProgressLine> line_;
  static inline std::atomic<bool> interrupted_{false};
};

} // namespace rl
