#include "tests/bench/options.hpp"

#include <string_view>

namespace caf_ray::bench {

const char* usage() {
  return "caf-ray-bench core|cluster [--quick] [--only CASE]... [--json FILE]\n"
         "\n"
         "  core         one process, everything in it: what tests/bench/README.md lists\n"
         "  cluster      driver, node and workers as processes of this host\n"
         "  --quick      small sizes and few rounds: shows that all works, not how fast\n"
         "  --only CASE  this case alone; may be given several times\n"
         "  --json FILE  writes the rows there as well\n";
}

options parse_options(std::span<const char* const> arguments) {
  options given;
  auto& suite = given.suite;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    auto value = [&]() -> std::string {
      if (i + 1 == arguments.size())
        throw usage_error(std::string(word) + " is to be followed by its value");
      return arguments[++i];
    };
    if (word == "--help" || word == "-h")
      given.help = true;
    else if (word == "--quick")
      given.quick = true;
    else if (word == "--json")
      given.json = value();
    else if (word == "--only")
      given.only.push_back(value());
    else if (word.starts_with("-") || !suite.empty())
      throw usage_error("what is \"" + std::string(word) + "\"?");
    else
      suite = word;
  }
  if (!given.help && suite != "core" && suite != "cluster")
    throw usage_error(suite.empty() ? "say which benchmark: core or cluster"
                                    : "no benchmark \"" + suite + "\"; there are: core, cluster");
  return given;
}

} // namespace caf_ray::bench
