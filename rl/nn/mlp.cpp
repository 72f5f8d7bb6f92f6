#include "rl/nn/mlp.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <Eigen/Core>

#include "rl/error.hpp"

namespace rl::nn {

namespace {

template <class S>
S* sized(std::vector<S>& buffer, std::size_t size) {
  if (buffer.size() < size)
    buffer.resize(size);
  return buffer.data();
}

} // namespace

template <class S>
Mlp<S>::Mlp(std::vector<std::size_t> sizes, Activation activation, const Convolutions& front)
  : sizes_(std::move(sizes)), activation_(activation), kernel_(front.kernel) {
  auto none = [](auto& list) { return std::find(list.begin(), list.end(), 0u) != list.end(); };
  if (sizes_.size() < 2 || none(sizes_) || none(front.filters))
    throw Error(ErrorCode::bad_value, "a network needs an input and an output, none of size 0");
  auto image = front.image;
  for (auto filters : front.filters) {
    auto next = convolved(image, kernel_, filters);
    add_layer({0, kernel_ * kernel_ * image.channels, filters}, next.rows * next.columns, image);
    image = next;
  }
  for (std::size_t i = 0; i + 1 < sizes_.size(); ++i)
    add_layer({0, i == 0 && !layers_.empty() ? image.size() : sizes_[i], sizes_[i + 1]});
}

template <class S>
void Mlp<S>::add_layer(const LayerShape& shape, std::size_t patches, const ImageShape& image) {
  auto biases = parameter_count_ + shape.in * shape.out;
  layers_.push_back({shape, parameter_count_, biases, patches, image});
  parameter_count_ = biases + shape.out;
}

template <class S>
void Mlp<S>::initialise(std::span<S> parameters, double hidden_gain, double output_gain,
                        Rng& rng) const {
  for (auto& layer : layers_) {
    auto gain = &layer == &layers_.back() ? output_gain : hidden_gain;
    auto [rows, in, out] = layer.shape;
    orthogonal(parameters.subspan(layer.weights, in * out), in, out, gain, rng);
    std::fill_n(parameters.begin() + static_cast<std::ptrdiff_t>(layer.biases), out, S{0});
  }
}

// What the rows of a layer are: the outputs of the one before or x, as patches for a convolution,
// which forward has gathered.
template <class S>
const S* Mlp<S>::layer_input(std::size_t layer, std::span<const S> x,
                             const Workspace<S>& workspace) const {
  if (is_convolution(layer))
    return workspace.patches[layer].data();
  return layer > 0 ? workspace.activations[layer - 1].data() : x.data();
}

template <class S>
std::span<const S> Mlp<S>::forward(std::span<const S> parameters, std::size_t rows,
                                   std::span<const S> x, Workspace<S>& workspace) const {
  if (workspace.activations.size() < layers_.size())
    workspace.activations.resize(layers_.size());
  if (workspace.patches.size() < layers_.size())
    workspace.patches.resize(layers_.size());
  auto* input = x.data();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto& layer = layers_[i];
    LayerShape shape{rows * layer.patches, layer.shape.in, layer.shape.out};
    if (is_convolution(i)) {
      auto* patches = sized(workspace.patches[i], shape.rows * shape.in);
      gather_patches(layer.image, kernel_, rows, input, patches);
      input = patches;
    }
    auto* y = sized(workspace.activations[i], shape.rows * shape.out);
    affine(shape, input, parameters.data() + layer.weights, parameters.data() + layer.biases, y);
    if (i + 1 < layers_.size())
      activate(activation_, std::span(y, shape.rows * shape.out));
    input = y;
  }
  return {input, rows * output_size()};
}

template <class S>
void Mlp<S>::backward(std::span<const S> parameters, std::size_t rows, std::span<const S> x,
                      Workspace<S>& workspace, std::span<const S> d_output,
                      std::span<S> gradient) const {
  backward(parameters, rows, x, workspace, d_output, gradient, {});
}

template <class S>
void Mlp<S>::backward(std::span<const S> parameters, std::size_t rows, std::span<const S> x,
                      Workspace<S>& workspace, std::span<const S> d_output, std::span<S> gradient,
                      std::span<S> d_x) const {
  auto* dy = d_output.data();
  for (auto i = layers_.size(); i-- > 0;) {
    auto& layer = layers_[i];
    LayerShape shape{rows * layer.patches, layer.shape.in, layer.shape.out};
    if (!gradient.empty())
      affine_weight_gradient(shape, layer_input(i, x, workspace), dy,
                             gradient.data() + layer.weights, gradient.data() + layer.biases);
    if (i == 0 && d_x.empty())
      break;
    // Of the layer before, or of x.
    auto size = i > 0 ? rows * layers_[i - 1].patches * layers_[i - 1].shape.out : d_x.size();
    auto* dx = i > 0 ? sized(workspace.next_gradient, size) : d_x.data();
    auto* d_rows = is_convolution(i) ? sized(workspace.d_patches, shape.rows * shape.in) : dx;
    affine_input_gradient(shape, dy, parameters.data() + layer.weights, d_rows);
    if (is_convolution(i))
      scatter_patches(layer.image, kernel_, rows, d_rows, dx);
    if (i == 0)
      break;
    activate_gradient(activation_, std::span<const S>(workspace.activations[i - 1]).first(size),
                      std::span(dx, size));
    std::swap(workspace.gradient, workspace.next_gradient);
    dy = workspace.gradient.data();
  }
}

template <class S>
void orthogonal(std::span<S> w, std::size_t in, std::size_t out, double gain, Rng& rng) {
  auto count = static_cast<Eigen::Index>(std::min(in, out));
  auto length = static_cast<Eigen::Index>(std::max(in, out));
  Eigen::MatrixXd q(length, count); // columns to make orthonormal
  for (auto& each : q.reshaped())
    each = rng.normal();
  for (Eigen::Index i = 0; i < count; ++i) {
    for (int pass = 0; pass < 2; ++pass) // once loses digits, twice is enough
      for (Eigen::Index j = 0; j < i; ++j)
        q.col(i) -= q.col(i).dot(q.col(j)) * q.col(j);
    q.col(i).normalize();
  }
  if (in < out)
    q.transposeInPlace();
  using RowMajor = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<RowMajor>(w.data(), q.rows(), q.cols()) = (gain * q).cast<S>();
}

template class Mlp<float>;
template class Mlp<double>;
template void orthogonal<float>(std::span<float>, std::size_t, std::size_t, double, Rng&);
template void orthogonal<double>(std::span<double>, std::size_t, std::size_t, double, Rng&);

} // namespace rl::nn
