#include "rl/env/checker.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>

#include "rl/env/picture.hpp"
#include "rl/env/registry.hpp"
#include "rl/error.hpp"
#include "rl/rng.hpp"

namespace rl {

namespace {

// A NaN that no arithmetic makes: what still holds it was never written.
constexpr std::uint32_t unset_bits = 0x7fc0beef;
constexpr std::size_t margin = 16; // numbers around an observation that must stay as they are

bool unset(float value) {
  return std::bit_cast<std::uint32_t>(value) == unset_bits;
}

// An observation with room around it, so that what writes too much harms nothing.
class Room {
public:
  explicit Room(const Space& space)
    : size_(value_size(space)), memory_(size_ + 2 * margin, std::bit_cast<float>(unset_bits)) {}

  std::span<float> observation() { return std::span(memory_).subspan(margin, size_); }
  bool margins_are_unset() const {
    auto all = std::span(memory_);
    return std::ranges::all_of(all.first(margin), unset)
           && std::ranges::all_of(all.last(margin), unset);
  }

private:
  std::size_t size_;
  std::vector<float> memory_;
};

// What an environment gave in one step, or in a reset.
struct Record {
  std::vector<float> observation;
  Step step;

  bool operator==(const Record& other) const {
    return observation.size() == other.observation.size()
           && std::memcmp(observation.data(), other.observation.data(),
                          observation.size() * sizeof(float))
                == 0
           && step.reward == other.step.reward && step.terminated == other.step.terminated
           && step.truncated == other.step.truncated;
  }
};

class Checker {
public:
  Checker(const std::function<std::unique_ptr<Env>()>& make, const CheckOptions& options)
    : make_(make), options_(options) {}

  std::vector<BrokenRule> run() {
    auto env = made();
    if (!env || !sound_spaces(*env))
      return std::move(broken_);
    observation_space_ = env->observation_space();
    action_space_ = env->action_space();
    before_reset(*env);
    play(*env);
    if (throws_)
      return std::move(broken_); // what follows would only say so again
    repeats(*env);
    refuses_bad_actions(*env);
    pictures(*env);
    return std::move(broken_);
  }

private:
  void broken(const char* rule, const std::string& text) {
    for (auto& each : broken_)
      if (each.rule == rule)
        return;
    broken_.push_back({rule, text});
  }

  std::unique_ptr<Env> made() {
    try {
      if (auto env = make_())
        return env;
      broken("factory", "The factory returned nothing.");
    } catch (const std::exception& error) {
      broken("factory", std::string("The factory threw: ") + error.what());
    }
    return nullptr;
  }

  // -- spaces --

  bool sound_spaces(Env& env) {
    auto good = sound(env.observation_space(), "observation");
    return sound(env.action_space(), "action") && good;
  }

  bool sound(const Space& space, const std::string& of) {
    if (auto* discrete = std::get_if<Discrete>(&space)) {
      if (discrete->n < 1)
        broken("space", "The " + of + " space has no choices: " + describe(space) + ".");
      return discrete->n >= 1;
    }
    auto& box = std::get<Box>(space);
    auto fits = !box.low.empty() && box.low.size() == box.high.size()
                && std::ranges::all_of(box.shape, [](int side) { return side > 0; })
                && std::accumulate(box.shape.begin(), box.shape.end(), std::size_t{1},
                                   [](std::size_t product, int side) {
                                     return product * static_cast<std::size_t>(side);
                                   })
                     == box.low.size();
    if (!fits) {
      broken("space", "The " + of + " space has " + std::to_string(box.low.size()) + " lower and "
                        + std::to_string(box.high.size())
                        + " upper bounds, which is not what its shape says.");
      return false;
    }
    for (std::size_t i = 0; i < box.low.size(); ++i)
      if (!(box.low[i] <= box.high[i])) {
        broken("space",
               "Bounds " + std::to_string(i) + " of the " + of + " space are crossed or NaN.");
        return false;
      }
    return true;
  }

  // -- playing --

