// The arithmetic of dense layers: three products and two activations, in float or double.
//
// Matrices are row-major and contiguous: x [row, in], w [in, out], b [out], y [row, out].
// Every element of a result is summed in one fixed order that depends neither on the number of rows
// nor on which row it is: a batch of 64 gives the bits that 64 batches of one would. This is why
// the outcome of a training run does not depend on how environments are spread over workers. No
// allocation after a thread's first calls (a scratch panel per thread grows to the widest layer).
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace rl::nn {

enum class Activation { identity, tanh, relu };

/// Reads "tanh", "relu" or "identity". Throws Error{unknown_name}.
Activation activation_of(const std::string& name);

/// The three sizes of a layer applied to a batch.
struct LayerShape {
  std::size_t rows = 0;
  std::size_t in = 0;
  std::size_t out = 0;
};

/// y = x w + b.
template <class S>
void affine(const LayerShape& shape, const S* x, const S* w, const S* b, S* y);

/// dw += x^T dy, db += the column sums of dy.
template <class S>
void affine_weight_gradient(const LayerShape& shape, const S* x, const S* dy, S* dw, S* db);

/// dx = dy w^T.
template <class S>
void affine_input_gradient(const LayerShape& shape, const S* dy, const S* w, S* dx);

/// y = f(y), in place. For float, tanh is ours: at most 2 units in the last place off, vectorised,
/// and the same bits wherever a number stands in the array.
template <class S>
void activate(Activation f, std::span<S> y);

/// dy *= f'(x), given y = f(x).
template <class S>
void activate_gradient(Activation f, std::span<const S> y, std::span<S> dy);

} // namespace rl::nn
