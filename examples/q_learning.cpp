// An algorithm of one's own: Q-learning with a table (Watkins 1989), in rl's parts, without its
// algorithms.
//
//   build/bin/example_q_learning [--env FrozenLake8x8-v1] [--step-size 0.1] [--logdir DIR]
//
// One struct is the settings and their flags; Run says when to stop, logs, saves and resumes; the
// rest is the loop of the book. Prints the mean return of random actions (0.01: the share of walks
// over the ice that arrive) and of what was learnt (about 0.74).

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "rl/env/registry.hpp"
#include "rl/evaluate.hpp"
#include "rl/rng.hpp"
#include "rl/run/run.hpp"

struct Config {
  double step_size = 0.2, gamma = 0.99, epsilon = 0.3;

  std::vector<rl::Field> fields() {
    return {{"step_size", &step_size, "share of an error that is corrected, at the start", 0, 1},
            {"gamma", &gamma, "discount of later rewards", 0, 1},
            {"epsilon", &epsilon, "probability of a random action", 0, 1}};
  }
};

// A row of values for each state; states are seen as vectors of zeros and one 1.
struct Table {
  std::size_t choices;
  std::vector<float> q;

  std::span<float> Row(std::span<const float> x) {
    auto state = static_cast<std::size_t>(std::ranges::max_element(x) - x.begin());
    return std::span(q).subspan(state * choices, choices);
  }
  float Choose(std::span<const float> x, double epsilon, rl::Rng& random) {
    if (random.uniform() < epsilon)
      return static_cast<float>(random.below(choices));
    auto row = Row(x);
    return static_cast<float>(std::ranges::max_element(row) - row.begin());
  }
};

int main(int argc, char** argv) {
  Config config;
  rl::RunOptions options;
  options.env = "FrozenLake-v1", options.stop_steps = 500'000, options.quiet = true;
  auto fields = options.fields();
  std::ranges::move(config.fields(), std::back_inserter(fields));
  rl::parse_flags(std::vector<std::string>(argv + 1, argv + argc), fields);
  rl::Run run(options, "q-learning", config.fields());
  auto env = rl::make_network_env(options.env);
  std::vector<float> x(rl::value_size(env->observation_space())), action(1);
  auto choices = static_cast<std::size_t>(std::get<rl::Discrete>(env->action_space()).n);
  Table table{choices, std::vector<float>(x.size() * choices)};
  run.restore([&](const rl::Checkpoint& saved) { table.q = saved.get_floats("q"); });
  auto save = [&](rl::Checkpoint& checkpoint) { checkpoint.put_floats("q", table.q); };
  auto evaluate = [&](double epsilon) {
    rl::Rng random(1);
    auto act = [&](auto seen, auto out) { out[0] = table.Choose(seen, epsilon, random); };
    return rl::evaluate(options.env, run.seed(), 1000, act).mean;
  };
  std::printf("random actions: mean return %.2f\n", evaluate(1));

  while (run.more()) { // an episode; its random numbers follow from its number, also when resumed
    auto seed = rl::derive_seed(run.seed(), static_cast<std::uint64_t>(run.updates()));
    rl::Rng random(seed);
    env->reset(seed, x);
    double total = 0;
    for (rl::Step step; !step.terminated && !step.truncated; total += step.reward) {
      action[0] = table.Choose(x, config.epsilon, random);
      auto& q = table.Row(x)[static_cast<std::size_t>(action[0])];
      step = env->step(action, x);
      auto next = step.terminated ? 0 : std::ranges::max(table.Row(x)); // a time limit is no end
      q +=
        static_cast<float>(config.step_size * run.left() * (step.reward + config.gamma * next - q));
      run.add_steps(1);
    }
    run.add_episode(total);
    run.end_update(save);
  }
  run.finish(save);
  std::printf("after %lld steps: mean return %.2f\n", static_cast<long long>(run.steps()),
              evaluate(0));
}
