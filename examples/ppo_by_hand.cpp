// Proximal policy optimisation by hand, on CartPole: the loop of rl/ppo.cpp from the parts alone.
//
//   build/bin/example_ppo_by_hand
//
// Prints the mean return of the episodes that ended in every tenth update, from 20 to 500 (0 where
// none ended); the policy it ends with keeps the pole up for 500 steps. Takes a second.

#include <cmath>
#include <cstdio>
#include <numeric>

#include "rl/env/registry.hpp"
#include "rl/evaluate.hpp"
#include "rl/gae.hpp"
#include "rl/learner.hpp"
#include "rl/workers.hpp"

int main() {
  const std::size_t envs = 8, horizon = 64, minibatch = 128, epochs = 8;
  const float clip = 0.2f;
  auto task = rl::make_env("CartPole-v1");
  rl::WorkersSpec spec{"CartPole-v1", 1, envs, {task->observation_space(), task->action_space()}};
  rl::SerialWorkers workers(spec); // rl::make_workers(spec, 4): the same numbers from four actors
  rl::ActorCritic<float> policy(spec.policy);
  rl::ActorCritic<float>::Workspace memory;
  rl::Rng random(1);
  auto theta = policy.initialise(random);
  rl::nn::Adam<float> adam(theta.size(), {.epsilon = 1e-5});
  std::vector<float> gradient(theta.size()), A(envs * horizon);
  std::vector<std::size_t> order(envs * horizon);
  std::iota(order.begin(), order.end(), std::size_t{0});

  for (int update = 0; update <= 100; ++update) {
    rl::Batch batch; // [time, env, feature]
    workers.set_weights(theta);
    workers.sample(horizon, batch);
    rl::BatchValues V; // of what was seen, and of what followed
    rl::judge(policy, theta, batch, memory, V);
    rl::gae({horizon, envs, batch.reward, V.now, V.next, batch.terminated, batch.truncated, A},
            0.98, 0.9);
    auto left = 1 - static_cast<float>(update) / 101; // step size and clip range fall to 0

    for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
      random.shuffle(std::span(order));
      for (std::size_t begin = 0; begin < order.size(); begin += minibatch) {
        std::vector<float> x, a, log_pi(minibatch), H(minibatch), d_log_pi, d_H(minibatch), d_V;
        float mean = 0, variance = 0; // of the advantages of this minibatch
        for (auto i : std::span(order).subspan(begin, minibatch)) {
          x.insert(x.end(), &batch.observation[4 * i], &batch.observation[4 * i] + 4);
          a.push_back(batch.action[i]);
          mean += A[i] / minibatch;
        }
        for (auto i : std::span(order).subspan(begin, minibatch))
          variance += (A[i] - mean) * (A[i] - mean) / minibatch;
        policy.evaluate(theta, x, a, log_pi, H, memory);
        auto v = policy.value(theta, x, memory);
        for (std::size_t k = 0; k < minibatch; ++k) {
          auto i = order[begin + k];
          auto advantage = (A[i] - mean) / (std::sqrt(variance) + 1e-8f);
          auto ratio = std::exp(log_pi[k] - batch.log_prob[i]);
          auto bounded = std::clamp(ratio, 1 - clip * left, 1 + clip * left);
          auto free = ratio * advantage <= bounded * advantage; // else the bound has no slope
          d_log_pi.push_back(free ? -ratio * advantage / minibatch : 0);
          d_V.push_back(0.5f * (v[k] - (A[i] + V.now[i])) / minibatch);
        }
        std::fill(gradient.begin(), gradient.end(), 0.0f);
        policy.backward(theta, x, a, d_log_pi, d_H, d_V, gradient, memory);
        rl::nn::clip_norm(std::span(gradient), 0.5);
        adam.step(theta, gradient, 2e-3 * left);
      }
    }
    double sum = 0;
    for (auto& end : batch.ends)
      sum += end.episode.total / static_cast<double>(batch.ends.size());
    if (update % 10 == 0)
      std::printf("update %3d   mean return %3.0f\n", update, sum);
  }
  auto result = rl::evaluate("CartPole-v1", 1, 20, [&](auto observation, auto action) {
    policy.act_greedily(theta, observation, action, memory);
  });
  std::printf("greedy: mean return %.0f\n", result.mean);
}
