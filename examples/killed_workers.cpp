// Asynchronous sampling with workers that are killed: IMPALA's loop, which waits for 2 of 8
// fragments at a time, while one of the actors that sample dies in every fiftieth update.
//
//   build/bin/example_killed_workers
//
// Trains until the pole stands. Prints how many actors were killed, how many fragments that cost
// (one each), how many updates fragments lagged behind, and the mean return in the end: 475 to 500.

#include <cstdio>

#include <ray/api.h>

#include "rl/impala.hpp"
#include "rl/impala_workers.hpp"

int main() {
  ray::RayConfig runtime;
  runtime.num_cpus = 2; // two of the eight groups sample at a time
  ray::Init(runtime);
  {
    rl::ImpalaConfig config; // 32 environments in 8 groups; an update takes 2 fragments of 20 steps
    rl::RunOptions options;
    options.env = "CartPole-v1";
    auto spec = rl::impala_workers(config, options);
    rl::RayAsyncWorkers workers(spec, 2);
    rl::Impala learner(config, spec.workers.policy, 1);
    rl::Arrivals fragments;
    rl::ActorCritic<float>::Workspace memory;
    auto evaluate = [&] {
      return rl::evaluate("CartPole-v1", 1, 20, [&](auto observation, auto action) {
        learner.policy().act_greedily(learner.weights(), observation, action, memory);
      });
    };
    double lag = 0, reached = 0;
    int update = 0, killed = 0;
    for (const int most = 10'000; update < most && reached < 475; ++update) {
      if (update % 50 == 25) {
        auto victim = workers.actor(static_cast<std::size_t>(killed++) % 8);
        victim.Kill(); // its successor goes on where the last fragment taken from it ended
      }
      workers.set_weights(learner.weights());
      workers.gather(2, fragments); // whichever are there first
      learner.update(fragments.batch, fragments.envs, 1 - update / double{most});
      lag += fragments.lag;
      if (update % 250 == 249)
        reached = evaluate().mean;
    }
    std::printf("%d actors were killed, %lld fragments lost; fragments lagged %.1f updates\n",
                killed, static_cast<long long>(fragments.lost), lag / update);
    std::printf("mean return %.0f\n", reached);
  }
  ray::Shutdown();
}
