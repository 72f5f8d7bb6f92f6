#pragma once

namespace caf_ray::scheduler {

/// An exponential average: each sample counts `weight`, all before it together the rest. The
/// first sample counts alone, so that no made-up start value fades out slowly.
class estimator {
public:
  explicit estimator(double weight = 0.2) : weight_(weight) {}

  void add(double sample) {
    value_ = empty_ ? sample : value_ + weight_ * (sample - value_);
    empty_ = false;
  }

  bool empty() const noexcept { return empty_; }
  double value_or(double other) const noexcept { return empty_ ? other : value_; }

private:
  double weight_;
  double value_ = 0;
  bool empty_ = true;
};

} // namespace caf_ray::scheduler
