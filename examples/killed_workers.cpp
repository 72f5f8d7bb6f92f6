// Asynchronous sampling with workers that are killed: IMPALA's loop, which waits for 2 of 8
// fragments at a time, while one of the actors that sample dies in every twentieth update.
//
//   build/bin/example_killed_workers
//
// Prints how many fragments the deaths have cost (one each), how many updates fragments lagged
// behind, and the mean return in the end, which is that of an undisturbed run: 400 to 500.

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
    double lag = 0;
    const int updates = 1000;
    for (int update = 0; update < updates; ++update) {
      if (update % 20 == 10) {
        auto victim = workers.actor(static_cast<std::size_t>(update / 20) % 8);
        victim.Kill(); // its successor goes on where the last fragment taken from it ended
      }
      workers.set_weights(learner.weights());
      workers.gather(2, fragments); // whichever are there first
      learner.update(fragments.batch, fragments.envs, 1 - update / double{updates});
      lag += fragments.lag / updates;
    }
    rl::ActorCritic<float>::Workspace memory;
    auto result = rl::evaluate("CartPole-v1", 1, 20, [&](auto observation, auto action) {
      learner.policy().act_greedily(learner.weights(), observation, action, memory);
    });
    std::printf("50 actors were killed, %lld fragments lost; fragments lagged %.1f updates\n",
                static_cast<long long>(fragments.lost), lag);
    std::printf("mean return %.0f\n", result.mean);
  }
  ray::Shutdown();
}
