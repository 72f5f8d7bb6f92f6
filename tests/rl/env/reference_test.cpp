// Environments against trajectories that Gymnasium produced (reference/README.md).

#include <fstream>
#include <numbers>
#include <sstream>

#include <nlohmann/json.hpp>

#include "rl/env/acrobot.hpp"
#include "rl/env/cartpole.hpp"
#include "rl/env/mountain_car.hpp"
#include "rl/env/pendulum.hpp"
#include "rl/env/time_limit.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::test::fails;
constexpr double tight = 1e-12; // relative; only the mathematical library may differ

void check_near(double value, double expected, double tolerance = tight) {
  BOOST_TEST(std::abs(value - expected) <= tolerance * std::max(1.0, std::abs(expected)),
             value << " is not " << expected);
}

void check_state(std::span<const double> state, const nlohmann::json& expected, double tolerance) {
  BOOST_REQUIRE(state.size() == expected.size());
  for (std::size_t i = 0; i < state.size(); ++i)
    check_near(state[i], expected[i].get<double>(), tolerance);
}

// To the bit where the state is so near that rounding to float cannot tell the difference.
void check_observation(std::span<const float> observation, const nlohmann::json& expected,
                       double tolerance) {
  BOOST_REQUIRE(observation.size() == expected.size());
  for (std::size_t i = 0; i < observation.size(); ++i)
    if (tolerance <= tight)
      BOOST_TEST(observation[i] == expected[i].get<float>());
    else
      check_near(static_cast<double>(observation[i]), expected[i].get<double>(), 1e-6);
}

// The numbers of "-2.0" (for each of `count` features) or of "[-4.8 -inf -0.41887903]".
std::vector<float> bounds(std::string text, std::size_t count) {
  if (text.front() != '[')
    return std::vector<float>(count, std::stof(text));
  std::istringstream in(text.substr(1, text.size() - 2));
  std::vector<float> result;
  for (std::string word; in >> word;)
    result.push_back(std::stof(word));
  return result;
}

// `text` is what Gymnasium prints: "Discrete(2)", or "Box(low, high, (n,), float32)".
void check_space(const rl::Space& space, const std::string& text) {
  if (auto* discrete = std::get_if<rl::Discrete>(&space)) {
    BOOST_TEST(text == "Discrete(" + std::to_string(discrete->n) + ")");
    return;
  }
  auto& box = std::get<rl::Box>(space);
  auto low_end = text.find(", "), high_end = text.find(", ", low_end + 2);
  BOOST_REQUIRE(high_end != std::string::npos);
  auto low = text.substr(4, low_end - 4), high = text.substr(low_end + 2, high_end - low_end - 2);
  BOOST_TEST(bounds(low, box.low.size()) == box.low, boost::test_tools::per_element());
  BOOST_TEST(bounds(high, box.high.size()) == box.high, boost::test_tools::per_element());
  BOOST_TEST(text.substr(high_end) == ", (" + std::to_string(box.low.size()) + ",), float32)");
}

