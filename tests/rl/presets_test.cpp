#include "rl/presets.hpp"

#include "rl/a2c.hpp"
#include "rl/apex.hpp"
#include "rl/ars.hpp"
#include "rl/dqn.hpp"
#include "rl/env/registry.hpp"
#include "rl/es.hpp"
#include "rl/impala.hpp"
#include "rl/ppo.hpp"
#include "rl/sac.hpp"
#include "rl/td3.hpp"
#include "tests/rl/support.hpp"

BOOST_AUTO_TEST_SUITE(presets)

using rl::ErrorCode;
using rl::test::fails;

BOOST_AUTO_TEST_CASE(sections_become_presets_whose_values_fields_can_read) {
  auto all = rl::read_presets("# first a comment\n"
                              "[ppo.\"CartPole-v1\"]  # with one behind it\n"
                              "steps = 150_000\nreach = 475\n\n"
                              "hidden = [ 32, 16 ]\n\tactivation = \"relu\"\n anneal=false\r\n"
                              "learning_rate = 2.5e-4\n"
                              "[ es.\"Pendulum-v1\" ]\nreach = -200.5\nsteps = 6e6");
  BOOST_TEST(all.size() == 2u);
  BOOST_TEST(all[0].algorithm == "ppo");
  BOOST_TEST(all[0].env == "CartPole-v1");
  BOOST_TEST(all[0].steps == 150'000);
  BOOST_TEST(all[0].reach == 475);
  rl::PpoConfig config;
  rl::read_fields(config.fields(), all[0].fields);
  BOOST_TEST(config.hidden == (std::vector<std::int64_t>{32, 16}));
  BOOST_TEST(config.activation == "relu");
  BOOST_TEST(!config.anneal);
  BOOST_TEST(config.learning_rate == 2.5e-4);
  BOOST_TEST(all[1].algorithm == "es");
  BOOST_TEST(all[1].steps == 6'000'000);
  BOOST_TEST(all[1].reach == -200.5);
  BOOST_TEST(all[1].fields.empty());
  BOOST_TEST(rl::read_presets("\n# nothing\n").empty());
}

BOOST_AUTO_TEST_CASE(a_wrong_line_is_named_with_what_belongs_there) {
  auto refused = [](const char* text, std::initializer_list<const char*> words) {
    return fails(
      ErrorCode::bad_value, [&] { rl::read_presets(text); }, words);
  };
  BOOST_TEST(refused("\nsteps = 3\n", {"line 2", "section"}));
  BOOST_TEST(refused("[ppo]\n", {"line 1", "[algorithm.\"environment\"]", "'[ppo]'"}));
  BOOST_TEST(refused("[ppo.CartPole-v1]\n", {"line 1", "[algorithm.\"environment\"]"}));
  BOOST_TEST(refused("[ppo.\"A\"]\nsteps 3\n", {"line 2", "name = value", "'steps 3'"}));
  BOOST_TEST(refused("[ppo.\"A\"]\nsteps = many\n", {"line 2", "steps=many", "a whole number"}));
  BOOST_TEST(refused("[ppo.\"A\"]\nsteps = 0\n", {"line 2", "from 1 up"}));
  BOOST_TEST(refused("[ppo.\"A\"]\nsteps = 3\n[es.\"A\"]", {"line 3", "ppo in A", "reach"}));
  BOOST_TEST(refused("[a.\"A\"]\nsteps = 3\nreach = 1\n[a.\"A\"]", {"line 4", "already"}));
}

// Every preset that is compiled in, read into its algorithm's config.
template <class Config>
int readable(const char* algorithm) {
  int count = 0;
  for (auto& each : rl::presets())
    if (each.algorithm == algorithm) {
      Config config;
      rl::read_fields(config.fields(), each.fields);
      rl::find_env(each.env);
      ++count;
    }
  return count;
}

BOOST_AUTO_TEST_CASE(every_preset_that_is_compiled_in_can_be_read) {
  BOOST_TEST(readable<rl::PpoConfig>("ppo") >= 5);
  BOOST_TEST(readable<rl::A2cConfig>("a2c") >= 1);
  BOOST_TEST(readable<rl::ImpalaConfig>("impala") >= 1);
  BOOST_TEST(readable<rl::EsConfig>("es") >= 2);
  BOOST_TEST(readable<rl::ArsConfig>("ars") >= 1);
  BOOST_TEST(readable<rl::DqnConfig>("dqn") >= 4);
  BOOST_TEST(readable<rl::ApexConfig>("apex") >= 1);
  BOOST_TEST(readable<rl::SacConfig>("sac") >= 3);
  BOOST_TEST(readable<rl::Td3Config>("td3") >= 1);
  BOOST_TEST(!rl::preset("ppo", "CartPole-v1").empty());
  BOOST_TEST(rl::preset("ppo", "Unknown-v0").empty());
  BOOST_TEST(rl::preset_steps("ppo", "CartPole-v1") == 150'000);
  BOOST_TEST(rl::preset_steps("ppo", "Unknown-v0") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
