#include "rl/train/command.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>
#include <iomanip>
#include <ostream>
#include <sstream>

#include <ray/api.h>

#include "rl/a2c.hpp"
#include "rl/apex.hpp"
#include "rl/apex_workers.hpp"
#include "rl/ars.hpp"
#include "rl/dqn.hpp"
#include "rl/env/checker.hpp"
#include "rl/env/registry.hpp"
#include "rl/es.hpp"
#include "rl/es_workers.hpp"
#include "rl/impala.hpp"
#include "rl/impala_workers.hpp"
#include "rl/ppo.hpp"
#include "rl/ppo_workers.hpp"
#include "rl/presets.hpp"
#include "rl/sac.hpp"
#include "rl/td3.hpp"
#include "rl/train/bench.hpp"
#include "rl/train/play.hpp"

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

// Trains with an algorithm whose run needs Config, and workers that `make` makes of it and the
// number of workers. Returns the exit status.
template <class Config, class Make, class Train>
int train_with(const char* algorithm, std::span<const std::string> words, std::ostream& out,
               std::ostream& err, Make make, Train train) {
  Settings settings;
  Config config;
  if (!read_settings(algorithm, words, settings, config, out))
    return 0;
  Run run(settings.options, algorithm, config.fields());
  auto count = static_cast<int>(settings.options.workers);
  Runtime runtime(count);
  auto workers = make(config, settings.options, count);
  return report(run, train(config, run, *workers), out, err);
}

int train_with_ppo(Words words, std::ostream& out, std::ostream& err) {
  auto make = [](auto& config, auto& options, int count) {
    return make_workers(ppo_workers(config, options), count);
  };
  return train_with<PpoConfig>("ppo", words, out, err, make, train_ppo);
}

int train_with_a2c(Words words, std::ostream& out, std::ostream& err) {
  auto make = [](auto& config, auto& options, int count) {
    return make_workers(a2c_workers(config, options), count);
  };
  return train_with<A2cConfig>("a2c", words, out, err, make, train_a2c);
}

int train_with_impala(Words words, std::ostream& out, std::ostream& err) {
  auto make = [](auto& config, auto& options, int count) {
    return make_async_workers(impala_workers(config, options), count);
  };
  return train_with<ImpalaConfig>("impala", words, out, err, make, train_impala);
}

int train_with_es(Words words, std::ostream& out, std::ostream& err) {
  auto make = [](auto& config, auto& options, int count) {
    return make_es_workers(es_spec(config, options), count);
  };
  return train_with<EsConfig>("es", words, out, err, make, train_es);
}

int train_with_ars(Words words, std::ostream& out, std::ostream& err) {
  auto make = [](auto& config, auto& options, int count) {
    return make_es_workers(ars_spec(config, options), count);
  };
  return train_with<ArsConfig>("ars", words, out, err, make, train_ars);
}

int train_with_apex(Words words, std::ostream& out, std::ostream& err) {
  auto make = [](auto& config, auto& options, int count) {
    return make_apex_workers(config, options, count);
  };
  return train_with<ApexConfig>("apex", words, out, err, make, train_apex);
}

// An algorithm that collects in this thread.
template <class Config, TrainResult (*train)(const Config&, Run&)>
int train_alone(const char* name, Words words, std::ostream& out, std::ostream& err) {
  Settings settings;
  Config config;
  if (!read_settings(name, words, settings, config, out))
    return 0;
  Run run(settings.options, name, config.fields());
  return report(run, train(config, run), out, err);
}

int train_with_dqn(Words words, std::ostream& out, std::ostream& err) {
  return train_alone<DqnConfig, train_dqn>("dqn", words, out, err);
}

int train_with_sac(Words words, std::ostream& out, std::ostream& err) {
  return train_alone<SacConfig, train_sac>("sac", words, out, err);
}

int train_with_td3(Words words, std::ostream& out, std::ostream& err) {
  return train_alone<Td3Config, train_td3>("td3", words, out, err);
}

// The policies in checkpoints, to be played.
Act play_ppo(const Checkpoint& checkpoint) {
  return play_actor_critic<PpoConfig>(
    checkpoint, [](auto& config, auto& options) { return ppo_workers(config, options).policy; });
}
Act play_a2c(const Checkpoint& checkpoint) {
  return play_actor_critic<A2cConfig>(
    checkpoint, [](auto& config, auto& options) { return a2c_workers(config, options).policy; });
}
Act play_impala(const Checkpoint& checkpoint) {
  return play_actor_critic<ImpalaConfig>(checkpoint, [](auto& config, auto& options) {
    return impala_workers(config, options).workers.policy;
  });
}
Act play_es(const Checkpoint& checkpoint) {
  return play_actor_critic<EsConfig>(
    checkpoint, [](auto& config, auto& options) { return es_spec(config, options).policy; });
}
Act play_ars(const Checkpoint& checkpoint) {
  return play_actor_critic<ArsConfig>(
    checkpoint, [](auto& config, auto& options) { return ars_spec(config, options).policy; });
}

