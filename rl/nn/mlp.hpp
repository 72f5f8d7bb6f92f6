// A multi-layer perceptron: dense layers, one activation between them, none after the last; in
// front of them convolutions where observations are images.
//
// The object is only the shape. The parameters are a flat array that the caller owns (a vector, a
// received message, a view into shared memory), so weights travel and are used without being
// unpacked: layer by layer, w [in, out] row-major, then b [out]. Of a convolution, `in` is a patch
// and `out` the filters.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "rl/nn/conv.hpp"
#include "rl/nn/dense.hpp"
#include "rl/rng.hpp"

namespace rl::nn {

/// Memory that forward leaves for backward, and that infer computes in. Reusable for any network
/// and batch; grows when it must and never shrinks, so a steady loop does not allocate. One thread
/// at a time.
template <class S>
struct Workspace {
  std::vector<std::vector<S>> activations; ///< per layer [row, out]
  std::vector<std::vector<S>> patches;     ///< per convolution [row, patch, in]
  std::vector<S> d_patches;
  std::vector<S> gradient;
  std::vector<S> next_gradient;
};

template <class S>
class Mlp {
public:
  Mlp() = default;

  /// `sizes`: input, hidden ..., output; at least two, all positive, else Error{bad_value}. With
  /// `front`, the input is its image, which passes the convolutions before the first dense layer;
  /// Error{bad_space} when it is too small for them.
  Mlp(std::vector<std::size_t> sizes, Activation activation, const Convolutions& front = {});

  std::size_t input_size() const { return sizes_.front(); }
  std::size_t output_size() const { return sizes_.back(); }
  std::size_t parameter_count() const { return parameter_count_; }

  /// Orthogonal weights with gain `hidden_gain` and, in the last layer, `output_gain`; zero biases.
  /// Source: Saxe et al. 2014; the gains for PPO: sqrt 2 hidden, 0.01 policy, 1 value.
  void initialise(std::span<S> parameters, double hidden_gain, double output_gain, Rng& rng) const;

  /// The outputs [row, output] for x [row, input]. They lie in the workspace until its next use.
  std::span<const S> forward(std::span<const S> parameters, std::size_t rows, std::span<const S> x,
                             Workspace<S>& workspace) const;

  /// The outputs [row, output] that the latest forward of `rows` rows left in the workspace, which
  /// a deeper network may have used before.
  std::span<const S> output(std::size_t rows, const Workspace<S>& workspace) const {
    return std::span(workspace.activations[layers_.size() - 1]).first(rows * output_size());
  }

  /// Adds to `gradient` (laid out as the parameters) the gradient of a loss with respect to the
  /// parameters, given its gradient `d_output` [row, output], after forward with the same
  /// parameters, x and workspace.
  void backward(std::span<const S> parameters, std::size_t rows, std::span<const S> x,
                Workspace<S>& workspace, std::span<const S> d_output, std::span<S> gradient) const;

  /// The same, and writes the loss's gradient with respect to x to `d_x` [row, input], for what x
  /// comes from. An empty `gradient` leaves that of the parameters out.
  void backward(std::span<const S> parameters, std::size_t rows, std::span<const S> x,
                Workspace<S>& workspace, std::span<const S> d_output, std::span<S> gradient,
                std::span<S> d_x) const;

private:
  struct Layer {
    LayerShape shape; // rows filled in per call
    std::size_t weights = 0;
    std::size_t biases = 0;
    std::size_t patches = 1; // rows of this layer that an input row has; of a dense layer 1
    ImageShape image;        // what a convolution is applied to
  };

  void add_layer(const LayerShape& shape, std::size_t patches = 1, const ImageShape& image = {});
  bool is_convolution(std::size_t layer) const { return layers_[layer].image.size() > 0; }
  const S* layer_input(std::size_t layer, std::span<const S> x,
                       const Workspace<S>& workspace) const;

  std::vector<std::size_t> sizes_;
  Activation activation_ = Activation::tanh;
  std::size_t kernel_ = 0; // side of a patch
  std::vector<Layer> layers_;
  std::size_t parameter_count_ = 0;
};

/// Fills w [in, out] with a (semi-)orthogonal matrix times `gain`: normal draws, then Gram-Schmidt
/// twice, in double. Columns are orthogonal if in >= out, else rows.
template <class S>
void orthogonal(std::span<S> w, std::size_t in, std::size_t out, double gain, Rng& rng);

extern template class Mlp<float>;
extern template class Mlp<double>;

} // namespace rl::nn
