#include "rl/config.hpp"

#include "rl/es.hpp"
#include "rl/ppo.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::fails;

struct Config {
  double rate = 0.1;
  std::int64_t count = 3;
  bool loud = false;
  std::string name = "x";
  std::vector<std::int64_t> sizes = {64, 64};

  std::vector<rl::Field> fields() {
    return {{"rate", &rate, "how fast", 0, 1, "0.5"},
            {"count", &count, "how many", 1},
            {"loud", &loud, "whether it speaks"},
            {"name", &name, "what it is called"},
            {"sizes", &sizes, "how large", 1, 100}};
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(config)

BOOST_AUTO_TEST_CASE(every_kind_of_field_is_read_from_text) {
  Config c;
  auto set = [&](const char* name, const char* text) { rl::set_field(c.fields(), name, text); };
  set("rate", "2.5e-4");
  set("count", "150000");
  set("loud", "true");
  set("name", "a b");
  set("sizes", "8,16,32");
  BOOST_TEST(c.rate == 2.5e-4);
  BOOST_TEST(c.count == 150000);
  BOOST_TEST(c.loud);
  BOOST_TEST(c.name == "a b");
  BOOST_TEST((c.sizes == std::vector<std::int64_t>{8, 16, 32}));
  set("count", "1e6");
  BOOST_TEST(c.count == 1'000'000);
  set("count", "9007199254740993"); // has no double
  BOOST_TEST(c.count == 9007199254740993);
  set("sizes", "");
  BOOST_TEST(c.sizes.empty());
}

BOOST_AUTO_TEST_CASE(written_fields_are_read_back_to_the_bit) {
  Config c{1.0 / 3, -1, true, "hello", {1, 2}}, d;
  rl::read_fields(d.fields(), "# comment\n\nrate=0.25 # beside\n");
  BOOST_TEST(d.rate == 0.25);
  c.count = 5;
  rl::read_fields(d.fields(), rl::write_fields(c.fields()));
  BOOST_TEST(d.rate == c.rate);
  BOOST_TEST(d.count == 5);
  BOOST_TEST(d.loud);
  BOOST_TEST(d.name == "hello");
  BOOST_TEST((d.sizes == c.sizes));
}

BOOST_AUTO_TEST_CASE(an_unknown_field_lists_the_known_ones_and_the_nearest) {
  Config c;
  BOOST_TEST(fails(ErrorCode::unknown_name, [&] { rl::set_field(c.fields(), "size", "1"); },
                   {"'size'", "did you mean 'sizes'", "rate", "count", "loud", "name"}));
}

BOOST_AUTO_TEST_CASE(a_value_out_of_range_or_unreadable_says_what_belongs_there) {
  Config c;
  auto set = [&](const char* name, const char* text) {
    return [=, &c] { rl::set_field(c.fields(), name, text); };
  };
  BOOST_TEST(fails(ErrorCode::bad_value, set("rate", "1.5"), {"rate=1.5", "0 to 1", "how fast"}));
  BOOST_TEST(fails(ErrorCode::bad_value, set("rate", "nan"), {"range"}));
  BOOST_TEST(fails(ErrorCode::bad_value, set("rate", "fast"), {"a number"}));
  BOOST_TEST(fails(ErrorCode::bad_value, set("rate", ""), {"a number"}));
  BOOST_TEST(fails(ErrorCode::bad_value, set("count", "0"), {"from 1 up"}));
  BOOST_TEST(fails(ErrorCode::bad_value, set("count", "1.5"), {"a whole number"}));
  BOOST_TEST(fails(ErrorCode::bad_value, set("count", "99999999999999999999"), {"a whole number"}));
  BOOST_TEST(fails(ErrorCode::bad_value, set("loud", "yes"), {"true or false"}));
  BOOST_TEST(fails(ErrorCode::bad_value, set("sizes", "8,,9"), {"a whole number"}));
  BOOST_TEST(fails(ErrorCode::bad_value, set("sizes", "8,101"), {"1 to 100"}));
  BOOST_TEST(c.rate == 0.1);
}

BOOST_AUTO_TEST_CASE(flags_are_read_in_both_spellings_and_the_rest_is_returned) {
  Config c;
  std::vector<std::string> words = {"ppo",    "--rate=0.5", "--count", "7",
                                    "--loud", "--name",     "y",       "more"};
  auto rest = rl::parse_flags(words, c.fields());
  BOOST_TEST((rest == std::vector<std::string>{"ppo", "more"}));
  BOOST_TEST(c.rate == 0.5);
  BOOST_TEST(c.count == 7);
  BOOST_TEST(c.loud);
  BOOST_TEST(c.name == "y");
  std::vector<std::string> missing = {"--rate"}, missing_too = {"--rate", "--loud"},
                           wrong = {"--speed=1"};
  BOOST_TEST(
    fails(ErrorCode::bad_value, [&] { rl::parse_flags(missing, c.fields()); }, {"needs a value"}));
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { rl::parse_flags(missing_too, c.fields()); }));
  BOOST_TEST(fails(ErrorCode::unknown_name, [&] { rl::parse_flags(wrong, c.fields()); }));
}

BOOST_AUTO_TEST_CASE(help_tells_default_meaning_range_and_paper) {
  Config c;
  auto text = rl::describe_fields(c.fields());
  for (auto* part : {"--rate=0.1", "how fast", "from 0 to 1", "paper: 0.5", "--sizes=64,64"})
    BOOST_TEST(text.find(part) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(defaults_of_the_algorithms_are_within_their_ranges) {
  rl::PpoConfig ppo;
  rl::EsConfig es;
  rl::RunOptions options;
  rl::check_fields(ppo.fields());
  rl::check_fields(es.fields());
  rl::check_fields(options.fields());
  ppo.gamma = 1.1;
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { rl::check_fields(ppo.fields()); }, {"gamma"}));
}

BOOST_AUTO_TEST_SUITE_END()
