#include "rl/nn/adam.hpp"

// step and clip_norm are in adam_step.cpp.

namespace rl::nn {

template <class S>
Adam<S>::Adam(std::size_t parameter_count, AdamOptions options)
  : options_(options), first_(parameter_count), second_(parameter_count) {}

template <class S>
void Adam<S>::save(ByteWriter& out) const {
  out.put(steps_);
  out.put_all(std::span<const S>(first_));
  out.put_all(std::span<const S>(second_));
}

template <class S>
void Adam<S>::load(ByteReader& in) {
  auto steps = in.get<std::int64_t>();
  auto first = in.get_all<S>();
  auto second = in.get_all<S>();
  if (first.size() != first_.size() || second.size() != second_.size())
    throw Error(ErrorCode::bad_checkpoint, "the saved optimiser has " + std::to_string(first.size())
                                             + " parameters, this one "
                                             + std::to_string(first_.size()));
  steps_ = steps;
  first_ = std::move(first);
  second_ = std::move(second);
}

template class Adam<float>;
template class Adam<double>;

} // namespace rl::nn
