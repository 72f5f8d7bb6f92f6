#include "rl/run/progress.hpp"

#include <cmath>
#include <cstdlib>
#include <functional>
#include <stdio.h>

#include <boost/test/unit_test.hpp>

namespace {

rl::Progress at(double seconds, std::int64_t steps) {
  return {steps, 0, 0, 0, seconds};
}

std::string line_of(double seconds, std::int64_t steps) {
  return rl::progress_text(at(seconds, steps));
}

// What a line shows while `use` has it.
std::string shown(bool terminal, const std::function<void(rl::ProgressLine&)>& use) {
  char* text = nullptr;
  std::size_t size = 0;
  auto* out = ::open_memstream(&text, &size);
  {
    rl::ProgressLine line(terminal, out);
    use(line);
  }
  std::fclose(out);
  std::string result(text, size);
  std::free(text);
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(progress)

BOOST_AUTO_TEST_CASE(the_line_shows_steps_speed_return_episodes_and_time) {
  BOOST_TEST(rl::progress_text({1'234'567, 312'400, 187.44, 2140, 65.9})
             == "  1,234,567 steps    312k steps/s   return    187.4    2,140 episodes   1:05");
  BOOST_TEST(rl::progress_text({0, 0, std::nan(""), 0, 0})
             == "          0 steps       0 steps/s   return        -        0 episodes   0:00");
  BOOST_TEST(rl::progress_text({999, 4.2e6, -1200, 3, 3600}).find("4.2M steps/s")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_terminal_shows_one_line_in_place_ten_times_a_second) {
  auto text = shown(true, [](rl::ProgressLine& line) {
    line.show(at(0, 1));
    line.show(at(0.05, 2)); // too early
    line.show(at(0.11, 3));
    line.finish(at(0.12, 4));
  });
  BOOST_TEST(text
             == "\r" + line_of(0, 1) + "\033[K\r" + line_of(0.11, 3) + "\033[K\r" + line_of(0.12, 4)
                  + "\033[K\n");
}

BOOST_AUTO_TEST_CASE(elsewhere_each_is_a_line_of_its_own_every_five_seconds) {
  auto text = shown(false, [](rl::ProgressLine& line) {
    line.show(at(0, 1));
    line.show(at(4.9, 2)); // too early
    line.show(at(5.1, 3));
    line.finish(at(5.2, 4));
  });
  BOOST_TEST(text == line_of(0, 1) + "\n" + line_of(5.1, 3) + "\n" + line_of(5.2, 4) + "\n");
}

BOOST_AUTO_TEST_CASE(a_line_that_was_left_open_is_ended) {
  auto text = shown(true, [](rl::ProgressLine& line) { line.show(at(0, 1)); });
  BOOST_TEST(text == "\r" + line_of(0, 1) + "\033[K\n");
  BOOST_TEST(shown(true, [](rl::ProgressLine&) {}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
