#include "rl/env/vector_env.hpp"

#include <cmath>
#include <limits>

#include "rl/env/registry.hpp"
#include "rl/rng.hpp"
#include "tests/rl/counting_env.hpp"
#include "tests/rl/support.hpp"

namespace {

// Rows for `count` environments.
struct Rows {
  explicit Rows(int count)
    : reward(static_cast<std::size_t>(count)), terminated(reward.size()), truncated(reward.size()) {
  }
  rl::StepRows spans() { return {reward, terminated, truncated}; }

  std::vector<float> reward;
  std::vector<std::uint8_t> terminated, truncated;
};

std::vector<float> random_actions(rl::Rng& rng, int count) {
  std::vector<float> actions;
  for (int i = 0; i < count; ++i)
    actions.push_back(static_cast<float>(rng.below(2)));
  return actions;
}

} // namespace

BOOST_AUTO_TEST_SUITE(vector_env)

BOOST_AUTO_TEST_CASE(every_row_is_a_single_environment_reset_from_its_derived_seeds) {
  constexpr int count = 5;
  rl::VectorEnv vector("CartPole-v1", 7, 3, count);
  Rows rows(count);
  std::vector<std::unique_ptr<rl::Env>> singles;
  std::vector<std::vector<float>> observations(count, std::vector<float>(4));
  std::vector<std::uint64_t> episodes(count);
  for (std::size_t i = 0; i < count; ++i) {
    singles.push_back(rl::make_env("CartPole-v1"));
    singles[i]->reset(rl::derive_seed(7, 3 + i, 0), observations[i]);
  }
  rl::Rng rng(1);
  std::size_t ended = 0;
  for (int t = 0; t < 300; ++t) {
    auto actions = random_actions(rng, count);
    vector.step(actions, rows.spans());
    std::vector<rl::EpisodeEnd> expected_ends;
    for (std::size_t i = 0; i < count; ++i) {
      auto step = singles[i]->step(std::span(actions).subspan(i, 1), observations[i]);
      BOOST_TEST(rows.reward[i] == static_cast<float>(step.reward));
      BOOST_TEST((rows.terminated[i] != 0) == step.terminated);
      BOOST_TEST((rows.truncated[i] != 0) == step.truncated);
      if (step.terminated || step.truncated) {
        BOOST_TEST(vector.final_observation(static_cast<int>(i)) == observations[i],
                   boost::test_tools::per_element());
        singles[i]->reset(rl::derive_seed(7, 3 + i, ++episodes[i]), observations[i]);
        ++ended;
      }
      BOOST_TEST(vector.observation().subspan(i * 4, 4) == observations[i],
                 boost::test_tools::per_element());
    }
  }
  BOOST_TEST(ended > 20u);
}

BOOST_AUTO_TEST_CASE(the_observation_after_an_end_is_of_the_new_episode_and_the_last_one_is_kept) {
  rl::VectorEnv vector(rl::test::counting_env(), 1, 0, 1);
  Rows rows(1);
  std::vector<float> action = {0};
  for (int episode = 0; episode < 20; ++episode) {
    auto length = vector.observation()[0];
    for (float step = 1; step < length; ++step) {
      vector.step(action, rows.spans());
      BOOST_TEST(vector.ended().empty());
      BOOST_TEST(vector.observation()[1] == step);
    }
    vector.step(action, rows.spans());
    BOOST_TEST(vector.observation()[1] == 0);
    BOOST_TEST(vector.final_observation(0)[0] == length);
    BOOST_TEST(vector.final_observation(0)[1] == length);
    BOOST_REQUIRE(vector.ended().size() == 1u);
    auto end = vector.ended()[0];
    BOOST_TEST(end.length == static_cast<std::int64_t>(length));
    BOOST_TEST(end.total == length * (length + 1) / 2);
    BOOST_TEST((rows.terminated[0] + rows.truncated[0] == 1));
    BOOST_TEST((rows.truncated[0] == 1) == (static_cast<int>(length) % 2 == 1));
  }
}

