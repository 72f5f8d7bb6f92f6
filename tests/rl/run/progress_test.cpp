#include "rl/run/progress.hpp"

#include <cmath>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(progress)

BOOST_AUTO_TEST_CASE(the_line_shows_steps_speed_return_episodes_and_time) {
  BOOST_TEST(rl::progress_text({1'234'567, 312'400, 187.44, 2140, 65.9})
             == "  1,234,567 steps    312k steps/s   return    187.4    2,140 episodes   1:05");
  BOOST_TEST(rl::progress_text({0, 0, std::nan(""), 0, 0})
             == "          0 steps       0 steps/s   return        -        0 episodes   0:00");
  BOOST_TEST(rl::progress_text({999, 4.2e6, -1200, 3, 3600}).find("4.2M steps/s")
             != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
