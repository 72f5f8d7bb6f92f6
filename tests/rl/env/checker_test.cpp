#include "rl/env/checker.hpp"

#include <cmath>
#include <limits>

#include "rl/env/normalise.hpp"
#include "rl/env/pendulum.hpp"
#include "rl/env/picture.hpp"
#include "rl/env/registry.hpp"
#include "rl/error.hpp"
#include "rl/rng.hpp"
#include "tests/rl/support.hpp"

namespace {

const auto library_names = rl::env_names(); // before tests register theirs

using rl::Step;

enum class Fault {
  none,
  throws,
  box_without_shape,
  changing_space,
  writes_too_much,
  leaves_a_number,
  nan_observation,
  outside,
  infinite_reward,
  ignores_seed,
  shares_state,
  steps_before_reset,
  steps_after_end,
  any_action,
  empty_picture,
  drawing_moves,
};

int shared = 0;
int made = 0;

// A sound environment but for one fault. Observation: steps taken and a random number; ends after
// 20 steps.
class Faulty final : public rl::Env {
public:
  explicit Faulty(Fault fault) : fault_(fault) {
    ++made;
    space_ = rl::make_box(2, 0, 20);
    if (fault_ == Fault::box_without_shape)
      std::get<rl::Box>(space_).shape = {3};
  }
  const rl::Space& observation_space() const override { return space_; }
  const rl::Space& action_space() const override {
    static const rl::Space space = rl::Discrete{3};
    return space;
  }
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override {
    if (seed)
      rng_ = rl::Rng(fault_ == Fault::ignores_seed ? static_cast<std::uint64_t>(++made) : *seed);
    steps_ = 0;
    running_ = true;
    observe(observation);
  }
  Step step(std::span<const float> action, std::span<float> observation) override {
    auto lenient = (fault_ == Fault::steps_before_reset && steps_ < 0)
                   || (fault_ == Fault::steps_after_end && steps_ > 0);
    if (!running_ && !lenient)
      throw rl::Error(rl::ErrorCode::bad_environment, "not running");
    if (!contains(action_space(), action) && fault_ != Fault::any_action)
      throw rl::Error(rl::ErrorCode::bad_value, "no such action");
    if (fault_ == Fault::throws && steps_ == 7)
      throw std::runtime_error("out of order");
    if (fault_ == Fault::changing_space && steps_ == 7)
      space_ = rl::make_box(2, 0, 21);
    running_ = ++steps_ < 20;
    observe(observation);
    auto reward = fault_ == Fault::infinite_reward && steps_ == 7
                    ? std::numeric_limits<double>::infinity()
                    : 1.0;
    return {reward, !running_, false};
  }
  bool draw(rl::Picture& picture) const override {
    if (fault_ == Fault::empty_picture)
      return true;
    picture.clear(4, 4, {});
    if (fault_ == Fault::drawing_moves)
      rng_.next();
    return true;
  }

private:
  void observe(std::span<float> observation) {
    auto odd = steps_ == 7;
    observation[0] = static_cast<float>(std::clamp(steps_, 0, 20));
    if (fault_ == Fault::writes_too_much && odd)
      observation.data()[2] = 1;
    if (fault_ == Fault::leaves_a_number && odd)
      return;
    auto random = rng_.uniform();
    if (fault_ == Fault::shares_state)
      random = (shared = (shared + 7) % 20);
    observation[1] = static_cast<float>(random);
    if (fault_ == Fault::nan_observation && odd)
      observation[1] = std::nanf("");
    if (fault_ == Fault::outside && odd)
      observation[1] = 20.5f;
  }

  Fault fault_;
  rl::Space space_;
  mutable rl::Rng rng_;
  int steps_ = -1;
  bool running_ = false;
};

std::string rules(const std::vector<rl::BrokenRule>& broken) {
  std::string result;
  for (auto& each : broken) {
    result += (result.empty() ? "" : " ") + each.rule;
    BOOST_TEST_MESSAGE(each.rule << ": " << each.text);
  }
  return result;
}

std::string rules_broken_by(Fault fault) {
  return rules(rl::check_env([fault] { return std::make_unique<Faulty>(fault); }, {.steps = 100}));
}

} // namespace

BOOST_AUTO_TEST_SUITE(checker)

BOOST_AUTO_TEST_CASE(each_fault_is_found_and_called_by_its_rule) {
  struct Row {
    Fault fault;
    const char* rules;
  };
  Row rows[] = {
    {Fault::none, ""},
    {Fault::throws, "throws"},
    {Fault::box_without_shape, "space"},
    {Fault::changing_space, "space-changes"},
    {Fault::writes_too_much, "observation-size"},
    {Fault::leaves_a_number, "observation-unset"},
    {Fault::nan_observation, "observation-finite"},
    {Fault::outside, "observation-space"},
    {Fault::infinite_reward, "reward-finite"},
    {Fault::ignores_seed, "same-seed"},
    {Fault::shares_state, "same-seed"},
    {Fault::steps_before_reset, "step-before-reset"},
    {Fault::steps_after_end, "step-after-end"},
    {Fault::any_action, "bad-action"},
    {Fault::empty_picture, "picture"},
    {Fault::drawing_moves, "picture"},
  };
  for (auto& row : rows)
    BOOST_TEST(rules_broken_by(row.fault) == row.rules, "fault " << static_cast<int>(row.fault));
}

BOOST_AUTO_TEST_CASE(a_factory_that_makes_nothing_or_throws_is_told) {
  BOOST_TEST(rules(rl::check_env([]() -> std::unique_ptr<rl::Env> { return nullptr; }))
             == "factory");
  BOOST_TEST(
    rules(rl::check_env([]() -> std::unique_ptr<rl::Env> { throw std::runtime_error("no model"); }))
    == "factory");
}

BOOST_AUTO_TEST_CASE(a_normaliser_that_still_learns_does_not_repeat_itself) {
  auto make = [](bool frozen) {
    return [frozen] {
      auto env = std::make_unique<rl::NormaliseObservation>(rl::make_env("Pendulum-v1"));
      env->freeze(frozen);
      return env;
    };
  };
  BOOST_TEST(rules(rl::check_env(make(false))) == "same-seed");
  BOOST_TEST(rules(rl::check_env(make(true))) == "");
}

BOOST_AUTO_TEST_CASE(an_unsound_environment_is_refused_with_all_its_faults) {
  rl::register_env({"Faulty-v0", [] { return std::make_unique<Faulty>(Fault::any_action); }});
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_environment,
                             [] { rl::require_sound_env("Faulty-v0"); },
                             {"'Faulty-v0'", "bad-action: "}));
  BOOST_TEST(rl::test::fails(rl::ErrorCode::unknown_name, [] { rl::check_env("Faulty-v1"); },
                             {"Faulty-v0"}));
  BOOST_TEST(
    rl::test::fails(rl::ErrorCode::bad_value, [] { rl::check_env("CartPole-v1", {.steps = 0}); }));
}

BOOST_AUTO_TEST_CASE(every_environment_of_the_library_is_sound) {
  for (auto& name : library_names)
    BOOST_TEST(rules(rl::check_env(name)) == "", name);
}

BOOST_AUTO_TEST_SUITE_END()
