#include "rl/train/bench.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <ostream>
#include <sstream>
#include <unistd.h>

#include "rl/presets.hpp"
#include "rl/run/csv.hpp"
#include "rl/run/file.hpp"

namespace rl {

namespace {

constexpr std::string_view header =
  "| preset | to reach | reached | mean return | steps | time | processor time |\n"
  "|---|---|---|---|---|---|---|\n";

struct BenchOptions {
  std::string algorithm, env, into;
  std::int64_t seeds = 5;
  std::int64_t workers = 0;
  bool help = false;

  std::vector<Field> fields() {
    return {
      {"algorithm", &algorithm, "presets of this algorithm only"},
      {"env", &env, "presets for this environment only"},
      {"seeds", &seeds, "train with the seeds 1 to n", 1, 1000},
      {"workers", &workers, "actors that collect; 0: this thread does", 0, 4096},
      {"into", &into, "write the rows into the table of this file, such as rl/README.md"},
      {"help", &help, "show this"},
    };
  }
};

// A folder that disappears with the object.
struct Scratch {
  Scratch() {
    auto name = (std::filesystem::temp_directory_path() / "caf-ray-bench-XXXXXX").string();
    if (!::mkdtemp(name.data()))
      throw Error(ErrorCode::cannot_write, "no folder for the logs can be made at " + name);
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;

  std::filesystem::path path;
};

// With three digits at least: 24 k, 1.02 M, -154, 0.31.
std::string short_number(double value) {
  char buffer[32];
  auto print = [&](double number, int digits) {
    auto end =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed, digits).ptr;
    return std::string(buffer, end);
  };
  auto size = std::abs(value);
  if (size >= 999'500)
    return print(value / 1e6, 2) + " M";
  if (size >= 9'995)
    return print(value / 1e3, 0) + " k";
  return print(value, size >= 99.5 || value == std::round(value) ? 0 : size >= 9.95 ? 1 : 2);
}

std::string range(std::vector<double> values) {
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  auto from = short_number(*low), to = short_number(*high);
  return from == to ? from : from + " to " + to;
}

// One training in a log folder of its own, which then says how it went.
BenchRun train_once(const Algorithm& algorithm, const Preset& preset, std::int64_t seed,
                    std::int64_t workers, std::ostream& err) {
  Scratch scratch;
  auto folder = (scratch.path / "run").string();
  std::vector<std::string> words = {"--env",         preset.env,
                                    "--seed",        std::to_string(seed),
                                    "--workers",     std::to_string(workers),
                                    "--stop-return", std::to_string(preset.reach),
                                    "--logdir",      folder,
                                    "--quiet"};
  std::ostringstream unread, complaint;
  auto before = std::clock();
  auto status = algorithm.train(words, unread, complaint);
  auto processor = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  if (Run::interrupted())
    return {};
  if (status > 1) // 1: not reached, which the table shows
    throw Error(ErrorCode::bad_value, "bench was stopped: " + complaint.str());
  auto log = read_csv(scratch.path / "run" / "log.csv");
  BenchRun run{read_csv(scratch.path / "run" / "evaluation.csv").column("mean_return").back(),
               log.column("steps").back(), log.column("seconds").back(), processor};
  err << preset.algorithm << " " << preset.env << ", seed " << seed << ": "
      << short_number(run.mean) << " after " << short_number(run.steps) << " steps, "
      << short_number(run.seconds) << " s\n";
  return run;
}

// What a row begins with, up to the end of its first cell.
std::string_view key(std::string_view row) {
  return row.substr(0, row.find('|', 1));
}

} // namespace

std::string bench_row(std::string_view algorithm, std::string_view env, double reach,
                      const std::vector<BenchRun>& runs) {
  std::vector<double> means, steps, seconds, processor;
  for (auto& run : runs) {
    means.push_back(run.mean);
    steps.push_back(run.steps);
    seconds.push_back(run.seconds);
    processor.push_back(run.processor_seconds);
  }
  auto reached = std::count_if(means.begin(), means.end(), [&](auto m) { return m >= reach; });
  std::ostringstream row;
  row << "| " << algorithm << " " << env << " | " << short_number(reach) << " | " << reached
      << " of " << runs.size() << " seeds | " << range(means) << " | " << range(steps) << " | "
      << range(seconds) << " s | " << range(processor) << " s |\n";
  return row.str();
}

std::string with_rows(std::string_view text, const std::vector<std::string>& rows) {
  auto begin = text.find(bench_begin), end = text.find(bench_end);
  if (begin == text.npos || end == text.npos || end < begin)
    throw Error(ErrorCode::bad_value, "no table for bench: it needs the lines '"
                                        + std::string(bench_begin) + "' and '"
                                        + std::string(bench_end) + "'");
  auto body = begin + bench_begin.size() + 1;
  std::vector<std::string> table;
  std::istringstream lines{std::string(text.substr(body, end - std::min(end, body)))};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("| ") && header.find(line) == header.npos)
      table.push_back(line + "\n");
  for (auto& row : rows) {
    auto same = [&](auto& each) { return key(each) == key(row); };
    auto place = std::find_if(table.begin(), table.end(), same);
    if (place == table.end())
      table.push_back(row);
    else
      *place = row;
  }
  std::string result(text.substr(0, begin));
  result.append(bench_begin).append("\n").append(header);
  for (auto& row : table)
    result += row;
  return result.append(text.substr(end));
}

int bench_command(Words words, std::ostream& out, std::ostream& err) {
  BenchOptions options;
  auto rest = parse_flags(words, options.fields());
  if (options.help) {
    out << "caf-ray-train bench trains the presets and shows what they reach\n"
        << describe_fields(BenchOptions{}.fields());
    return 0;
  }
  if (!rest.empty())
    throw Error(ErrorCode::bad_value, "what is '" + rest.front() + "'? Settings begin with --");
  check_fields(options.fields());
  if (!options.algorithm.empty())
    find_algorithm(options.algorithm);
  if (!options.into.empty())
    with_rows(read_file(options.into), {}); // before hours of training: is there a table?
  std::vector<std::string> rows;
  bool all_reached = true;
  out << header;
  for (auto& preset : presets()) {
    if ((!options.algorithm.empty() && preset.algorithm != options.algorithm)
        || (!options.env.empty() && preset.env != options.env))
      continue;
    std::vector<BenchRun> runs;
    for (std::int64_t seed = 1; seed <= options.seeds && !Run::interrupted(); ++seed)
      runs.push_back(
        train_once(find_algorithm(preset.algorithm), preset, seed, options.workers, err));
    if (Run::interrupted())
      return 130; // what was written stays
    for (auto& run : runs)
      all_reached = all_reached && run.mean >= preset.reach;
    rows.push_back(bench_row(preset.algorithm, preset.env, preset.reach, runs));
    out << rows.back() << std::flush;
    if (!options.into.empty())
      write_file(options.into, with_rows(read_file(options.into), rows));
  }
  if (rows.empty())
    throw Error(ErrorCode::bad_value, "there is no preset of " + options.algorithm + " for "
                                        + options.env + "; rl/presets.toml lists them");
  return all_reached ? 0 : 1;
}

} // namespace rl
