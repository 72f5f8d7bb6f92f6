#include "rl/error.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

namespace rl {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto above = row[j];
      auto substitute = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      row[j] = std::min({above + 1, row[j - 1] + 1, substitute});
      diagonal = above;
    }
  }
  return row.back();
}

void throw_unknown_name(std::string_view kind, std::string_view name,
                        std::span<const std::string> known) {
  auto text = std::string("there is no ").append(kind).append(" called '").append(name).append("'");
  if (!known.empty()) {
    auto nearest = std::min_element(known.begin(), known.end(), [&](auto& x, auto& y) {
      return edit_distance(name, x) < edit_distance(name, y);
    });
    text.append("; did you mean '").append(*nearest).append("'? Known:");
    for (auto& each : known)
      text.append(" ").append(each);
  }
  throw Error(ErrorCode::unknown_name, text);
}

} // namespace rl
