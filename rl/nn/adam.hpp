// Adam on a flat parameter array, and clipping of a gradient by its norm.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rl/bytes.hpp"

namespace rl::nn {

/// Adam's constants besides the step size. PPO's reference implementation uses epsilon 1e-5.
struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// Kingma and Ba (2015), algorithm 1, with the bias corrections folded into the step size and
/// epsilon outside the square root of the corrected second moment.
template <class S>
class Adam {
public:
  explicit Adam(std::size_t parameter_count, AdamOptions options = {});

  /// One step downhill. `gradient` is laid out as `parameters`; both have parameter_count values.
  void step(std::span<S> parameters, std::span<const S> gradient, double learning_rate);

  /// Both moments and the step count. load throws Error{bad_checkpoint} when the size differs.
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

private:
  AdamOptions options_;
  std::vector<S> first_;
  std::vector<S> second_;
  std::int64_t steps_ = 0;
};

/// Scales `gradient` down to Euclidean norm `limit` if it is longer (limit 0: never). Returns the
/// norm it had; when that is not finite the gradient is left as it is.
template <class S>
double clip_norm(std::span<S> gradient, double limit);

extern template class Adam<float>;
extern template class Adam<double>;

} // namespace rl::nn
