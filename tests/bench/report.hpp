#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/bench/measure.hpp"

namespace caf_ray::bench {

/// What a row is to reach. Ratios are value / peer_value, whichever is better: a rate wants a large
/// one, a time a small one.
struct goal {
  std::optional<double> at_least = std::nullopt;
  std::optional<double> at_most = std::nullopt;
  std::optional<double> ratio_at_least = std::nullopt;
  std::optional<double> ratio_at_most = std::nullopt;

  /// "value >= 290000, ratio >= 0.6"; empty without any bound.
  std::string text() const;
  /// Nothing without a bound that can be judged.
  std::optional<bool> met(double value, std::optional<double> ratio) const;
};

/// What is measured.
struct subject {
  std::string name;
  std::string unit;
  goal target;
};

/// What it is compared with, in the same rounds: a limit of the machine, or another way to do the
/// same. `measure` gives the subject's unit; null when the peer was not built.
struct peer {
  std::string name;
  std::function<double()> measure;
  /// A subject has one row for each peer: the first has its name, the others this behind it.
  std::string suffix = "";
  goal target = {};
};

/// Runs subjects and peers in turns, prints a line for each row as it is done, and remembers it.
class report {
public:
  /// `out` outlives the report. `quick`: smaller sizes and fewer rounds, to see that all works.
  report(std::ostream& out, bool quick) : out_(out), quick_(quick) {}

  bool quick() const { return quick_; }
  /// `full`, or `quick` of a quick run.
  std::size_t size(std::size_t full, std::size_t quick) const { return quick_ ? quick : full; }

  /// One round that does not count, then `rounds` (0: five, two of a quick run) that do; in each,
  /// the subject and then its peers.
  void compare(const subject& what, const std::function<double()>& ours,
               const std::vector<peer>& peers = {}, std::size_t rounds = 0);

  /// A row whose samples were taken elsewhere.
  void add(const subject& what, const std::vector<double>& ours, std::string peer_name = "",
           const std::vector<double>& theirs = {});

  /// All rows so far: {name, value, unit, peer, peer_value, ratio, target}, and behind these the
  /// spreads, the number of rounds, and whether the target was met. Null for what there is not.
  const nlohmann::ordered_json& rows() const { return rows_; }

private:
  void print_head();

  std::ostream& out_;
  bool quick_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
};

} // namespace caf_ray::bench
