// Many copies of an environment, stepped together into columns of memory.
//
// An environment is known by its index in the whole training run, not in this object: environment i
// begins its episode e from derive_seed(seed, i, e). Whoever owns environment i, and however many
// others it owns, i lives through the same episodes. A saved state is therefore small: of each
// environment the number of its episode and the actions taken in it so far; loading replays them.
//
// What happens where an episode ends is a choice, Autoreset, with Gymnasium's three meanings. In
// each the last observation of an episode is kept beside the others.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rl/bytes.hpp"
#include "rl/env/env.hpp"

namespace rl {

/// What follows the step that ends an environment's episode.
enum class Autoreset {
  /// The next episode begins in the same step: the observation that comes out is its first.
  same_step,
  /// The observation that comes out is the last of the episode. The next step takes no action: it
  /// begins the next episode, with reward 0 and no flags, and is marked in began(). No experience
  /// of it may be learnt from.
  next_step,
  /// Nothing: the owner calls reset(row) before the next step.
  disabled,
};

/// Where one step of all environments writes its results: rows of count() values, owned by the
/// caller.
struct StepRows {
  std::span<float> reward;            ///< [env]
  std::span<std::uint8_t> terminated; ///< [env], 0 or 1
  std::span<std::uint8_t> truncated;  ///< [env], 0 or 1
};

/// An episode that ended.
struct EpisodeEnd {
  int env = 0;             ///< index of the environment in the run
  double total = 0;        ///< undiscounted sum of rewards
  std::int64_t length = 0; ///< steps
  bool operator==(const EpisodeEnd&) const = default;
};

class VectorEnv {
public:
  /// Environments `first` .. `first + count - 1` of a run with this seed, made by name as
  /// make_network_env does it. Each begins its episode 0. Errors: as make_env, and bad_value when
  /// count < 1.
  VectorEnv(const std::string& name, std::uint64_t seed, int first, int count,
            Autoreset autoreset = Autoreset::same_step);

  int count() const { return static_cast<int>(envs_.size()); }
  int first() const { return first_; }
  const Space& observation_space() const { return envs_.front()->observation_space(); }
  const Space& action_space() const { return envs_.front()->action_space(); }

  Autoreset autoreset() const { return autoreset_; }

  /// The latest observations, [env, feature]: what the next actions answer.
  std::span<const float> observation() const { return observation_; }

  /// Steps every environment with its row of `actions` [env, feature]. An Error of an environment
  /// comes out with its code, and names environment, episode and step; other exceptions, some of
  /// which control the runtime, come out as they are. Besides those: bad_value when there are not
  /// as many actions, bad_environment when an episode is over that only reset(row) can follow,
  /// not_finite when an observation or a reward is NaN or infinite.
  void step(std::span<const float> actions, const StepRows& out);

  /// Begins the next episode of environment `first + row`; what is left of the present one is
  /// dropped. Needed, after an end, where autoreset is disabled. Throws Error{bad_value} when there
  /// is no such row.
  void reset(int row);

  /// Which rows took no action in the latest step but began an episode, 0 or 1: only with
  /// Autoreset::next_step.
  std::span<const std::uint8_t> began() const { return began_; }

  /// The last observation of the episode that environment `first + row` ended in the latest step;
  /// without meaning where none ended.
  std::span<const float> final_observation(int row) const;

  /// The episodes that ended in the latest step, by environment.
  std::span<const EpisodeEnd> ended() const { return ended_; }

  /// Saves and restores where environment `first + row` stands. load expects the same name, seed
  /// and environment, and throws Error{bad_checkpoint} when the state does not fit.
  void save(int row, ByteWriter& out) const;
  void load(int row, ByteReader& in);

private:
  struct Episode {
    std::uint64_t number = 0;
    std::int64_t length = 0;
    double total = 0;
    bool over = false;
    std::vector<float> actions; // [time, feature], since the episode began
  };

  void begin(std::size_t row);
  std::span<float> observation_row(std::size_t row);
  Step advance(std::size_t row, std::span<const float> action);
  std::string place(std::size_t row) const;

  std::string name_;
  std::uint64_t seed_;
  int first_;
  Autoreset autoreset_;
  std::size_t observation_size_;
  std::size_t action_size_;
  std::vector<std::unique_ptr<Env>> envs_;
  std::vector<Episode> episodes_;
  std::vector<float> observation_;       // [env, feature]
  std::vector<float> final_observation_; // [env, feature]
  std::vector<std::uint8_t> began_;      // [env]
  std::vector<EpisodeEnd> ended_;
};

} // namespace rl
