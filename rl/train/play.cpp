#include "rl/train/play.hpp"

#include <iomanip>
#include <ostream>

#include "rl/env/record.hpp"
#include "rl/env/registry.hpp"
#include "rl/rng.hpp"

namespace rl {

namespace {

struct EvalOptions {
  std::int64_t episodes = 100;
  std::int64_t seed = -1;
  bool help = false;

  std::vector<Field> fields() {
    return {
      {"episodes", &episodes, "how many", 1, 1e6},
      {"seed", &seed,
       "everything random follows from it; -1: that of the evaluation that ended "
       "training",
       -1},
      {"help", &help, "show this"},
    };
  }
};

struct RecordWords {
  std::int64_t episodes = 1;
  std::int64_t seed = 1;
  std::int64_t step_skip = 1;
  std::int64_t delay = 4;
  std::string into;
  bool help = false;

  std::vector<Field> fields() {
    return {
      {"episodes", &episodes, "how many, a file each", 1, 1e6},
      {"seed", &seed, "everything random follows from it", 0},
      {"step_skip", &step_skip, "take every n-th step, and the last", 1, 1e6},
      {"delay", &delay, "hundredths of a second that a picture stays", 1, 65535},
      {"into", &into, "folder for the files; empty: the folder episodes beside the checkpoint"},
      {"help", &help, "show this"},
    };
  }
};

// A policy, and where it was trained.
struct Trained {
  std::string algorithm, env;
  std::uint64_t seed = 0;
  Act act;
};

Trained load(const std::string& folder) {
  auto checkpoint = Checkpoint::read(Run::checkpoint_file(folder));
  auto& algorithm = find_algorithm(checkpoint.get("algorithm"));
  if (!algorithm.play)
    throw Error(ErrorCode::bad_value, std::string("policies of ") + algorithm.name
                                        + " can be trained and resumed, but not played yet");
  return {algorithm.name, checkpoint.get("env"), std::stoull(checkpoint.get("seed")),
          algorithm.play(checkpoint)};
}

// Sets the options and gives the one word that is none: the log folder. Empty when only help was
// asked for.
template <class Options>
std::string read_words(const char* command, Words words, Options& options, std::ostream& out) {
  auto rest = parse_flags(words, options.fields());
  if (options.help) {
    out << "caf-ray-train " << command << " FOLDER, the log folder of a training\n"
        << describe_fields(Options{}.fields());
    return {};
  }
  check_fields(options.fields());
  if (rest.size() != 1)
    throw Error(ErrorCode::bad_value,
                std::string(command) + " needs one log folder, such as caf-ray-train " + command
                  + " runs/first; it was given " + std::to_string(rest.size()));
  return rest.front();
}

} // namespace

int eval_command(Words words, std::ostream& out) {
  EvalOptions options;
  auto folder = read_words("eval", words, options, out);
  if (options.help)
    return 0;
  auto trained = load(folder);
  auto seed = options.seed < 0 ? derive_seed(trained.seed, "final")
                               : derive_seed(static_cast<std::uint64_t>(options.seed), "eval");
  auto e = evaluate(trained.env, seed, static_cast<int>(options.episodes), trained.act);
  out << trained.algorithm << " in " << trained.env << "\n"
      << std::fixed << std::setprecision(1) << "evaluation  mean return " << e.mean << " over "
      << e.episodes << " episodes (deviation " << e.deviation << ", from " << e.lowest << " to "
      << e.highest << ")\n";
  return 0;
}

int record_command(Words words, std::ostream& out) {
  RecordWords options;
  auto folder = read_words("record", words, options, out);
  if (options.help)
    return 0;
  auto trained = load(folder);
  auto into = options.into.empty() ? std::filesystem::path(folder) / "episodes"
                                   : std::filesystem::path(options.into);
  RecordEpisodes env(make_network_env(trained.env),
                     {.folder = into,
                      .name = trained.env,
                      .step_skip = static_cast<int>(options.step_skip),
                      .delay = static_cast<int>(options.delay)});
  std::vector<float> observation(value_size(env.observation_space()));
  std::vector<float> action(value_size(env.action_space()));
  for (std::int64_t episode = 0; episode < options.episodes; ++episode) {
    env.reset(derive_seed(derive_seed(static_cast<std::uint64_t>(options.seed), "record"),
                          static_cast<std::uint64_t>(episode)),
              observation);
    double total = 0;
    for (Step step; !step.terminated && !step.truncated;) {
      trained.act(observation, action);
      clip_to_space(env.action_space(), action);
      step = env.step(action, observation);
      total += step.reward;
    }
    out << env.file(episode).string() << "   return " << std::fixed << std::setprecision(1) << total
        << "\n";
  }
  return 0;
}

} // namespace rl
