#include "rl/train/bench.hpp"

#include <sstream>

#include "rl/run/file.hpp"
#include "rl/train/command.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::fails;

const std::string head = "text before\n" + std::string(rl::bench_begin) + "\n";
const std::string columns =
  "| preset | to reach | reached | mean return | steps | time | processor time |\n"
  "|---|---|---|---|---|---|---|\n";
const std::string tail = std::string(rl::bench_end) + "\ntext behind\n";

} // namespace

BOOST_AUTO_TEST_SUITE(bench)

BOOST_AUTO_TEST_CASE(a_row_counts_the_seeds_that_reached_and_spans_all_of_them) {
  BOOST_TEST(
    rl::bench_row("ppo", "A-v1", 475, {{500, 16'384, 0.204, 0.1}, {474.9, 1'015'808, 18.9, 17}})
    == "| ppo A-v1 | 475 | 1 of 2 seeds | 475 to 500 | 16 k to 1.02 M | 0.20 to 18.9 s | 0.10 to "
       "17 s |\n");
  BOOST_TEST(rl::bench_row("es", "B-v0", -200, {{-154.3, 6'000'000, 120.4, 99.9}})
             == "| es B-v0 | -200 | 1 of 1 seeds | -154 | 6.00 M | 120 s | 100 s |\n");
}

BOOST_AUTO_TEST_CASE(rows_take_the_place_of_their_preset_or_come_last) {
  auto one = head + columns + "| ppo A | 1 | old |\n| ppo AB | 2 | old |\n" + tail;
  BOOST_TEST(rl::with_rows(one, {"| ppo A | 1 | new |\n", "| es A | 3 | new |\n"})
             == head + columns + "| ppo A | 1 | new |\n| ppo AB | 2 | old |\n| es A | 3 | new |\n"
                  + tail);
  BOOST_TEST(rl::with_rows(head + tail, {"| ppo A | 1 |\n"})
             == head + columns + "| ppo A | 1 |\n" + tail);
  BOOST_TEST(rl::with_rows(one, {}) == one);
}

BOOST_AUTO_TEST_CASE(a_text_without_a_place_for_the_table_is_refused) {
  BOOST_TEST(fails(ErrorCode::bad_value, [] { rl::with_rows("# readme\n", {}); }, {"no table"}));
  BOOST_TEST(fails(ErrorCode::bad_value, [] { rl::with_rows(tail + head, {}); }, {"no table"}));
}

BOOST_AUTO_TEST_CASE(it_trains_a_preset_with_each_seed_and_writes_its_row) {
  rl::test::TemporaryFolder folder;
  auto file = folder.path / "readme";
  rl::write_file(file, head + columns + "| ppo A | 1 | old |\n" + tail);
  std::ostringstream out, err;
  auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "bench");
    return rl::train_command(words, out, err);
  };
  BOOST_TEST(run({"--algorithm=ars", "--env=CartPole-v1", "--seeds=2", "--into", file}) == 0);
  auto text = rl::read_file(file);
  BOOST_TEST_MESSAGE(text);
  BOOST_TEST(text.find("| ppo A | 1 | old |") != text.npos);
  BOOST_TEST(text.find("| ars CartPole-v1 | 475 | 2 of 2 seeds | 500 | ") != text.npos);
  BOOST_TEST(text.ends_with(tail));
  BOOST_TEST(out.str().find("| ars CartPole-v1 |") != std::string::npos);
  BOOST_TEST(err.str().find("ars CartPole-v1, seed 2: 500 after") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(wrong_words_are_refused_before_anything_is_trained) {
  std::ostringstream out, err;
  auto refused = [&](std::vector<std::string> words, const char* why) {
    err.str("");
    words.insert(words.begin(), "bench");
    return rl::train_command(words, out, err) > 0 && err.str().find(why) != std::string::npos;
  };
  rl::test::TemporaryFolder folder;
  rl::write_file(folder.path / "readme", "nothing");
  BOOST_TEST(refused({"--algorithm=poo"}, "did you mean 'ppo'"));
  BOOST_TEST(refused({"--algorithm=ars", "--env=Nowhere-v0"}, "no preset of ars for Nowhere-v0"));
  BOOST_TEST(refused({"--into", folder.path / "readme"}, "no table"));
  BOOST_TEST(refused({"--into", folder.path / "lacking"}, "lacking"));
  BOOST_TEST(refused({"stray"}, "'stray'"));
}

BOOST_AUTO_TEST_SUITE_END()
