#include "rl/ray_workers.hpp"

#include <algorithm>

#include <ray/api.h>

#include "rl/env/registry.hpp"

namespace rl {

namespace {

// ---- what travels ----

// A WorkersSpec or EsSpec without the spaces, which follow from the environment's name.
struct SpecMessage {
  std::string env;
  std::uint64_t seed = 0;
  int envs = 0;
  std::vector<std::int64_t> hidden;
  std::string activation;
  double sigma = 0;
  int episodes = 0;
  MSGPACK_DEFINE(env, seed, envs, hidden, activation, sigma, episodes)

  PolicySpec policy(bool critic) const {
    auto made = make_env(env);
    return {made->observation_space(), made->action_space(), hidden, activation, critic};
  }
};

// A Batch whose columns lie in the object store.
struct FragmentMessage {
  std::vector<std::uint64_t> shape; // steps, envs, observation, action
  ray::Array<float> observation, action, log_prob, reward, final_observation;
  ray::Array<std::uint8_t> terminated, truncated;
  std::vector<std::int64_t> ends; // time, column, environment, length of each
  std::vector<double> totals;     // return of each
  MSGPACK_DEFINE(shape, observation, action, log_prob, reward, final_observation, terminated,
                 truncated, ends, totals)
};

FragmentMessage to_message(const Batch& batch) {
  auto& s = batch.shape;
  FragmentMessage message{{s.steps, s.envs, s.observation, s.action},
                          ray::Array<float>(batch.observation),
                          ray::Array<float>(batch.action),
                          ray::Array<float>(batch.log_prob),
                          ray::Array<float>(batch.reward),
                          ray::Array<float>(batch.final_observation),
                          ray::Array<std::uint8_t>(batch.terminated),
                          ray::Array<std::uint8_t>(batch.truncated),
                          {},
                          {}};
  for (auto& end : batch.ends) {
    message.ends.insert(message.ends.end(),
                        {static_cast<std::int64_t>(end.time), static_cast<std::int64_t>(end.env),
                         end.episode.env, end.episode.length});
    message.totals.push_back(end.episode.total);
  }
  return message;
}

BatchView to_view(const FragmentMessage& message, std::vector<BatchEnd>& ends) {
  for (std::size_t i = 0; i < message.totals.size(); ++i) {
    auto* end = &message.ends[4 * i];
    ends.push_back({static_cast<std::size_t>(end[0]),
                    static_cast<std::size_t>(end[1]),
                    {static_cast<int>(end[2]), message.totals[i], end[3]}});
  }
  auto& s = message.shape;
  return {{s[0], s[1], s[2], s[3]}, message.observation, message.action,    message.log_prob,
          message.reward,           message.terminated,  message.truncated, ends,
          message.final_observation};
}

// ---- rollouts: one actor a block of environments ----

class RolloutActor {
public:
  static RolloutActor* Create(SpecMessage spec, int first, int count) {
    return new RolloutActor(spec, first, count);
  }

  FragmentMessage Sample(ray::Array<float> weights, std::int64_t steps) {
    worker_.sample(weights, static_cast<std::size_t>(steps), batch_);
    return to_message(batch_);
  }

  std::vector<std::string> Save() { return worker_.save(); }

  bool Load(std::vector<std::string> states) {
    worker_.load(states);
    return true;
  }

private:
  RolloutActor(const SpecMessage& spec, int first, int count)
    : worker_({spec.env, spec.seed, spec.envs, spec.policy(true)}, first, count) {}

  RolloutWorker worker_;
  Batch batch_;
};

RAY_REMOTE(RolloutActor::Create, &RolloutActor::Sample, &RolloutActor::Save, &RolloutActor::Load)

class RayWorkers final : public Workers {
public:
  RayWorkers(const WorkersSpec& spec, int workers) : spec_(spec) {
    auto& policy = spec.policy;
    SpecMessage message{spec.env, spec.seed, spec.envs, policy.hidden, policy.activation, 0, 0};
    workers = std::min(workers, spec.envs);
    for (int i = 0; i < workers; ++i) { // blocks as even as they can be
      auto first = spec.envs * i / workers, end = spec.envs * (i + 1) / workers;
      firsts_.push_back(first);
      counts_.push_back(end - first);
      actors_.push_back(ray::Actor(RolloutActor::Create).Remote(message, first, end - first));
    }
  }

  ~RayWorkers() override {
    if (!ray::IsInitialized())
      return;
    for (auto& actor : actors_)
      try {
        actor.Kill();
      } catch (const ray::internal::RayException&) { // it is dead already
      }
  }

  void set_weights(std::span<const float> weights) override {
    weights_ = ray::Put(ray::Array<float>(weights));
  }

