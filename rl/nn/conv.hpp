// Convolutions for small images, as dense layers on patches: every k x k patch of an image is a row
// of its own, to which one affine layer is applied (nn/dense.hpp). Stride 1, no padding.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace rl::nn {

/// An image lies row-major, channels last: [row, column, channel].
struct ImageShape {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t channels = 0;

  std::size_t size() const { return rows * columns * channels; }
  bool operator==(const ImageShape&) const = default;
};

/// Convolutions in front of a network: `filters[i]` of the i-th, all `kernel` x `kernel`.
struct Convolutions {
  ImageShape image;
  std::vector<std::size_t> filters; ///< empty: none
  std::size_t kernel = 3;
};

/// What a convolution makes of an image. Throws Error{bad_space} when the image is smaller than the
/// kernel.
ImageShape convolved(const ImageShape& image, std::size_t kernel, std::size_t filters);

/// Copies every patch of `count` images x [image, row, column, channel] to `patches`
/// [image, patch row, patch column, kernel row, kernel column, channel].
template <class S>
void gather_patches(const ImageShape& image, std::size_t kernel, std::size_t count, const S* x,
                    S* patches);

/// The way back for gradients: overwrites dx with the sum of what its patches got.
template <class S>
void scatter_patches(const ImageShape& image, std::size_t kernel, std::size_t count,
                     const S* d_patches, S* dx);

} // namespace rl::nn
