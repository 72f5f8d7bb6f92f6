// Mean and variance of a stream of vectors, feature by feature, kept in one pass.
// Source: Welford (1962) for one row; Chan, Golub, LeVeque (1979) for merging two streams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rl/bytes.hpp"

namespace rl {

/// Merging the moments of several workers in a fixed order gives the moments of all rows together,
/// but for rounding. A value; one thread at a time.
class RunningMoments {
public:
  explicit RunningMoments(std::size_t features) : mean_(features), squares_(features) {}

  std::size_t features() const { return mean_.size(); }
  std::int64_t count() const { return count_; }
  std::span<const double> mean() const { return mean_; }
  /// Of the rows themselves (divided by their number, not one less); 0 before any row.
  double variance(std::size_t feature) const {
    return count_ > 0 ? squares_[feature] / static_cast<double>(count_) : 0;
  }

  /// `row` has features() numbers.
  void add(std::span<const float> row);
  void add(double value); ///< of one feature

  /// Adds the rows that `other` has seen. Throws Error{bad_value} when it has other features.
  void merge(const RunningMoments& other);

  void save(ByteWriter& out) const;
  /// Throws Error{bad_checkpoint} when the saved moments are of another number of features.
  void load(ByteReader& in);

private:
  std::int64_t count_ = 0;
  std::vector<double> mean_;
  std::vector<double> squares_; // sums of squared distances from the mean
};

} // namespace rl
