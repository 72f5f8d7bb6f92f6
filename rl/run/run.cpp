#include "rl/run/run.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>
#include <span>
#include <unistd.h>

#include "rl/bytes.hpp"
#include "rl/env/registry.hpp"
#include "rl/run/curve.hpp"
#include "rl/run/file.hpp"

namespace rl {

namespace {

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Whether both name one folder that is there.
bool same_folder(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

} // namespace

std::vector<Field> RunOptions::fields() {
  return {
    {"env", &env, "name of the environment"},
    {"seed", &seed, "everything random follows from it", 0},
    {"workers", &workers, "actors that collect; 0: this thread does", 0, 4096},
    {"stop_return", &stop_return,
     "stop when the mean return reaches it and an evaluation agrees; inf: never"},
    {"stop_steps", &stop_steps, "stop after so many environment steps; 0: never", 0},
    {"stop_seconds", &stop_seconds, "stop after so much time; 0: never", 0},
    {"logdir", &logdir, "folder for log, curve and checkpoint; empty: write nothing"},
    {"resume", &resume, "log folder of the run to continue, with its settings"},
    {"checkpoint_seconds", &checkpoint_seconds, "time between two checkpoints", 0},
    {"return_window", &return_window, "episodes in the mean return", 1, 1e6},
    {"evaluation_episodes", &evaluation_episodes, "episodes of an evaluation", 1, 1e6},
    {"evaluation_steps", &evaluation_steps,
     "evaluate each time so many steps are over, and stop if that reaches stop_return; 0: at the "
     "end, and when the mean return has reached it",
     0},
    {"quiet", &quiet, "show no progress line"},
  };
}

std::vector<Field> lasting_fields(RunOptions& options) {
  auto fields = options.fields();
  std::erase_if(fields, [](auto& each) { return each.name == "logdir" || each.name == "resume"; });
  return fields;
}

std::filesystem::path Run::checkpoint_file(const std::filesystem::path& folder) {
  return folder / "checkpoint.bin";
}

Run::Run(RunOptions options, std::string algorithm, std::vector<Field> config)
  : options_(std::move(options)), algorithm_(std::move(algorithm)), config_(std::move(config)) {
  check_fields(options_.fields());
  check_fields(config_);
  find_env(options_.env);
  if (!options_.resume.empty()) {
    resumed_ = Checkpoint::read(checkpoint_file(options_.resume));
    resumed_->expect("algorithm", algorithm_);
    resumed_->expect("env", options_.env);
    resumed_->expect("seed", std::to_string(options_.seed));
    restore([&](const Checkpoint&) { read_counters(); });
  }
  if (!options_.logdir.empty()) {
    if (!(resumed_ && same_folder(options_.logdir, options_.resume))
        && file_exists(checkpoint_file(options_.logdir)))
      throw Error(ErrorCode::cannot_write, options_.logdir
                                             + " holds a run already: continue it with --resume "
                                             + options_.logdir + ", or give another --logdir");
    make_folder(options_.logdir);
  }
  next_checkpoint_ = seconds() + options_.checkpoint_seconds;
  if (!options_.quiet)
    line_ = std::make_unique<ProgressLine>(::isatty(STDERR_FILENO) == 1);
}

Run::~Run() {
  if (unwritten_ && std::uncaught_exceptions() > 0)
    try {
      write_checkpoint();
    } catch (const std::exception&) { // the first exception says more
    }
}

void Run::restore(const std::function<void(const Checkpoint&)>& load) const {
  if (!resumed_)
    return;
  try {
    load(*resumed_);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_checkpoint)
      throw;
    std::string text = error.what();
    auto file = checkpoint_file(options_.resume).string();
    if (text.find(file) == text.npos)
      text = "checkpoint " + file + " cannot be continued: " + text
             + "; give the options it was trained with, or train anew in another folder";
    throw Error(ErrorCode::bad_checkpoint, text);
  }
}

void Run::read_counters() {
  ByteReader in(resumed_->get("run"));
  steps_ = steps_before_ = in.get<std::int64_t>();
  evaluations_ = options_.evaluation_steps > 0 ? steps_ / options_.evaluation_steps : 0;
  updates_ = in.get<std::int64_t>();
  episodes_ = in.get<std::int64_t>();
  seconds_before_ = in.get<double>();
  auto returns = in.get_all<double>();
  auto window = static_cast<std::size_t>(options_.return_window);
  auto kept = std::span(returns).last(std::min(window, returns.size()));
  returns_.assign(kept.begin(), kept.end());
}

// A table of the log folder: new, or that of the resumed run without what came after its
// checkpoint.
std::unique_ptr<CsvWriter> Run::open_table(const char* name) const {
  auto file = std::filesystem::path(options_.logdir) / name;
  if (!resumed_)
    return std::make_unique<CsvWriter>(file);
  return std::make_unique<CsvWriter>(file, std::filesystem::path(options_.resume) / name,
                                     static_cast<double>(steps_before_));
}

// Log, events and settings, on the first call. Nothing is written before.
void Run::open_files() {
  if (options_.logdir.empty() || csv_)
    return;
  std::filesystem::path folder = options_.logdir;
  csv_ = open_table("log.csv");
  tensorboard_ = std::make_unique<TensorBoardWriter>(folder, wall_time());
  if (resumed_)
    tensorboard_->restart(steps_before_ + 1, wall_time());
  write_file(folder / "config.txt",
             "# " + algorithm_ + "\n" + write_fields(options_.fields()) + write_fields(config_));
}

bool Run::more() const {
  return !stopped_ && !interrupted_ && (options_.stop_steps == 0 || steps_ < options_.stop_steps)
         && (options_.stop_seconds == 0 || seconds() < options_.stop_seconds);
}

double Run::left() const {
  if (options_.stop_steps == 0)
    return 1;
  auto done = static_cast<double>(steps_) / static_cast<double>(options_.stop_steps);
  return std::max(0.0, 1 - done);
}

void Run::add(const Batch& batch) {
  add_steps(static_cast<std::int64_t>(batch.size()));
  for (auto& end : batch.ends)
    add_episode(end.episode.total);
}

void Run::add_episode(double total) {
  ++episodes_;
  returns_.push_back(total);
  while (returns_.size() > static_cast<std::size_t>(options_.return_window))
    returns_.pop_front();
}

void Run::add(const Evaluation& e) {
  open_files();
  if (!csv_)
    return;
  if (!evaluation_csv_)
    evaluation_csv_ = open_table("evaluation.csv");
  evaluation_csv_->write({{"steps", static_cast<double>(steps_)},
                          {"seconds", seconds()},
                          {"episodes", static_cast<double>(e.episodes)},
                          {"mean_return", e.mean},
                          {"deviation", e.deviation},
                          {"lowest", e.lowest},
                          {"highest", e.highest}});
  tensorboard_->scalar("eval/mean_return", steps_, e.mean, wall_time());
  tensorboard_->flush();
}

double Run::seconds() const {
  auto now = std::chrono::steady_clock::now();
  return seconds_before_ + std::chrono::duration<double>(now - start_).count();
}

double Run::mean_return() const {
  if (returns_.empty())
    return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(returns_.begin(), returns_.end(), 0.0)
         / static_cast<double>(returns_.size());
}

bool Run::return_reached() const {
  return returns_.size() == static_cast<std::size_t>(options_.return_window)
         && mean_return() >= options_.stop_return;
}

bool Run::evaluation_due() {
  auto before = evaluations_;
  if (options_.evaluation_steps > 0)
    evaluations_ = steps_ / options_.evaluation_steps;
  return evaluations_ > before || return_reached();
}

Progress Run::progress() const {
  auto elapsed = seconds() - seconds_before_;
  auto rate = elapsed > 0 ? static_cast<double>(steps_ - steps_before_) / elapsed : 0;
  return {steps_, rate, mean_return(), episodes_, seconds()};
}

void Run::end_update(const Save& save) {
  ++updates_;
  auto now = progress();
  open_files();
  if (csv_) {
    LogRow row = {
      {"steps", static_cast<double>(steps_)},       {"updates", static_cast<double>(updates_)},
      {"episodes", static_cast<double>(episodes_)}, {"seconds", now.seconds},
      {"steps_per_second", now.steps_per_second},   {"mean_return", now.mean_return}};
    row.insert(row.end(), scalars_.begin(), scalars_.end());
    csv_->write(row);
    auto time = wall_time();
    if (!std::isnan(now.mean_return))
      tensorboard_->scalar("train/mean_return", steps_, now.mean_return, time);
    tensorboard_->scalar("train/steps_per_second", steps_, now.steps_per_second, time);
    for (auto& [name, value] : scalars_)
      tensorboard_->scalar(name, steps_, value, time);
    tensorboard_->flush();
  }
  scalars_.clear();
  if (line_)
    line_->show(now);
  if (options_.logdir.empty())
    return;
  unwritten_ = make_checkpoint(save);
  if (seconds() >= next_checkpoint_)
    write_checkpoint();
}

void Run::finish(const Save& save) {
  if (line_)
    line_->finish(progress());
  if (options_.logdir.empty())
    return;
  open_files();
  unwritten_ = make_checkpoint(save);
  write_checkpoint();
}

Checkpoint Run::make_checkpoint(const Save& save) {
  Checkpoint checkpoint;
  checkpoint.put("algorithm", algorithm_);
  checkpoint.put("env", options_.env);
  checkpoint.put("seed", std::to_string(options_.seed));
  checkpoint.put("options", write_fields(lasting_fields(options_)));
  checkpoint.put("config", write_fields(config_));
  ByteWriter out;
  out.put(steps_);
  out.put(updates_);
  out.put(episodes_);
  out.put(seconds());
  std::vector<double> returns(returns_.begin(), returns_.end());
  out.put_all(std::span<const double>(returns));
  checkpoint.put("run", out.take());
  save(checkpoint);
  return checkpoint;
}

void Run::write_checkpoint() {
  next_checkpoint_ = seconds() + options_.checkpoint_seconds;
  unwritten_->write(checkpoint_file(options_.logdir));
  unwritten_.reset();
  write_curve();
}

void Run::write_curve() const {
  auto folder = std::filesystem::path(options_.logdir);
  auto log = read_csv(folder / "log.csv");
  auto x = log.column("steps"), y = log.column("mean_return");
  write_file(folder / "curve.svg",
             curve_svg({.title = algorithm_ + " on " + options_.env + ", seed "
                                 + std::to_string(options_.seed),
                        .x_label = "environment steps",
                        .y_label = "mean return of the latest "
                                   + std::to_string(options_.return_window) + " episodes",
                        .x = x,
                        .y = y,
                        .target = find_env(options_.env).solved_return}));
}

} // namespace rl
