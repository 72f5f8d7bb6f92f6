#include "rl/es_workers.hpp"

#include <algorithm>

#include <ray/api.h>

#include "rl/env/registry.hpp"

namespace rl {

namespace {

// An EsSpec as it travels: without the spaces, which follow from the environment's name.
struct EsSpecMessage {
  std::string env;
  std::vector<std::int64_t> hidden;
  std::string activation;
  double sigma = 0;
  int episodes = 0;
  std::uint64_t noisy = 0;
  bool normalise = false;
  MSGPACK_DEFINE(env, hidden, activation, sigma, episodes, noisy, normalise)
};

EsSpec to_spec(const EsSpecMessage& message) {
  auto env = make_network_env(message.env);
  return {message.env,
          {env->observation_space(), env->action_space(), message.hidden, message.activation, false,
           message.normalise},
          message.sigma,
          message.episodes,
          message.noisy};
}

// A score as it travels, and the way back.
struct EsScoreMessage {
  double plus = 0, minus = 0;
  std::int64_t steps = 0;
  std::string observations; ///< moments, saved; empty without features
  MSGPACK_DEFINE(plus, minus, steps, observations)
};

EsScoreMessage to_message(const EsScore& score) {
  ByteWriter out;
  if (score.observations.features() > 0)
    score.observations.save(out);
  return {score.plus, score.minus, score.steps, out.take()};
}

EsScore to_score(const EsScoreMessage& message, std::size_t features) {
  EsScore score{message.plus, message.minus, message.steps, RunningMoments(features)};
  if (features > 0) {
    ByteReader in(message.observations);
    score.observations.load(in);
  }
  return score;
}

// ---- tasks ----

// Tries pairs one after the other. `seeds`: noise and environment of each.
std::vector<EsScoreMessage> TryPairs(EsSpecMessage spec, ray::Array<float> weights,
                                     std::vector<std::uint64_t> seeds) {
  std::vector<EsScoreMessage> scores;
  auto whole = to_spec(spec);
  for (std::size_t i = 0; i + 1 < seeds.size(); i += 2)
    scores.push_back(to_message(try_pair(whole, weights, {seeds[i], seeds[i + 1]})));
  return scores;
}

// The weighed noise of one block. `seeds` as above.
ray::Array<float> SumNoise(std::uint64_t weights, std::vector<std::uint64_t> seeds,
                           std::vector<double> shares) {
  std::vector<EsJob> jobs;
  for (std::size_t i = 0; i + 1 < seeds.size(); i += 2)
    jobs.push_back({seeds[i], seeds[i + 1]});
  return ray::Array<float>(sum_noise(weights, jobs, shares));
}

// A node of the tree above the blocks.
ray::Array<float> AddSums(ray::Array<float> one, ray::Array<float> other) {
  std::vector<float> sum(one.begin(), one.end());
  add_to(sum, other);
  return ray::Array<float>(sum);
}

// The text is the name that other processes call: with its namespace, so that it stays ours.
RAY_REMOTE(rl::TryPairs, rl::SumNoise, rl::AddSums)

// ---- in the driver ----

std::vector<std::uint64_t> seeds_of(std::span<const EsJob> jobs) {
  std::vector<std::uint64_t> seeds;
  for (auto& job : jobs)
    seeds.insert(seeds.end(), {job.noise_seed, job.env_seed});
  return seeds;
}

// Hands out a task for every `size` of `count` jobs, at most `limit` at a time. `submit` gets the
// first job and how many there are; results are in the order of the jobs, some still under way.
template <class T, class Submit>
std::vector<ray::ObjectRef<T>> hand_out(std::size_t count, std::size_t size, std::size_t limit,
                                        Submit submit) {
  std::vector<ray::ObjectRef<T>> all, running;
  for (std::size_t i = 0; i < count; i += size) {
    if (running.size() == limit) {
      auto unready = ray::Wait(running, 1, -1).unready;
      running.assign(unready.begin(), unready.end());
    }
    all.push_back(submit(i, std::min(size, count - i)));
    running.push_back(all.back());
  }
  return all;
}

class RayEsWorkers final : public EsWorkers {
public:
  RayEsWorkers(const EsSpec& spec, int workers)
    : spec_{spec.env,      spec.policy.hidden, spec.policy.activation, spec.sigma,
            spec.episodes, spec.noisy,         spec.policy.normalise},
      features_(spec.policy.normalise ? value_size(spec.policy.observation_space) : 0),
      workers_(static_cast<std::size_t>(workers)) {}

  std::vector<EsScore> try_pairs(std::span<const float> weights,
                                 std::span<const EsJob> jobs) override {
    auto shared = ray::Put(ray::Array<float>(weights));
    auto size = std::max<std::size_t>(1, jobs.size() / (workers_ * 4)); // four rounds even out
    auto submit = [&](std::size_t first, std::size_t count) {
      return ray::Task(TryPairs).Remote(spec_, shared, seeds_of(jobs.subspan(first, count)));
    };
    std::vector<EsScore> scores;
    for (auto& part :
         ray::Get(hand_out<std::vector<EsScoreMessage>>(jobs.size(), size, workers_, submit)))
      for (auto& score : *part)
        scores.push_back(to_score(score, features_));
    return scores;
  }

  std::vector<float> weigh_noise(std::size_t weights, std::span<const EsJob> jobs,
                                 std::span<const double> shares) override {
    auto block = noise_block(weights);
    if (jobs.size() <= block)
      return sum_noise(weights, jobs, shares); // less work than a task
    auto submit = [&](std::size_t first, std::size_t count) {
      auto part = shares.subspan(first, count);
      return ray::Task(SumNoise).Remote(static_cast<std::uint64_t>(weights),
                                        seeds_of(jobs.subspan(first, count)),
                                        std::vector<double>(part.begin(), part.end()));
    };
    auto root =
      add_in_pairs(hand_out<ray::Array<float>>(jobs.size(), block, workers_, submit),
                   [](auto one, auto& other) { return ray::Task(AddSums).Remote(one, other); });
    auto sum = root.Get();
    return {sum->begin(), sum->end()};
  }

private:
  EsSpecMessage spec_;
  std::size_t features_; // whose moments come back with the scores
  std::size_t workers_;
};

} // namespace

std::unique_ptr<EsWorkers> make_es_workers(const EsSpec& spec, int workers) {
  if (workers == 0)
    return std::make_unique<SerialEsWorkers>(spec);
  return std::make_unique<RayEsWorkers>(spec, workers);
}

} // namespace rl
