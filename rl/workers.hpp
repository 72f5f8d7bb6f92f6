// Workers: whoever steps the environments with the policy and brings back batches.
//
// Algorithms see only the interface. SerialWorkers does it all in the caller's thread, to be
// stepped through in a debugger; other implementations spread the same environments over actors.
// All give the same batches, bit by bit, because what an environment lives through depends on its
// index alone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rl/batch.hpp"
#include "rl/policy.hpp"

namespace rl {

/// What the workers of one run have in common.
struct WorkersSpec {
  std::string env;        ///< registered name
  std::uint64_t seed = 0; ///< of the run; environments and action sampling derive theirs from it
  int envs = 8;           ///< environments of all workers together
  PolicySpec policy;      ///< with the spaces of `env`
};

/// What a fragment took.
struct SamplingTimes {
  double sampling = 0;   ///< seconds, all of it
  double simulation = 0; ///< seconds in environments, measured in every 8th step and scaled up
};

/// Environments `first` .. `first + count - 1` of a run, and the policy that acts in them. What a
/// worker is made of wherever it runs. One thread at a time.
class RolloutWorker {
public:
  /// Errors: as make_env and ActorCritic.
  RolloutWorker(const WorkersSpec& spec, int first, int count);

  /// Takes `steps` steps in each of its environments with these weights (read during the call only)
  /// and fills `out`, which has count() columns. Throws Error{bad_value} when they are not as many
  /// as the policy has.
  void sample(std::span<const float> weights, std::size_t steps, Batch& out);

  int count() const { return envs_.count(); }

  /// Of the latest fragment.
  const SamplingTimes& times() const { return times_; }

  /// Where each environment and its sampling stand: one byte string an environment, by index. They
  /// do not tell how environments are spread over workers.
  std::vector<std::string> save() const;
  /// Continues from there; one state for each environment of this worker. Throws
  /// Error{bad_checkpoint}.
  void load(std::span<const std::string> states);

private:
  VectorEnv envs_;
  ActorCritic<float> policy_;
  ActorCritic<float>::Workspace workspace_;
  std::vector<Rng> rngs_; // one an environment
  std::vector<float> clipped_;
  SamplingTimes times_;
};

/// The interface. One thread at a time.
class Workers {
public:
  virtual ~Workers() = default;

  /// The weights that sampling uses from now on. They are copied or sent; the span may die.
  virtual void set_weights(std::span<const float> weights) = 0;

  /// Takes `steps` steps in every environment and fills `out` with all of them, in order of their
  /// index. A fragment goes on where the one before stopped.
  virtual void sample(std::size_t steps, Batch& out) = 0;

  /// Where every environment stands, by index; independent of the number of workers.
  virtual std::vector<std::string> save() = 0;

  /// Continues from there. Throws Error{bad_checkpoint} when the states are of another run.
  virtual void load(std::span<const std::string> states) = 0;
};

/// All environments in one RolloutWorker, in the caller's thread.
class SerialWorkers final : public Workers {
public:
  explicit SerialWorkers(const WorkersSpec& spec);

  void set_weights(std::span<const float> weights) override;
  void sample(std::size_t steps, Batch& out) override;
  std::vector<std::string> save() override;
  void load(std::span<const std::string> states) override;

private:
  RolloutWorker worker_;
  std::vector<float> weights_;
};

} // namespace rl