  void sample(std::size_t steps, Batch& out) override {
    std::vector<ray::ObjectRef<FragmentMessage>> refs;
    for (auto& actor : actors_)
      refs.push_back(
        actor.Task(&RolloutActor::Sample).Remote(weights_, static_cast<std::int64_t>(steps)));
    for (std::size_t i = 0; i < refs.size(); ++i) {
      auto fragment = refs[i].Get();
      std::vector<BatchEnd> ends;
      auto part = to_view(*fragment, ends);
      if (i == 0)
        out.resize(
          {steps, static_cast<std::size_t>(spec_.envs), part.shape.observation, part.shape.action});
      out.insert(part, static_cast<std::size_t>(firsts_[i]));
    }
    out.sort_ends();
  }

  std::vector<std::string> save() override {
    std::vector<ray::ObjectRef<std::vector<std::string>>> refs;
    for (auto& actor : actors_)
      refs.push_back(actor.Task(&RolloutActor::Save).Remote());
    std::vector<std::string> states;
    for (auto& part : ray::Get(refs))
      states.insert(states.end(), part->begin(), part->end());
    return states;
  }

  void load(std::span<const std::string> states) override {
    if (states.size() != static_cast<std::size_t>(spec_.envs))
      throw Error(ErrorCode::bad_checkpoint, "the saved run has " + std::to_string(states.size())
                                               + " environments, this one "
                                               + std::to_string(spec_.envs));
    std::vector<ray::ObjectRef<bool>> refs;
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      auto part =
        states.subspan(static_cast<std::size_t>(firsts_[i]), static_cast<std::size_t>(counts_[i]));
      refs.push_back(actors_[i]
                       .Task(&RolloutActor::Load)
                       .Remote(std::vector<std::string>(part.begin(), part.end())));
    }
    ray::Get(refs);
  }

private:
  WorkersSpec spec_;
  std::vector<ray::ActorHandle<RolloutActor>> actors_;
  std::vector<int> firsts_, counts_; // environments of each actor
  ray::ObjectRef<ray::Array<float>> weights_;
};

// ---- ES: one task a handful of pairs ----

// Plus and minus of each pair, then steps of each pair: three numbers a pair, flat.
std::vector<double> TryPairs(SpecMessage message, ray::Array<float> weights,
                             std::vector<std::uint64_t> seeds) {
  EsSpec spec{message.env, message.policy(false), message.sigma, message.episodes};
  std::vector<double> scores;
  for (std::size_t i = 0; i + 1 < seeds.size(); i += 2) {
    auto score = try_pair(spec, weights, {seeds[i], seeds[i + 1]});
    scores.insert(scores.end(), {score.plus, score.minus, static_cast<double>(score.steps)});
  }
  return scores;
}

RAY_REMOTE(TryPairs)

class RayEsWorkers final : public EsWorkers {
public:
  RayEsWorkers(const EsSpec& spec, int workers)
    : message_{spec.env,     0, 0, spec.policy.hidden, spec.policy.activation, spec.sigma,
               spec.episodes},
      workers_(static_cast<std::size_t>(workers)) {}

  std::vector<EsScore> try_pairs(std::span<const float> weights,
                                 std::span<const EsJob> jobs) override {
    auto shared = ray::Put(ray::Array<float>(weights));
    auto size = std::max<std::size_t>(1, jobs.size() / (workers_ * 4)); // four rounds even out
    std::vector<ray::ObjectRef<std::vector<double>>> refs;
    for (std::size_t i = 0; i < jobs.size(); i += size) {
      std::vector<std::uint64_t> seeds;
      for (auto& job : jobs.subspan(i, std::min(size, jobs.size() - i)))
        seeds.insert(seeds.end(), {job.noise_seed, job.env_seed});
      refs.push_back(ray::Task(TryPairs).Remote(message_, shared, seeds));
    }
    std::vector<EsScore> scores;
    for (auto& part : ray::Get(refs))
      for (std::size_t i = 0; i < part->size(); i += 3)
        scores.push_back({(*part)[i], (*part)[i + 1], static_cast<std::int64_t>((*part)[i + 2])});
    return scores;
  }

private:
  SpecMessage message_;
  std::size_t workers_;
};

} // namespace

std::unique_ptr<Workers> make_workers(const WorkersSpec& spec, int workers) {
  if (workers == 0)
    return std::make_unique<SerialWorkers>(spec);
  return std::make_unique<RayWorkers>(spec, workers);
}

std::unique_ptr<EsWorkers> make_es_workers(const EsSpec& spec, int workers) {
  if (workers == 0)
    return std::make_unique<SerialEsWorkers>(spec);
  return std::make_unique<RayEsWorkers>(spec, workers);
}

} // namespace rl
