// Evolution strategies by hand, on Pendulum-v1 (Salimans et al. 2017, arXiv:1703.03864).
//
//   build/bin/example_es_pendulum
//
// The weights of a small network are moved at random, both ways, then a step towards what scored
// better. Tasks play the episodes; only seeds travel, from which a task makes its noise itself.
// Prints the mean return as it grows, from about -1250 (it hangs) to -200 (swung up and held).

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include <ray/api.h>

#include "rl/env/registry.hpp"

constexpr int pairs = 32, updates = 300, hidden = 16, parameters = 5 * hidden + 1;
constexpr float noise_scale = 0.1f, step_size = 0.05f;
using Weights = std::vector<float>;

Weights Noise(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Weights noise(parameters);
  std::ranges::generate(noise, [&] { return normal(random); });
  return noise;
}

// One hidden layer of tanh: observation [3] to torque in [-2, 2].
float Act(const Weights& w, const float* x) {
  float out = w.back();
  for (const float* p = w.data(); p < &w.back(); p += 5)
    out += p[4] * std::tanh(p[0] * x[0] + p[1] * x[1] + p[2] * x[2] + p[3]);
  return 2 * std::tanh(out);
}

double Return(Weights w, unsigned seed, float scale) {
  auto noise = Noise(seed);
  for (int i = 0; i < parameters; ++i)
    w[i] += scale * noise[i];
  auto env = rl::make_env("Pendulum-v1");
  float observation[3];
  env->reset(seed, observation); // both members of a pair start from the same place
  double sum = 0;
  for (rl::Step step; !step.truncated; sum += step.reward)
    step = env->step({{Act(w, observation)}}, observation);
  return sum;
}
RAY_REMOTE(Return);

int main() {
  ray::Init();
  Weights w(parameters);
  for (unsigned update = 0; update <= updates; ++update) {
    auto shared = ray::Put(w); // once, however many tasks read it
    std::vector<ray::ObjectRef<double>> plus, minus;
    for (unsigned i = update * pairs; i < (update + 1) * pairs; ++i) {
      plus.push_back(ray::Task(Return).Remote(shared, i, noise_scale));
      minus.push_back(ray::Task(Return).Remote(shared, i, -noise_scale));
    }
    double mean = 0, squares = 0;
    std::vector<double> gradient(parameters);
    for (unsigned i = 0; i < pairs; ++i) {
      double better = *plus[i].Get() - *minus[i].Get();
      auto noise = Noise(update * pairs + i);
      for (int k = 0; k < parameters; ++k)
        gradient[k] += better * noise[k];
      squares += better * better;
      mean += (*plus[i].Get() + *minus[i].Get()) / (2 * pairs);
    }
    for (int k = 0; k < parameters; ++k)
      w[k] += step_size * gradient[k] / std::sqrt(squares);
    if (update % 25 == 0)
      std::printf("update %3u   mean return %5.0f\n", update, mean);
  }
  ray::Shutdown();
}