  // Calls reset or step with an observation between margins, and looks at what it wrote. Nothing
  // comes back when it threw.
  template <class Call>
  std::optional<Record> observed(const std::string& where, Call call) {
    Room room(observation_space_);
    auto observation = room.observation();
    Record record;
    try {
      record.step = call(observation);
    } catch (const std::exception& error) {
      broken("throws", "Threw " + where + ": " + error.what());
      throws_ = true;
      return std::nullopt;
    }
    record.observation.assign(observation.begin(), observation.end());
    if (!room.margins_are_unset())
      broken("observation-size", "Wrote outside the " + std::to_string(observation.size())
                                   + " numbers of the observation, " + where + ".");
    look(record, where);
    return record;
  }

  void look(const Record& record, const std::string& where) {
    for (std::size_t i = 0; i < record.observation.size(); ++i) {
      auto value = record.observation[i];
      auto number = "Number " + std::to_string(i) + " of the observation ";
      if (unset(value))
        broken("observation-unset", number + "was not written, " + where + ".");
      else if (!std::isfinite(value))
        broken("observation-finite", number + "is " + std::to_string(value) + ", " + where + ".");
      else if (auto* box = std::get_if<Box>(&observation_space_);
               box && !(box->low[i] <= value && value <= box->high[i]))
        broken("observation-space", number + "is " + std::to_string(value) + ", outside ["
                                      + std::to_string(box->low[i]) + ", "
                                      + std::to_string(box->high[i]) + "], " + where + ".");
      else if (!box && !contains(observation_space_, record.observation))
        broken("observation-space", "The observation " + std::to_string(value) + " is not in "
                                      + describe(observation_space_) + ", " + where + ".");
    }
    if (!std::isfinite(record.step.reward))
      broken("reward-finite",
             "The reward is " + std::to_string(record.step.reward) + ", " + where + ".");
  }

  std::optional<Record> reset(Env& env, std::optional<std::uint64_t> seed,
                              const std::string& where) {
    return observed(where, [&](std::span<float> observation) {
      env.reset(seed, observation);
      return Step{};
    });
  }

  std::optional<Record> step(Env& env, std::span<const float> action, const std::string& where) {
    return observed(where,
                    [&](std::span<float> observation) { return env.step(action, observation); });
  }

  bool refused(Env& env, std::span<const float> action, ErrorCode code) {
    Room room(observation_space_);
    try {
      env.step(action, room.observation());
    } catch (const Error& error) {
      return error.code() == code;
    } catch (...) {
    }
    return false;
  }

  std::vector<float> action(Rng& rng) const {
    std::vector<float> result(value_size(action_space_));
    sample(action_space_, rng, result);
    return result;
  }

  void before_reset(Env& env) {
    Rng rng(options_.seed);
    if (!refused(env, action(rng), ErrorCode::bad_environment))
      broken("step-before-reset",
             "A step before the first reset was not refused with bad_environment.");
  }

  // The episodes that follow from the seed; `beside` is called before each step.
  std::vector<Record> episodes(Env& env, const std::function<void()>& beside = {}) {
    std::vector<Record> records;
    Rng rng(options_.seed);
    auto keep = [&](std::optional<Record> record) {
      if (record)
        records.push_back(std::move(*record));
      return !throws_;
    };
    if (!keep(reset(env, options_.seed, "in the first reset")))
      return records;
    for (int i = 1; i <= options_.steps; ++i) {
      if (beside)
        beside();
      auto act = action(rng);
      auto where = "in step " + std::to_string(i);
      if (!keep(step(env, act, where)))
        return records;
      auto& last = records.back().step;
      if (!last.terminated && !last.truncated)
        continue;
      if (!refused(env, act, ErrorCode::bad_environment))
        broken("step-after-end", "A step after the episode's end was not refused with "
                                 "bad_environment, "
                                   + where + ".");
      if (!keep(reset(env, std::nullopt, "in the reset after step " + std::to_string(i))))
        return records;
    }
    return records;
  }

  void play(Env& env) {
    records_ = episodes(env);
    if (env.observation_space() != observation_space_ || env.action_space() != action_space_)
      broken("space-changes",
             "A space is another one after " + std::to_string(options_.steps) + " steps.");
  }

