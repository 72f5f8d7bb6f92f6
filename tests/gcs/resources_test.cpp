#include "gcs/types/resources.hpp"

#include <cmath>
#include <limits>
#include <map>

#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs::test;

namespace {

using model = std::map<std::string, std::int64_t>;

bool same(const resource_set& set, const model& m) {
  std::size_t count = 0;
  for (auto& [name, units] : m) {
    count += units != 0;
    if (set.get(name) != units)
      return false;
  }
  return set.entries().size() == count;
}

} // namespace

BOOST_AUTO_TEST_SUITE(resources)

BOOST_AUTO_TEST_CASE(behaves_like_a_map_in_which_absent_is_zero) {
  std::mt19937_64 random(seed());
  const std::string names[] = {"CPU", "GPU", "memory", "a", "z"};
  auto any = [&] {
    std::pair<resource_set, model> both;
    for (int i = 0; i < 4; ++i) {
      auto& name = names[random() % 5];
      auto units = static_cast<std::int64_t>(random() % 5) * 5000;
      both.first.set(name, units);
      both.second[name] = units;
    }
    return both;
  };
  for (int round = 0; round < 2000; ++round) {
    auto [a, ma] = any();
    auto [b, mb] = any();
    BOOST_TEST_REQUIRE(same(a, ma));
    bool covers = true;
    for (auto& [name, units] : mb)
      covers = covers && ma[name] >= units;
    BOOST_TEST_REQUIRE(a.covers(b) == covers);
    auto before = a;
    a.subtract(b);
    for (auto& [name, units] : mb)
      ma[name] -= units;
    BOOST_TEST_REQUIRE(same(a, ma));
    a.add(b);
    BOOST_TEST_REQUIRE((a == before));
    BOOST_TEST_REQUIRE(std::is_sorted(a.entries().begin(), a.entries().end()));
  }
}

BOOST_AUTO_TEST_CASE(tenths_add_up_exactly) {
  resource_set sum;
  resource_set tenth;
  tenth.set("CPU", to_units(0.1));
  for (int i = 0; i < 10; ++i)
    sum.add(tenth);
  BOOST_TEST(sum.get("CPU") == resource_unit);
}

BOOST_AUTO_TEST_CASE(amounts_that_mean_nothing_are_refused_with_name_and_amount) {
  auto inf = std::numeric_limits<double>::infinity();
  for (double amount : {0.0, -1.0, -0.5, 1.5, 2.0001, inf, -inf, std::nan(""), 1e-9, 1e300}) {
    auto checked = resource_set::check("GPU", amount);
    BOOST_TEST_REQUIRE(code_of(checked) == errc::invalid_argument, "amount " << amount);
    BOOST_TEST(checked.error().what.find("GPU") != std::string::npos);
  }
  BOOST_TEST(code_of(resource_set::check("", 1)) == errc::invalid_argument);
  for (double amount : {0.0001, 0.5, 1.0, 2.0, 1099511627776.0})
    BOOST_TEST(code_of(resource_set::check("GPU", amount)) == errc::none);
}

BOOST_AUTO_TEST_CASE(prints_names_in_order) {
  resource_set x;
  x.set("memory", to_units(0.5));
  x.set("CPU", to_units(2));
  BOOST_TEST(to_string(x) == "{CPU: 2, memory: 0.5}");
  BOOST_TEST(to_string(resource_set{}) == "{}");
}

BOOST_AUTO_TEST_SUITE_END()
