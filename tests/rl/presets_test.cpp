#include "rl/presets.hpp"

#include <boost/test/unit_test.hpp>

#include "rl/apex.hpp"
#include "rl/dqn.hpp"
#include "rl/env/registry.hpp"
#include "rl/es.hpp"
#include "rl/ppo.hpp"
#include "rl/sac.hpp"
#include "rl/td3.hpp"

BOOST_AUTO_TEST_SUITE(presets)

BOOST_AUTO_TEST_CASE(every_preset_can_be_read) {
  for (auto& env : rl::env_names()) {
    rl::PpoConfig ppo;
    rl::EsConfig es;
    rl::DqnConfig dqn;
    rl::ApexConfig apex;
    rl::SacConfig sac;
    rl::Td3Config td3;
    rl::read_fields(ppo.fields(), rl::preset("ppo", env));
    rl::read_fields(es.fields(), rl::preset("es", env));
    rl::read_fields(dqn.fields(), rl::preset("dqn", env));
    rl::read_fields(apex.fields(), rl::preset("apex", env));
    rl::read_fields(sac.fields(), rl::preset("sac", env));
    rl::read_fields(td3.fields(), rl::preset("td3", env));
  }
  BOOST_TEST(!rl::preset("ppo", "CartPole-v1").empty());
  BOOST_TEST(rl::preset("ppo", "Unknown-v0").empty());
  BOOST_TEST(rl::preset_steps("ppo", "CartPole-v1") == 150'000);
  BOOST_TEST(rl::preset_steps("ppo", "Unknown-v0") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