  // -- the same again --

  void compare(const std::vector<Record>& again, const std::string& how) {
    if (throws_)
      return;
    for (std::size_t i = 0; i < records_.size() && i < again.size(); ++i)
      if (!(records_[i] == again[i])) {
        broken("same-seed", "With the same seed and actions, " + how
                              + " gave something else, first in call " + std::to_string(i)
                              + " (0 is the first reset).");
        return;
      }
    if (records_.size() != again.size())
      broken("same-seed", "With the same seed and actions, " + how + " took another course.");
  }

  void repeats(Env& env) {
    compare(episodes(env), "the same object");
    auto other = made(), third = made();
    if (!other || !third)
      return;
    compare(episodes(*other), "another object");
    // While a third is played with another seed.
    Rng rng(options_.seed + 1);
    Room room(observation_space_);
    auto over = true;
    auto beside = [&] {
      if (over)
        third->reset(rng.next(), room.observation());
      auto result = third->step(action(rng), room.observation());
      over = result.terminated || result.truncated;
    };
    try {
      compare(episodes(*other, beside), "an object beside which another was played");
    } catch (const std::exception& error) {
      broken("throws", std::string("Threw with another seed: ") + error.what());
    }
  }

  // -- actions that are none --

  void refuses_bad_actions(Env& env) {
    auto nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<std::vector<float>> bad;
    Rng rng(options_.seed);
    if (auto* discrete = std::get_if<Discrete>(&action_space_)) {
      for (auto value : {static_cast<float>(discrete->n), -1.0f, 0.5f, nan})
        bad.push_back({value});
    } else {
      bad.push_back(action(rng));
      bad.back().back() = nan;
    }
    for (auto& each : bad) {
      if (!reset(env, options_.seed, "in a reset"))
        return;
      if (!refused(env, each, ErrorCode::bad_value))
        broken("bad-action", "An action with " + std::to_string(each.back())
                               + " was not refused with "
                                 "bad_value.");
    }
  }

  // -- pictures --

  void pictures(Env& env) {
    Picture picture, later;
    if (!reset(env, options_.seed, "in a reset") || !env.draw(picture))
      return;
    if (picture.width() < 1 || picture.height() < 1)
      broken("picture", "The picture is empty.");
    auto drawn = episodes(env, [&] { env.draw(later); });
    if (later.width() != picture.width() || later.height() != picture.height())
      broken("picture", "The picture's size changes.");
    auto repeats = std::ranges::none_of(
      broken_, [](const BrokenRule& each) { return each.rule == "same-seed"; });
    for (std::size_t i = 0; repeats && i < records_.size() && i < drawn.size(); ++i)
      if (!(records_[i] == drawn[i])) {
        broken("picture", "Drawing changed what followed, first in call " + std::to_string(i)
                            + " (0 is the first reset).");
        return;
      }
  }

  const std::function<std::unique_ptr<Env>()>& make_;
  CheckOptions options_;
  Space observation_space_, action_space_;
  std::vector<Record> records_; // of the first play
  std::vector<BrokenRule> broken_;
  bool throws_ = false;
};

} // namespace

std::vector<BrokenRule> check_env(const std::function<std::unique_ptr<Env>()>& make,
                                  const CheckOptions& options) {
  if (options.steps < 1)
    throw Error(ErrorCode::bad_value, "checking an environment takes at least one step");
  return Checker(make, options).run();
}

std::vector<BrokenRule> check_env(std::string_view name, const CheckOptions& options) {
  find_env(name);
  return check_env([name] { return make_env(name); }, options);
}

void require_sound_env(std::string_view name, const CheckOptions& options) {
  auto broken = check_env(name, options);
  if (broken.empty())
    return;
  auto text = "environment '" + std::string(name) + "' breaks the contract of rl/env/env.hpp:";
  for (auto& each : broken)
    text += "\n  " + each.rule + ": " + each.text;
  throw Error(ErrorCode::bad_environment, text);
}

} // namespace rl