BOOST_AUTO_TEST_CASE(how_environments_are_grouped_changes_nothing) {
  rl::VectorEnv all("Pendulum-v1", 9, 0, 4), first("Pendulum-v1", 9, 0, 1),
    rest("Pendulum-v1", 9, 1, 3);
  Rows all_rows(4), first_rows(1), rest_rows(3);
  rl::Rng rng(2);
  for (int t = 0; t < 450; ++t) {
    auto actions = random_actions(rng, 4);
    all.step(actions, all_rows.spans());
    first.step(std::span(actions).first(1), first_rows.spans());
    rest.step(std::span(actions).last(3), rest_rows.spans());
    BOOST_TEST(all.observation().first(3) == first.observation(), boost::test_tools::per_element());
    BOOST_TEST(all.observation().last(9) == rest.observation(), boost::test_tools::per_element());
    BOOST_TEST(all_rows.reward[3] == rest_rows.reward[2]);
  }
}

BOOST_AUTO_TEST_CASE(a_saved_environment_continues_in_the_middle_of_its_episode) {
  rl::VectorEnv one("CartPole-v1", 4, 2, 2), other("CartPole-v1", 4, 2, 2);
  Rows rows(2), other_rows(2);
  rl::Rng rng(3);
  for (int t = 0; t < 137; ++t)
    one.step(random_actions(rng, 2), rows.spans());
  for (int row = 0; row < 2; ++row) {
    rl::ByteWriter out;
    one.save(row, out);
    rl::ByteReader in(out.bytes());
    other.load(row, in);
  }
  for (int t = 0; t < 200; ++t) {
    BOOST_TEST(one.observation() == other.observation(), boost::test_tools::per_element());
    auto actions = random_actions(rng, 2);
    one.step(actions, rows.spans());
    other.step(actions, other_rows.spans());
    BOOST_TEST(std::equal(one.ended().begin(), one.ended().end(), other.ended().begin(),
                          other.ended().end()));
  }
}

BOOST_AUTO_TEST_CASE(a_state_of_another_environment_is_refused) {
  using rl::ErrorCode;
  rl::VectorEnv one("CartPole-v1", 4, 0, 2);
  rl::ByteWriter out;
  one.save(1, out);
  auto load = [&](std::string bytes) {
    rl::ByteReader in(bytes);
    one.load(0, in);
  };
  BOOST_TEST(rl::test::fails(ErrorCode::bad_checkpoint, [&] { load(out.bytes()); }));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_checkpoint, [&] { load("short"); }));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value, [] { rl::VectorEnv("CartPole-v1", 1, 0, 0); }));
}

BOOST_AUTO_TEST_CASE(with_next_step_the_step_after_an_end_only_begins_the_next_episode) {
  using rl::Autoreset;
  rl::VectorEnv vector(rl::test::counting_env(), 1, 0, 3, Autoreset::next_step);
  rl::VectorEnv same(rl::test::counting_env(), 1, 0, 3); // the same episodes, without dead steps
  Rows rows(3), other(3);
  std::vector<float> actions(3);
  std::vector<rl::EpisodeEnd> ends[3], expected[3];
  int dead = 0;
  for (int t = 0; t < 300; ++t) {
    std::vector<bool> over;
    for (std::size_t i = 0; i < 3; ++i)
      over.push_back(rows.terminated[i] || rows.truncated[i]);
    vector.step(actions, rows.spans());
    same.step(actions, other.spans());
    for (std::size_t i = 0; i < 3; ++i) {
      BOOST_TEST((vector.began()[i] != 0) == over[i]);
      if (over[i]) {
        ++dead;
        BOOST_TEST(rows.reward[i] == 0);
        BOOST_TEST((rows.terminated[i] == 0 && rows.truncated[i] == 0));
        BOOST_TEST(vector.observation()[2 * i + 1] == 0);
      } else {
        BOOST_TEST(rows.reward[i] == vector.observation()[2 * i + 1]);
      }
      if (rows.terminated[i] || rows.truncated[i])
        BOOST_TEST(vector.final_observation(static_cast<int>(i))
                     == vector.observation().subspan(2 * i, 2),
                   boost::test_tools::per_element());
    }
    for (auto& end : vector.ended())
      ends[end.env].push_back(end);
    for (auto& end : same.ended())
      expected[end.env].push_back(end);
  }
  BOOST_TEST(dead > 100);
  for (std::size_t i = 0; i < 3; ++i)
    BOOST_TEST(std::equal(ends[i].begin(), ends[i].end(), expected[i].begin()));
}