constexpr Algorithm table[] = {
  {"ppo", "proximal policy optimisation (Schulman et al. 2017)", train_with_ppo, play_ppo},
  {"a2c", "advantage actor-critic (Mnih et al. 2016)", train_with_a2c, play_a2c},
  {"impala", "actors that never wait, V-trace (Espeholt et al. 2018)", train_with_impala,
   play_impala},
  {"es", "evolution strategies (Salimans et al. 2017)", train_with_es, play_es},
  {"ars", "augmented random search (Mania et al. 2018)", train_with_ars, play_ars},
  {"dqn", "deep Q-learning (Mnih et al. 2015)", train_with_dqn, nullptr},
  {"apex", "DQN with distributed replay, Ape-X (Horgan et al. 2018)", train_with_apex, nullptr},
  {"sac", "soft actor-critic (Haarnoja et al. 2018)", train_with_sac, nullptr},
  {"td3", "twin delayed policy gradient (Fujimoto et al. 2018)", train_with_td3, nullptr},
};

int train(Words words, std::ostream& out, std::ostream& err) {
  if (words.empty())
    throw Error(ErrorCode::bad_value, "train needs an algorithm, such as caf-ray-train train ppo");
  if (words.front() == "--help") {
    out << "caf-ray-train train ALGORITHM --env NAME ...; the settings of one: train ALGORITHM "
           "--help\n";
    return 0;
  }
  return find_algorithm(words.front()).train(words.subspan(1), out, err);
}

int list(Words, std::ostream& out, std::ostream&) {
  out << "algorithms\n";
  for (auto& each : algorithms()) {
    out << "  " << std::left << std::setw(16) << each.name << each.what << "\n";
    std::string tuned;
    for (auto& preset : presets())
      if (preset.algorithm == each.name)
        tuned += (tuned.empty() ? "" : ", ") + preset.env;
    if (!tuned.empty())
      out << "  " << std::setw(16) << ""
          << "presets: " << tuned << "\n";
  }
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
  return 0;
}

// The checker's word on a registered environment.
int check(Words words, std::ostream& out, std::ostream&) {
  std::int64_t seed = 1, steps = 1000;
  bool help = false;
  std::vector<Field> fields = {
    {"seed", &seed, "of episodes and actions", 0},
    {"steps", &steps, "random actions that are tried", 1, 1e9},
    {"help", &help, "show this"},
  };
  auto text = describe_fields(fields);
  auto names = parse_flags(words, fields);
  if (help) {
    out << "caf-ray-train check-env NAME plays an environment and says which rules it breaks\n"
        << text;
    return 0;
  }
  if (names.size() != 1)
    throw Error(ErrorCode::bad_value,
                "check-env needs the name of one environment; caf-ray-train list shows them");
  auto broken =
    check_env(names.front(), {static_cast<std::uint64_t>(seed), static_cast<int>(steps)});
  for (auto& each : broken)
    out << each.rule << ": " << each.text << "\n";
  if (broken.empty())
    out << names.front() << " keeps the rules\n";
  return broken.empty() ? 0 : 1;
}

int eval(Words words, std::ostream& out, std::ostream&) {
  return eval_command(words, out);
}

int record(Words words, std::ostream& out, std::ostream&) {
  return record_command(words, out);
}

struct Word {
  const char* name;
  const char* what;
  int (*run)(Words, std::ostream&, std::ostream&);
};

constexpr Word known_words[] = {
  {"train",
   "train ALGORITHM --env NAME [--seed N] [--workers N] [--stop-return R] [--resume FOLDER] ...",
   train},
  {"eval", "eval FOLDER: what the policy of a log folder reaches", eval},
  {"record", "record FOLDER: its episodes as GIFs", record},
  {"bench", "bench: train the presets and write the table of what they reach", bench_command},
  {"list", "list: algorithms, presets, environments", list},
  {"check-env", "check-env NAME: does an environment keep the rules?", check},
};

int usage(std::ostream& to, int status) {
  to << "usage: caf-ray-train WORD ...; WORD --help shows its settings\n";
  for (auto& word : known_words)
    to << "  " << word.what << "\n";
  to << "  ALGORITHM ...: the same as train ALGORITHM ..., such as caf-ray-train ppo --env "
        "CartPole-v1\n";
  return status;
}

int dispatch(const std::vector<std::string>& words, std::ostream& out, std::ostream& err) {
  if (words.empty())
    return usage(err, 2);
  auto rest = std::span(words).subspan(1);
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    if (rest.empty())
      return usage(out, 0);
    return dispatch({rest.front(), "--help"}, out, err);
  }
  std::vector<std::string> names;
  for (auto& word : known_words) {
    if (word.name == words[0])
      return word.run(rest, out, err);
    names.push_back(word.name);
  }
  for (auto& each : algorithms()) {
    if (each.name == words[0])
      return each.train(rest, out, err);
    names.push_back(each.name);
  }
  throw_unknown_name("word or algorithm", words[0], names);
}

} // namespace

std::span<const Algorithm> algorithms() {
  return table;
}

const Algorithm& find_algorithm(std::string_view name) {
  std::vector<std::string> names;
  for (auto& each : table) {
    if (each.name == name)
      return each;
    names.push_back(each.name);
  }
  throw_unknown_name("algorithm", name, names);
}

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
