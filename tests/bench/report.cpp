#include "tests/bench/report.hpp"

#include <cmath>
#include <cstdio>
#include <ostream>

namespace caf_ray::bench {

namespace {

constexpr auto line_format = "%-26s %10s %-10s %6s  %-44s %10s %6s %8s  %-32s %s\n";

/// Three digits that count, with k, M or G where the number is large.
std::string short_number(double x) {
  char text[32];
  auto size = std::abs(x);
  if (size >= 1e9)
    std::snprintf(text, sizeof text, "%.3g G", x / 1e9);
  else if (size >= 1e6)
    std::snprintf(text, sizeof text, "%.3g M", x / 1e6);
  else if (size >= 1e4)
    std::snprintf(text, sizeof text, "%.3g k", x / 1e3);
  else if (size >= 1000)
    std::snprintf(text, sizeof text, "%.0f", x);
  else
    std::snprintf(text, sizeof text, "%.3g", x);
  return text;
}

std::string percent(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f%%", 100 * x);
  return text;
}

} // namespace

std::string goal::text() const {
  std::string all;
  auto add = [&](const char* what, const std::optional<double>& bound) {
    if (bound)
      all += (all.empty() ? "" : ", ") + std::string(what) + " " + short_number(*bound);
  };
  add("value >=", at_least);
  add("value <=", at_most);
  add("ratio >=", ratio_at_least);
  add("ratio <=", ratio_at_most);
  return all;
}

std::optional<bool> goal::met(double value, std::optional<double> ratio) const {
  std::optional<bool> all;
  auto judge = [&](const std::optional<double>& bound, bool holds) {
    if (bound)
      all = all.value_or(true) && holds;
  };
  judge(at_least, value >= at_least.value_or(0));
  judge(at_most, value <= at_most.value_or(0));
  if (ratio) {
    judge(ratio_at_least, *ratio >= ratio_at_least.value_or(0));
    judge(ratio_at_most, *ratio <= ratio_at_most.value_or(0));
  }
  return all;
}

void report::compare(const subject& what, const std::function<double()>& ours,
                     const std::vector<peer>& peers, std::size_t rounds) {
  if (rounds == 0)
    rounds = quick_ ? 2 : 5;
  std::vector<double> values;
  std::vector<std::vector<double>> others(peers.size());
  for (std::size_t round = 0; round <= rounds; ++round) {
    auto note = [&](std::vector<double>& samples, double x) {
      if (round > 0)
        samples.push_back(x);
    };
    note(values, ours());
    for (std::size_t i = 0; i < peers.size(); ++i)
      if (peers[i].measure)
        note(others[i], peers[i].measure());
  }
  add(what, values, peers.empty() ? "" : peers[0].name,
      peers.empty() ? std::vector<double>{} : others[0]);
  for (std::size_t i = 1; i < peers.size(); ++i)
    add({what.name + peers[i].suffix, what.unit, peers[i].target}, values, peers[i].name,
        others[i]);
}

void report::add(const subject& what, const std::vector<double>& ours, std::string peer_name,
                 const std::vector<double>& theirs) {
  auto value = median(ours);
  std::optional<double> peer_value, ratio;
  if (!theirs.empty()) {
    peer_value = median(theirs);
    if (*peer_value != 0)
      ratio = value / *peer_value;
  }
  if (!peer_name.empty() && !peer_value)
    peer_name += " (not built)";
  auto met = what.target.met(value, ratio);

  auto or_null = [](const auto& x) { return x ? nlohmann::ordered_json(*x) : nullptr; };
  rows_.push_back({{"name", what.name},
                   {"value", value},
                   {"unit", what.unit},
                   {"peer", peer_name},
                   {"peer_value", or_null(peer_value)},
                   {"ratio", or_null(ratio)},
                   {"target", what.target.text()},
                   {"spread", spread(ours)},
                   {"peer_spread", spread(theirs)},
                   {"rounds", ours.size()},
                   {"met", or_null(met)}});

  if (rows_.size() == 1)
    print_head();
  char line[256];
  std::snprintf(line, sizeof line, line_format, what.name.c_str(), short_number(value).c_str(),
                what.unit.c_str(), percent(spread(ours)).c_str(), peer_name.c_str(),
                peer_value ? short_number(*peer_value).c_str() : "",
                peer_value ? percent(spread(theirs)).c_str() : "",
                ratio ? short_number(*ratio).c_str() : "", what.target.text().c_str(),
                met ? *met ? "yes" : "NO" : "");
  out_ << line << std::flush;
}

void report::print_head() {
  char line[256];
  std::snprintf(line, sizeof line, line_format, "name", "median", "unit", "spread", "peer",
                "median", "spread", "ratio", "target", "met");
  out_ << line;
}

} // namespace caf_ray::bench