BOOST_AUTO_TEST_CASE(without_autoreset_the_owner_begins_the_next_episode) {
  rl::VectorEnv vector(rl::test::counting_env(), 1, 0, 1, rl::Autoreset::disabled);
  rl::VectorEnv same(rl::test::counting_env(), 1, 0, 1);
  Rows rows(1), other(1);
  std::vector<float> action(1);
  for (int t = 0; t < 50; ++t) {
    vector.step(action, rows.spans());
    same.step(action, other.spans());
    if (!rows.terminated[0] && !rows.truncated[0])
      continue;
    BOOST_TEST(vector.observation() == same.final_observation(0), boost::test_tools::per_element());
    BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_environment,
                               [&] { vector.step(action, rows.spans()); },
                               {"environment 0 ('Counting-v0')", "reset(row)"}));
    vector.reset(0);
    BOOST_TEST(vector.observation() == same.observation(), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(an_environment_is_saved_at_the_end_of_its_episode_too) {
  for (auto mode : {rl::Autoreset::next_step, rl::Autoreset::disabled}) {
    rl::VectorEnv one(rl::test::counting_env(), 8, 0, 1, mode);
    rl::VectorEnv other(rl::test::counting_env(), 8, 0, 1, mode);
    Rows rows(1), other_rows(1);
    std::vector<float> action(1);
    while (!rows.terminated[0] && !rows.truncated[0])
      one.step(action, rows.spans());
    rl::ByteWriter out;
    one.save(0, out);
    rl::ByteReader in(out.bytes());
    other.load(0, in);
    for (int i = 0; i < 2; ++i) {
      BOOST_TEST(one.observation() == other.observation(), boost::test_tools::per_element());
      for (auto* each : {&one, &other})
        if (mode == rl::Autoreset::disabled && i == 0)
          each->reset(0);
        else
          each->step(action, rows.spans());
    }
  }
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_names_environment_episode_and_step) {
  using rl::ErrorCode;
  using rl::test::fails;
  // Counts its steps; the third gives NaN, as observation or as reward, or throws.
  struct Broken final : rl::Env {
    explicit Broken(int how) : how(how) {}
    const rl::Space& observation_space() const override {
      static const rl::Space space = rl::make_box(1, -1, 1);
      return space;
    }
    const rl::Space& action_space() const override { return observation_space(); }
    void reset(std::optional<std::uint64_t>, std::span<float> observation) override {
      observation[0] = 0;
    }
    rl::Step step(std::span<const float>, std::span<float> observation) override {
      observation[0] = 0;
      rl::Step result;
      if (++steps == 3 && how == 0)
        observation[0] = std::nanf("");
      else if (steps == 3 && how == 1)
        result.reward = std::numeric_limits<double>::infinity();
      else if (steps == 3)
        throw rl::Error(ErrorCode::cannot_read, "the simulator has gone");
      return result;
    }
    int how, steps = 0;
  };
  for (int how = 0; how < 3; ++how)
    rl::register_env(
      {"Broken-v" + std::to_string(how), [how] { return std::make_unique<Broken>(how); }});
  struct {
    const char* name;
    ErrorCode code;
    std::vector<const char*> words;
  } rows[] = {{"Broken-v0", ErrorCode::not_finite, {"observation"}},
              {"Broken-v1", ErrorCode::not_finite, {"reward"}},
              {"Broken-v2", ErrorCode::cannot_read, {"the simulator has gone"}}};
  for (auto& row : rows) {
    rl::VectorEnv vector(row.name, 1, 5, 1);
    Rows out(1);
    std::vector<float> action(1);
    vector.step(action, out.spans());
    vector.step(action, out.spans());
    BOOST_TEST(fails(row.code, [&] { vector.step(action, out.spans()); },
                     {"environment 5 ('Broken-v", "episode 0", row.words[0]}));
  }
  rl::VectorEnv two("CartPole-v1", 1, 0, 2);
  Rows out(2);
  std::vector<float> action(1);
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { two.step(action, out.spans()); }, {"2", "not 1"}));
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { two.reset(2); }, {"no row 2"}));
}

BOOST_AUTO_TEST_SUITE_END()
