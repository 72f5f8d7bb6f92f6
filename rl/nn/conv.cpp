#include "rl/nn/conv.hpp"

#include <algorithm>
#include <string>

#include "rl/error.hpp"

namespace rl::nn {

namespace {

// Calls `run` for each stretch of numbers that is contiguous in an image and in its patch: with its
// place in all images, its place in all patches, and its length.
template <class Run>
void each_run(const ImageShape& image, std::size_t kernel, std::size_t count, Run run) {
  auto line = image.columns * image.channels, length = kernel * image.channels;
  std::size_t to = 0;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t row = 0; row + kernel <= image.rows; ++row)
      for (std::size_t column = 0; column + kernel <= image.columns; ++column)
        for (std::size_t k = 0; k < kernel; ++k, to += length)
          run(i * image.size() + (row + k) * line + column * image.channels, to, length);
}

} // namespace

ImageShape convolved(const ImageShape& image, std::size_t kernel, std::size_t filters) {
  if (image.rows < kernel || image.columns < kernel)
    throw Error(ErrorCode::bad_space, "an image of " + std::to_string(image.rows) + " x "
                                        + std::to_string(image.columns) + " is too small for "
                                        + std::to_string(kernel) + " x " + std::to_string(kernel)
                                        + " filters; give fewer convolutions");
  return {image.rows - kernel + 1, image.columns - kernel + 1, filters};
}

template <class S>
void gather_patches(const ImageShape& image, std::size_t kernel, std::size_t count, const S* x,
                    S* patches) {
  each_run(image, kernel, count,
           [&](auto from, auto to, auto length) { std::copy_n(x + from, length, patches + to); });
}

template <class S>
void scatter_patches(const ImageShape& image, std::size_t kernel, std::size_t count,
                     const S* d_patches, S* dx) {
  std::fill_n(dx, count * image.size(), S{0});
  each_run(image, kernel, count, [&](auto from, auto to, auto length) {
    for (std::size_t i = 0; i < length; ++i)
      dx[from + i] += d_patches[to + i];
  });
}

#define RL_CONV(S)                                                                                 \
  template void gather_patches<S>(const ImageShape&, std::size_t, std::size_t, const S*, S*);      \
  template void scatter_patches<S>(const ImageShape&, std::size_t, std::size_t, const S*, S*);
RL_CONV(float)
RL_CONV(double)
#undef RL_CONV

} // namespace rl::nn
