#include "rl/apex_workers.hpp"

#include <algorithm>

#include "rl/env/registry.hpp"
#include "rl/rollout_actor.hpp"

namespace rl {

namespace {

constexpr int most_failures = 3;       // of an actor or shard in a row
constexpr std::size_t drawn_ahead = 2; // samples of each shard that are asked for

TransitionsMessage to_message(const Transitions& rows) {
  return {rows.observation_size,
          rows.action_size,
          ray::Array<float>(rows.observation),
          ray::Array<float>(rows.action),
          ray::Array<float>(rows.reward),
          ray::Array<float>(rows.discount),
          ray::Array<float>(rows.next_observation)};
}

void read_message(const TransitionsMessage& from, Transitions& rows) {
  rows.observation_size = from.observation_size;
  rows.action_size = from.action_size;
  rows.observation.assign(from.observation.begin(), from.observation.end());
  rows.action.assign(from.action.begin(), from.action.end());
  rows.reward.assign(from.reward.begin(), from.reward.end());
  rows.discount.assign(from.discount.begin(), from.discount.end());
  rows.next_observation.assign(from.next_observation.begin(), from.next_observation.end());
}

ApexConfig to_config(const std::string& text) {
  ApexConfig config;
  read_fields(config.fields(), text);
  return config;
}

template <class T>
void kill(ray::ActorHandle<T>& handle) {
  try {
    handle.Kill();
  } catch (const ray::internal::RayException&) { // it is dead already
  }
}

} // namespace

// ---- actors ----

ApexActor* ApexActor::Create(std::string config, std::string env, std::uint64_t seed, int first,
                             int count, int life) {
  return new ApexActor(ApexActing(to_config(config), env, seed, first, count, life));
}

ApexFragmentMessage ApexActor::Act(ray::Array<float> weights, std::int64_t updates) {
  auto& fragment = acting_.act(weights);
  return {to_message(fragment.rows), ray::Array<float>(fragment.errors), fragment.returns,
          fragment.steps, updates};
}

// ---- shards of the replay ----

ReplayShard::ReplayShard(const ApexConfig& config, Replay replay, Rng draws)
  : minibatch_(config.dqn.minibatch), beta_(config.dqn.beta), replay_(std::move(replay)),
    draws_(draws) {}

ReplayShard* ReplayShard::Create(std::string text, std::uint64_t observation_size,
                                 std::uint64_t seed, std::uint64_t shard, int life) {
  auto config = to_config(text);
  return new ReplayShard(config, Replay(apex_shard(config, observation_size)),
                         apex_draws(seed, shard, life));
}

ApexReceipt ReplayShard::Add(ApexFragmentMessage fragment) {
  Transitions rows;
  read_message(fragment.rows, rows);
  replay_.add(rows, fragment.errors);
  return {std::move(fragment.returns), fragment.steps, fragment.updates, replay_.size()};
}

ApexSampleMessage ReplayShard::Sample() {
  if (replay_.size() == 0)
    return {};
  replay_.sample(static_cast<std::size_t>(minibatch_), beta_, draws_, sample_);
  return {to_message(sample_.rows), ray::Array<float>(sample_.importance), sample_.numbers};
}

void ReplayShard::Update(std::vector<std::uint64_t> numbers, ray::Array<float> errors) {
  replay_.update(numbers, errors);
}

// The text is the name that other processes call: with its namespace, so that it stays ours.
RAY_REMOTE(rl::ApexActor::Create, &rl::ApexActor::Act, rl::ReplayShard::Create,
           &rl::ReplayShard::Add, &rl::ReplayShard::Sample, &rl::ReplayShard::Update)

// ---- in the driver ----

RayApexWorkers::RayApexWorkers(const ApexConfig& config, const RunOptions& options, int actors)
  : config_(config), config_text_(write_fields(config_.fields())), env_(options.env),
    seed_(static_cast<std::uint64_t>(options.seed)),
    observation_size_(value_size(make_network_env(options.env)->observation_space())) {
  auto envs = static_cast<int>(config.envs);
  actors_.resize(static_cast<std::size_t>(std::clamp(actors, 1, envs)));
  for (std::size_t i = 0; auto& actor : actors_) { // as even as they can be
    auto count = static_cast<int>(actors_.size());
    actor.first = envs * static_cast<int>(i) / count;
    actor.count = envs * static_cast<int>(++i) / count - actor.first;
    start(actor);
  }
  shards_.resize(static_cast<std::size_t>(config.shards));
  for (std::size_t i = 0; i < shards_.size(); ++i)
    start(i);
}

RayApexWorkers::~RayApexWorkers() {
  if (!ray::IsInitialized())
    return;
  for (auto& actor : actors_)
    kill(actor.handle);
  for (auto& shard : shards_)
    kill(shard.handle);
}

void RayApexWorkers::start(Actor& actor) {
  actor.handle = ray::Actor(ApexActor::Create)
                   .Remote(config_text_, env_, seed_, actor.first, actor.count, actor.life);
}

void RayApexWorkers::start(std::size_t i) {
  auto& shard = shards_[i];
  shard.handle =
    ray::Actor(ReplayShard::Create).Remote(config_text_, observation_size_, seed_, i, shard.life);
  shard.size = 0;
  shard.samples.clear();
}

// Called where its death was caught.
void RayApexWorkers::replace_shard(std::size_t i) {
  auto& shard = shards_[i];
  if (++shard.failures > most_failures)
    throw;
  ++shard.life;
  ++shard_deaths_;
  start(i);
}

void RayApexWorkers::set_weights(std::span<const float> weights, std::int64_t updates) {
  weights_ = ray::Put(ray::Array<float>(weights));
  updates_ = updates;
}

// The driver keeps references only: the fragment goes from the actor to the shard.
void RayApexWorkers::begin_fragment(Actor& actor) {
  actor.shard = next_add_++ % shards_.size();
  auto& shard = shards_[actor.shard];
  actor.shard_life = shard.life;
  actor.fragment = actor.handle.Task(&ApexActor::Act).Remote(weights_, updates_);
  actor.receipt = shard.handle.Task(&ReplayShard::Add).Remote(actor.fragment);
  actor.busy = true;
}

void RayApexWorkers::receive(Actor& actor, ApexArrivals& arrivals) {
  actor.busy = false;
  try {
    auto receipt = actor.receipt.Get();
    actor.failures = 0;
    auto& shard = shards_[actor.shard];
    if (shard.life == actor.shard_life) {
      shard.failures = 0;
      shard.size = receipt->size;
    }
    arrivals.steps += receipt->steps;
    arrivals.returns.insert(arrivals.returns.end(), receipt->returns.begin(),
                            receipt->returns.end());
    arrivals.lag += static_cast<double>(updates_ - receipt->updates);
    ++arrivals.fragments;
    return;
  } catch (const ray::internal::RayException&) { // whose fault was it?
  }
  try {
    actor.fragment.Get();
  } catch (const ray::internal::RayException& error) {
    if (!is_death(error) || ++actor.failures > most_failures)
      throw;
    ++actor.life;
    ++arrivals.actor_deaths;
    start(actor);
    return;
  }
  try {
    actor.receipt.Get();
  } catch (const ray::internal::RayException& error) {
    if (!is_death(error))
      throw;
    if (shards_[actor.shard].life == actor.shard_life)
      replace_shard(actor.shard);
  }
}

ApexArrivals RayApexWorkers::act(bool go, bool wait) {
  ApexArrivals arrivals;
  std::vector<ray::ObjectRef<ApexReceipt>> under_way;
  std::vector<Actor*> whose;
  for (auto& actor : actors_) {
    if (!actor.busy && go)
      begin_fragment(actor);
    if (actor.busy) {
      under_way.push_back(actor.receipt);
      whose.push_back(&actor);
    }
  }
  arrivals.under_way = static_cast<std::int64_t>(under_way.size());
  if (under_way.empty())
    return arrivals;
  auto ready = ray::Wait(under_way, 1, wait ? -1 : 0).ready;
  for (auto& ref : ready)
    for (auto* actor : whose)
      if (actor->busy && actor->receipt.ID() == ref.ID())
        receive(*actor, arrivals);
  arrivals.shard_deaths = std::exchange(shard_deaths_, 0);
  return arrivals;
}

std::size_t RayApexWorkers::size() const {
  std::size_t sum = 0;
  for (auto& shard : shards_)
    sum += shard.size;
  return sum;
}

bool RayApexWorkers::sample(ApexSample& out) {
  for (std::size_t tried = 0; tried < shards_.size(); ++tried) {
    out.shard = next_sample_++ % shards_.size();
    auto& shard = shards_[out.shard];
    if (shard.size == 0)
      continue; // as of what has arrived; another one has something
    out.life = shard.life;
    while (shard.samples.size() < drawn_ahead)
      shard.samples.push_back(shard.handle.Task(&ReplayShard::Sample).Remote());
    std::shared_ptr<ApexSampleMessage> message;
    try {
      message = shard.samples.front().Get();
    } catch (const ray::internal::RayException& error) {
      if (!is_death(error))
        throw;
      replace_shard(out.shard);
      continue;
    }
    shard.samples.erase(shard.samples.begin());
    shard.samples.push_back(shard.handle.Task(&ReplayShard::Sample).Remote());
    if (message->numbers.empty())
      continue;
    read_message(message->rows, out.sample.rows);
    out.sample.importance.assign(message->importance.begin(), message->importance.end());
    out.sample.numbers = message->numbers;
    return true;
  }
  return false;
}

void RayApexWorkers::update(const ApexSample& of, std::span<const float> errors) {
  auto& shard = shards_[of.shard];
  if (shard.life == of.life)
    shard.handle.Task(&ReplayShard::Update).Remote(of.sample.numbers, ray::Array<float>(errors));
}

std::unique_ptr<ApexWorkers> make_apex_workers(const ApexConfig& config, const RunOptions& options,
                                               int actors) {
  if (actors == 0)
    return std::make_unique<SerialApexWorkers>(config, options);
  return std::make_unique<RayApexWorkers>(config, options, actors);
}

} // namespace rl
