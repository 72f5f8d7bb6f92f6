#include "rl/train/command.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>
#include <iomanip>
#include <ostream>
#include <sstream>

#include <ray/api.h>

#include "rl/apex.hpp"
#include "rl/apex_workers.hpp"
#include "rl/dqn.hpp"
#include "rl/env/registry.hpp"
#include "rl/es.hpp"
#include "rl/es_workers.hpp"
#include "rl/ppo.hpp"
#include "rl/ppo_workers.hpp"
#include "rl/presets.hpp"
#include "rl/sac.hpp"
#include "rl/td3.hpp"

namespace rl {

namespace {

// The settings of a command, before they are split among the parts.
struct Settings {
  RunOptions options;
  bool preset = true;
  bool help = false;
};

// The runtime, for as long as somebody needs it: as many slots as there are workers.
struct Runtime {
  explicit Runtime(int workers) : started(workers > 0 && !ray::IsInitialized()) {
    if (!started)
      return;
    ray::RayConfig config;
    config.num_cpus = workers;
    ray::Init(config);
  }
  ~Runtime() {
    if (started)
      ray::Shutdown();
  }
  Runtime(const Runtime&) = delete;

  bool started;
};

std::vector<Field> all_fields(Settings& settings, std::vector<Field> config) {
  auto fields = settings.options.fields();
  fields.push_back(
    {"preset", &settings.preset,
     "begin with settings known to work, and the steps they need, if there are any"});
  fields.push_back({"help", &settings.help, "show this"});
  fields.insert(fields.end(), config.begin(), config.end());
  return fields;
}

std::string new_log_folder(const std::string& algorithm, const RunOptions& options) {
  std::ostringstream name;
  auto now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  auto env = options.env;
  std::replace(env.begin(), env.end(), '/', '_'); // one folder a run, whatever the name
  name << "runs/" << algorithm << "_" << env << "_" << options.seed << "_"
       << std::put_time(&local, "%Y%m%d-%H%M%S");
  return name.str();
}

// Fills settings and config from preset, checkpoint and words; false when only help was asked for.
template <class Config>
bool read_settings(const std::string& algorithm, std::span<const std::string> words,
                   Settings& settings, Config& config, std::ostream& out) {
  Settings wanted; // a first look at the words, for what decides where the other settings come from
  Config ignored;
  auto rest = parse_flags(words, all_fields(wanted, ignored.fields()));
  if (!rest.empty())
    throw Error(ErrorCode::bad_value, "what is '" + rest.front() + "'? Settings begin with --");
  if (!wanted.options.resume.empty()) {
    auto checkpoint = Checkpoint::read(Run::checkpoint_file(wanted.options.resume));
    checkpoint.expect("algorithm", algorithm);
    read_fields(lasting_fields(settings.options), checkpoint.get("options"));
    read_fields(config.fields(), checkpoint.get("config"));
    settings.options.logdir = wanted.options.resume;
  } else if (wanted.preset) {
    read_fields(config.fields(), preset(algorithm, wanted.options.env));
    settings.options.stop_steps = preset_steps(algorithm, wanted.options.env);
  }
  if (wanted.options.resume.empty())
    settings.options.logdir = new_log_folder(algorithm, wanted.options);
  auto fields = all_fields(settings, config.fields());
  parse_flags(words, fields);
  find_env(settings.options.env);
  if (settings.help)
    out << "caf-ray-train " << algorithm << " --env " << settings.options.env << "\n"
        << describe_fields(fields);
  return !settings.help;
}

// Prints what came out; the exit status.
int report(const Run& run, const TrainResult& result, std::ostream& out, std::ostream& err) {
  auto& e = result.evaluation;
  out << std::fixed << std::setprecision(1) << "trained     " << result.steps << " steps in "
      << std::setprecision(2) << result.seconds << " s"
      << (Run::interrupted() ? " (interrupted)" : "") << "\n"
      << std::setprecision(1) << "evaluation  mean return " << e.mean << " over " << e.episodes
      << " episodes (deviation " << e.deviation << ", from " << e.lowest << " to " << e.highest
      << ")\n";
  if (auto solved = find_env(run.options().env).solved_return)
    out << "            " << (e.mean >= *solved ? "solved" : "not solved") << ": the task asks for "
        << *solved << "\n";
  if (!run.options().logdir.empty())
    out << "log folder  " << run.options().logdir << "\n";
  if (Run::interrupted())
    return 130; // as a shell says it of a program that Ctrl-C ended
  auto wanted = run.options().stop_return;
  if (!std::isfinite(wanted) || run.stopped() || e.mean >= wanted)
    return 0;
  err << std::fixed << std::setprecision(1) << "caf-ray-train: the mean return did not reach "
      << wanted << " within " << result.steps << " steps and " << result.seconds
      << " s; it reached " << e.mean << "\n";
  return 1;
}

int train_with_ppo(std::span<const std::string> words, std::ostream& out, std::ostream& err) {
  Settings settings;
  PpoConfig config;
  if (!read_settings("ppo", words, settings, config, out))
    return 0;
  Run run(settings.options, "ppo", config.fields());
  auto workers_count = static_cast<int>(settings.options.workers);
  Runtime runtime(workers_count);
  auto workers = make_workers(ppo_workers(config, settings.options), workers_count);
  return report(run, train_ppo(config, run, *workers), out, err);
}

int train_with_es(std::span<const std::string> words, std::ostream& out, std::ostream& err) {
  Settings settings;
  EsConfig config;
  if (!read_settings("es", words, settings, config, out))
    return 0;
  Run run(settings.options, "es", config.fields());
  auto workers_count = static_cast<int>(settings.options.workers);
  Runtime runtime(workers_count);
  auto workers = make_es_workers(es_spec(config, settings.options), workers_count);
  return report(run, train_es(config, run, *workers), out, err);
}

// An algorithm that collects in this thread.
template <class Config, TrainResult (*train)(const Config&, Run&)>
int train_alone(const char* name, std::span<const std::string> words, std::ostream& out,
                std::ostream& err) {
  Settings settings;
  Config config;
  if (!read_settings(name, words, settings, config, out))
    return 0;
  Run run(settings.options, name, config.fields());
  return report(run, train(config, run), out, err);
}

int train_with_dqn(std::span<const std::string> words, std::ostream& out, std::ostream& err) {
  return train_alone<DqnConfig, train_dqn>("dqn", words, out, err);
}

int train_with_sac(std::span<const std::string> words, std::ostream& out, std::ostream& err) {
  return train_alone<SacConfig, train_sac>("sac", words, out, err);
}

int train_with_td3(std::span<const std::string> words, std::ostream& out, std::ostream& err) {
  return train_alone<Td3Config, train_td3>("td3", words, out, err);
}

int train_with_apex(std::span<const std::string> words, std::ostream& out, std::ostream& err) {
  Settings settings;
  ApexConfig config;
  if (!read_settings("apex", words, settings, config, out))
    return 0;
  Run run(settings.options, "apex", config.fields());
  auto workers_count = static_cast<int>(settings.options.workers);
  Runtime runtime(workers_count);
  auto workers = make_apex_workers(config, settings.options, workers_count);
  return report(run, train_apex(config, run, *workers), out, err);
}

struct Algorithm {
  const char* name;
  const char* what;
  int (*train)(std::span<const std::string>, std::ostream&, std::ostream&);
};

constexpr Algorithm algorithms[] = {
  {"ppo", "proximal policy optimisation (Schulman et al. 2017)", train_with_ppo},
  {"es", "evolution strategies (Salimans et al. 2017)", train_with_es},
  {"dqn", "deep Q-learning (Mnih et al. 2015)", train_with_dqn},
  {"apex", "DQN with distributed replay, Ape-X (Horgan et al. 2018)", train_with_apex},
  {"sac", "soft actor-critic (Haarnoja et al. 2018)", train_with_sac},
  {"td3", "twin delayed policy gradient (Fujimoto et al. 2018)", train_with_td3},
};

void list(std::ostream& out) {
  out << "algorithms\n";
  for (auto& each : algorithms)
    out << "  " << std::left << std::setw(16) << each.name << each.what << "\n";
  out << "environments\n";
  for (auto& name : env_names()) {
    out << "  " << std::left << std::setw(26) << name;
    try {
      auto env = make_env(name);
      out << describe(env->observation_space()) << " -> " << describe(env->action_space()) << "\n";
    } catch (const Error& error) { // such as a model that is not installed
      out << "cannot be made: " << error.what() << "\n";
    }
  }
}

int usage(std::ostream& to, int status) {
  to << "usage: caf-ray-train ALGORITHM --env NAME [--seed N] [--workers N] [--stop-return R]\n"
        "                     [--stop-steps N] [--logdir FOLDER] [--resume FOLDER] ...\n"
        "       caf-ray-train ALGORITHM --help    all settings\n"
        "       caf-ray-train list                algorithms and environments\n";
  return status;
}

int dispatch(const std::vector<std::string>& words, std::ostream& out, std::ostream& err) {
  if (words.empty())
    return usage(err, 2);
  auto& command = words.front();
  if (command == "help" || command == "--help" || command == "-h")
    return usage(out, 0);
  if (command == "list") {
    list(out);
    return 0;
  }
  std::vector<std::string> names;
  for (auto& each : algorithms) {
    if (each.name == command)
      return each.train(std::span(words).subspan(1), out, err);
    names.push_back(each.name);
  }
  throw_unknown_name("algorithm", command, names);
}

} // namespace

int train_command(const std::vector<std::string>& words, std::ostream& out, std::ostream& err) {
  try {
    return dispatch(words, out, err);
  } catch (const Error& error) {
    err << "caf-ray-train: " << error.what() << "\n";
    auto code = error.code();
    return code == ErrorCode::unknown_name || code == ErrorCode::bad_value ? 2 : 1;
  } catch (const std::exception& error) {
    err << "caf-ray-train: " << error.what() << "\n";
    return 1;
  }
}

} // namespace rl
