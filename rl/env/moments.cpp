#include "rl/env/moments.hpp"

#include <string>

namespace rl {

void RunningMoments::add(std::span<const float> row) {
  ++count_;
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    auto off = static_cast<double>(row[i]) - mean_[i];
    mean_[i] += off / static_cast<double>(count_);
    squares_[i] += off * (static_cast<double>(row[i]) - mean_[i]);
  }
}

void RunningMoments::add(double value) {
  ++count_;
  auto off = value - mean_[0];
  mean_[0] += off / static_cast<double>(count_);
  squares_[0] += off * (value - mean_[0]);
}

void RunningMoments::merge(const RunningMoments& other) {
  if (other.features() != features())
    throw Error(ErrorCode::bad_value, "moments of " + std::to_string(other.features())
                                        + " features cannot be merged with those of "
                                        + std::to_string(features()));
  if (other.count_ == 0)
    return;
  auto a = static_cast<double>(count_), b = static_cast<double>(other.count_), all = a + b;
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    auto off = other.mean_[i] - mean_[i];
    mean_[i] += off * b / all;
    squares_[i] += other.squares_[i] + off * off * a * b / all;
  }
  count_ += other.count_;
}

void RunningMoments::save(ByteWriter& out) const {
  out.put(count_);
  out.put_all(std::span<const double>(mean_));
  out.put_all(std::span<const double>(squares_));
}

void RunningMoments::load(ByteReader& in) {
  auto count = in.get<std::int64_t>();
  auto mean = in.get_all<double>(), squares = in.get_all<double>();
  if (mean.size() != features() || squares.size() != features() || count < 0)
    throw Error(ErrorCode::bad_checkpoint, "the saved moments are of " + std::to_string(mean.size())
                                             + " features, not of " + std::to_string(features()));
  count_ = count;
  mean_ = std::move(mean);
  squares_ = std::move(squares);
}

} // namespace rl