// Plays the scripted actions on E behind a time limit of `limit` steps; `tolerance` is relative,
// for the state in double precision.
template <class E>
void replay(const char* name, int limit, double tolerance = tight) {
  std::ifstream file(std::string(RL_REFERENCE_FOLDER) + "/" + name + ".json");
  auto reference = nlohmann::json::parse(file);
  auto bare = std::make_unique<E>();
  auto& inner = *bare;
  rl::TimeLimit env(std::move(bare), limit);
  std::vector<float> observation(rl::value_size(env.observation_space()));
  env.reset(reference["seed"].get<std::uint64_t>(), observation);
  check_state(inner.state(), reference["reset_state"], tolerance);
  check_observation(observation, reference["reset_obs"], tolerance);
  check_space(env.observation_space(), reference["spaces"][0]);
  check_space(env.action_space(), reference["spaces"][1]);
  for (auto& row : reference["steps"]) {
    float action[] = {row["a"].get<float>()};
    auto step = env.step(action, observation);
    check_state(inner.state(), row["state"], tolerance);
    check_observation(observation, row["obs"], tolerance);
    BOOST_TEST(rl::contains(env.observation_space(), observation));
    check_near(step.reward, row["r"].get<double>());
    BOOST_TEST(step.terminated == row["term"].get<bool>());
    BOOST_TEST(step.truncated == row["trunc"].get<bool>());
    if (row.contains("next_reset_state")) {
      env.reset(std::nullopt, observation);
      check_state(inner.state(), row["next_reset_state"], tolerance);
    }
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(environments)

BOOST_AUTO_TEST_CASE(cartpole_moves_as_gymnasiums) {
  replay<rl::CartPole>("CartPole-v1", 500);
}

BOOST_AUTO_TEST_CASE(pendulum_moves_as_gymnasiums) {
  replay<rl::Pendulum>("Pendulum-v1", 200);
}

BOOST_AUTO_TEST_CASE(mountain_car_moves_as_gymnasiums) {
  replay<rl::MountainCar>("MountainCar-v0", 200);
}

BOOST_AUTO_TEST_CASE(continuous_mountain_car_moves_as_gymnasiums_to_the_bit_of_float32) {
  replay<rl::MountainCarContinuous>("MountainCarContinuous-v0", 999, 0);
}

BOOST_AUTO_TEST_CASE(acrobot_moves_as_gymnasiums) {
  replay<rl::Acrobot>("Acrobot-v1", 500, 1e-9); // chaotic: rounding grows over 500 steps
}

BOOST_AUTO_TEST_CASE(an_action_outside_the_space_of_cartpole_is_refused) {
  rl::CartPole env;
  std::vector<float> observation(4);
  env.reset(1, observation);
  for (float action : {2.0f, -1.0f, 0.5f, std::nanf("")})
    BOOST_TEST(fails(rl::ErrorCode::bad_value,
                     [&] { env.step(std::span(&action, 1), observation); }, {"CartPole"}));
}

BOOST_AUTO_TEST_CASE(a_step_outside_an_episode_is_refused) {
  float action[] = {1};
  std::vector<float> observation(4);
  rl::CartPole cartpole;
  auto step = [&] { return cartpole.step(action, observation); };
  BOOST_TEST(fails(rl::ErrorCode::bad_environment, step, {"reset"}));
  cartpole.reset(1, observation);
  while (!step().terminated) {
  }
  BOOST_TEST(fails(rl::ErrorCode::bad_environment, step, {"reset"}));
  rl::Pendulum pendulum;
  BOOST_TEST(fails(rl::ErrorCode::bad_environment, [&] { pendulum.step(action, observation); }));
}

BOOST_AUTO_TEST_CASE(cartpole_without_force_would_keep_its_energy) {
  // Alternating pushes of equal size over one step each almost cancel; the energy of cart and pole
  // must then drift only by the order of the time step. An error in the equations of motion would
  // not.
  rl::CartPole env;
  std::vector<float> observation(4);
  env.reset(3, observation);
  auto energy = [&] {
    auto [x, v, angle, spin] = env.state();
    auto vx = v + 0.5 * spin * std::cos(angle), vy = -0.5 * spin * std::sin(angle);
    auto rotation = 0.5 * (0.1 * 1.0 * 1.0 / 12) * spin * spin;
    return 0.5 * 1.0 * v * v + 0.5 * 0.1 * (vx * vx + vy * vy) + rotation
           + 0.1 * 9.8 * 0.5 * std::cos(angle);
  };
  auto before = energy();
  for (int i = 0; i < 6; ++i) {
    float action[] = {static_cast<float>(i % 2)};
    env.step(action, observation);
  }
  BOOST_TEST(std::abs(energy() - before) < 0.1);
}

BOOST_AUTO_TEST_CASE(a_time_limit_truncates_and_never_terminates) {
  rl::TimeLimit env(std::make_unique<rl::Pendulum>(), 3);
  std::vector<float> observation(3);
  float action[] = {0};
  for (int episode = 0; episode < 2; ++episode) {
    env.reset(std::nullopt, observation);
    for (int i = 1; i <= 3; ++i) {
      auto step = env.step(action, observation);
      BOOST_TEST(step.truncated == (i == 3));
      BOOST_TEST(!step.terminated);
    }
  }
  BOOST_TEST(
    fails(rl::ErrorCode::bad_value, [] { rl::TimeLimit(std::make_unique<rl::Pendulum>(), 0); }));
}

BOOST_AUTO_TEST_SUITE_END()
