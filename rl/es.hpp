// Evolution strategies (Salimans et al. 2017, arXiv 1703.03864): try noisy copies of the policy for
// whole episodes, and move towards those that did well.
//
//   rl::EsConfig config;
//   rl::Run run({.env = "Pendulum-v1", .stop_steps = 2'000'000}, "es", config.fields());
//   rl::SerialEsWorkers workers(rl::es_spec(config, run.options()));
//   auto trained = rl::train_es(config, run, workers);
//
// As in the paper: antithetic pairs; centred ranks; Adam with weight decay; a worker is told a seed
// and answers with two numbers, and the noise is made again where it is needed (the paper's shared
// noise, from a seed instead of a table). Both members of a pair play the same episode seeds, so
// that their difference is due to the noise alone. With normalise_observations, the noisy copies
// count what they see, as ARS's do (ars.hpp); the paper's starter code counts one episode in a
// hundred. Left out: virtual batch normalisation, action noise.
//
// What tries policies and sums noise (EsSpec to EsWorkers) knows nothing of how the scores are
// used: ARS uses the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/config.hpp"
#include "rl/env/moments.hpp"
#include "rl/evaluate.hpp"
#include "rl/nn/adam.hpp"
#include "rl/normaliser.hpp"
#include "rl/policy.hpp"
#include "rl/run/run.hpp"

namespace rl {

struct EsConfig {
  std::int64_t pairs = 32;
  std::int64_t episodes = 1;
  double sigma = 0.02;
  double learning_rate = 0.01;
  double weight_decay = 0.005;
  std::vector<std::int64_t> hidden = {64, 64};
  std::string activation = "tanh";
  bool normalise_observations = false;

  std::vector<Field> fields();
};

/// What everybody who tries a policy needs to know; the same for a whole run.
struct EsSpec {
  std::string env;
  PolicySpec policy;     ///< without critic
  double sigma = 0;      ///< standard deviation of the noise on each weight
  int episodes = 1;      ///< per member of a pair
  std::size_t noisy = 0; ///< how many weights get noise, the first ones
};

/// One antithetic pair to try: weights + sigma noise and weights - sigma noise.
struct EsJob {
  std::uint64_t noise_seed = 0; ///< of the standard normal noise, one number a noisy weight
  std::uint64_t env_seed = 0;   ///< of the episodes, the same for both members
};

/// How the pair did.
struct EsScore {
  double plus = 0;        ///< mean return with + noise
  double minus = 0;       ///< mean return with - noise
  std::int64_t steps = 0; ///< of both, together
  /// Of the observations that both acted on; without features unless the policy normalises.
  RunningMoments observations{0};
};

/// The pairs to try in update number `update` of a run with this seed. No two updates share a seed.
std::vector<EsJob> es_jobs(std::uint64_t seed, std::int64_t update, std::int64_t pairs);

/// All returns, plus and minus of each pair in turn. Throws Error{not_finite} when one is NaN or
/// infinite, naming the algorithm, the pair and its episodes.
std::vector<double> es_returns(const char* algorithm, const EsSpec& spec,
                               std::span<const EsJob> jobs, std::span<const EsScore> scores);

/// Tries one pair. A pure function: equal arguments give equal scores wherever it runs. Throws
/// Error{bad_value} when `weights` are not as many as the policy has.
EsScore try_pair(const EsSpec& spec, std::span<const float> weights, const EsJob& job);

/// The sum over the jobs of shares[i] times the noise of job i, which is made again: `weights`
/// numbers, added in the order of the jobs.
std::vector<float> sum_noise(std::size_t weights, std::span<const EsJob> jobs,
                             std::span<const double> shares);

/// How many jobs make a block. The noise of an update is summed block by block, then the blocks by
/// add_in_pairs: so the sum has the same bits whoever adds up what. A block is some 0.3 ms.
std::size_t noise_block(std::size_t weights);

/// sum += part.
void add_to(std::span<float> sum, std::span<const float> part);

/// Adds neighbours, then neighbours among the sums, and so on: a tree whose shape depends on the
/// number of `parts` (at least 1) alone. `add` gives the sum of two: of arrays here, of references
/// to them where tasks add.
template <class Part, class Add>
Part add_in_pairs(std::vector<Part> parts, Add add) {
  while (parts.size() > 1) {
    std::vector<Part> sums;
    for (std::size_t i = 0; i + 1 < parts.size(); i += 2)
      sums.push_back(add(std::move(parts[i]), parts[i + 1]));
    if (parts.size() % 2 == 1)
      sums.push_back(std::move(parts.back()));
    parts = std::move(sums);
  }
  return std::move(parts.front());
}

/// Whoever does the work: the caller's thread here, tasks elsewhere (es_workers). One thread at a
/// time.
class EsWorkers {
public:
  virtual ~EsWorkers() = default;

  /// Tries all pairs around these weights; scores in the order of the jobs.
  virtual std::vector<EsScore> try_pairs(std::span<const float> weights,
                                         std::span<const EsJob> jobs) = 0;

  /// sum_noise of each block of the jobs, added up in pairs; `weights` numbers.
  virtual std::vector<float> weigh_noise(std::size_t weights, std::span<const EsJob> jobs,
                                         std::span<const double> shares) = 0;
};

class SerialEsWorkers final : public EsWorkers {
public:
  explicit SerialEsWorkers(EsSpec spec) : spec_(std::move(spec)) {}

  std::vector<EsScore> try_pairs(std::span<const float> weights,
                                 std::span<const EsJob> jobs) override;
  std::vector<float> weigh_noise(std::size_t weights, std::span<const EsJob> jobs,
                                 std::span<const double> shares) override;

private:
  EsSpec spec_;
};

/// Ranks from -0.5 (lowest) to 0.5 (highest), so that an outlier counts no more than the best.
/// Equal scores share the mean of their ranks. With fewer than two scores, zeros.
std::vector<double> centred_ranks(std::span<const double> scores);

/// What the workers of an ES run need to know.
EsSpec es_spec(const EsConfig& config, const RunOptions& options);

/// Counts steps and episodes of an update in the run. Returns the best return of any member.
double count_scores(Run& run, const EsSpec& spec, std::span<const EsScore> scores);

/// The learner: the weights in the middle, and their optimiser.
class Es {
public:
  Es(const EsConfig& config, const EsSpec& spec, std::uint64_t seed);

  const ActorCritic<float>& policy() const { return policy_; }
  std::span<const float> weights() const { return weights_; }

  /// The pairs to try in update number `update`.
  std::vector<EsJob> jobs(std::int64_t update) const {
    return es_jobs(seed_, update, config_.pairs);
  }

  /// What each pair's noise counts in the gradient of the loss. Throws as es_returns.
  std::vector<double> shares(std::span<const EsJob> jobs, std::span<const EsScore> scores) const;

  /// Counts what the copies saw; from the next update on, policies see by it.
  void observe(std::span<const EsScore> scores);

  /// Moves the weights against the gradient of the loss, weight decay added. Returns its norm
  /// before that.
  double step(std::vector<float> gradient);

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

private:
  EsConfig config_;
  EsSpec spec_;
  std::uint64_t seed_;
  ActorCritic<float> policy_;
  std::vector<float> weights_;
  Normaliser scale_;
  nn::Adam<float> adam_;
};

/// Trains until the run says stop, then evaluates the weights in the middle. Errors: those of the
/// parts.
TrainResult train_es(const EsConfig& config, Run& run, EsWorkers& workers);

} // namespace rl
