#include "rl/nn/dense.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <new>
#include <utility>

// Under a name of our own, so that nothing compiled here for AVX2 is linked into code for any
// x86-64.
#define Eigen caf_ray_eigen
#include <Eigen/Core>

#include "rl/error.hpp"

// One kernel serves all three products: c[m, n] = start[n] + sum over k of a(m, k) b[k, n], where a
// is read with any strides and b comes in panels of a few vectors. A tile of R rows and V vectors,
// Eigen arrays of the size of a register, stays in registers while k runs, so every element is one
// chain of fused multiply-adds in the order of k; Eigen's own product would sum in an order that
// depends on the number of rows. This file is compiled with floating-point contraction on, which
// fuses alike in all tiles, and without trapping maths, which changes no value and lets the
// compiler vectorise the activations.

namespace rl::nn {

namespace {

// As wide as the registers of the processor that this file is compiled for.
#ifdef __AVX__
constexpr std::size_t vector_bytes = 32;
#else
constexpr std::size_t vector_bytes = 16;
#endif

template <class S>
constexpr std::size_t lanes = vector_bytes / sizeof(S);
template <class S>
using Vector = Eigen::Array<S, static_cast<int>(lanes<S>), 1>;

// Memory of any alignment as a vector.
template <class S>
Eigen::Map<const Vector<S>> vector_at(const S* from) {
  return Eigen::Map<const Vector<S>>(from);
}
template <class S>
Eigen::Map<Vector<S>> vector_at(S* to) {
  return Eigen::Map<Vector<S>>(to);
}

template <class S>
struct Product {
  std::size_t m, n, k;
  const S* a;
  std::size_t a_row, a_step; // a(i, j) = a[i * a_row + j * a_step]
  S* c;                      // [m, n]
  const S* start;            // [n] added to every row, or null to add to what c holds
};

// Rows i .. i+R-1 and the columns of one panel, `width` of which (from `column`) exist in c.
template <class S, int R, int V>
void tile(const Product<S>& p, std::size_t i, const S* panel, std::size_t panel_row,
          std::size_t column, std::size_t width) {
  constexpr auto full = V * lanes<S>;
  Vector<S> sum[R][V];
  alignas(vector_bytes) S edge[full];
  auto* c = p.c + i * p.n + column;
  for (int r = 0; r < R; ++r) {
    auto* from = p.start ? p.start + column : c + static_cast<std::size_t>(r) * p.n;
    if (width < full) {
      std::fill_n(edge, full, S{0});
      std::copy_n(from, width, edge);
      from = edge;
    }
    for (int v = 0; v < V; ++v)
      sum[r][v] = vector_at(from + static_cast<std::size_t>(v) * lanes<S>);
  }
  auto* a = p.a + i * p.a_row;
  for (std::size_t k = 0; k < p.k; ++k, a += p.a_step, panel += panel_row) {
    Vector<S> b[V];
    for (int v = 0; v < V; ++v)
      b[v] = vector_at(panel + static_cast<std::size_t>(v) * lanes<S>);
    for (int r = 0; r < R; ++r) {
      auto factor = a[static_cast<std::size_t>(r) * p.a_row];
      for (int v = 0; v < V; ++v)
        sum[r][v] += factor * b[v];
    }
  }
  for (int r = 0; r < R; ++r) {
    auto* to = c + static_cast<std::size_t>(r) * p.n;
    auto* whole = width == full ? to : edge;
    for (int v = 0; v < V; ++v)
      vector_at(whole + static_cast<std::size_t>(v) * lanes<S>) = sum[r][v];
    if (width < full)
      std::copy_n(edge, width, to);
  }
}

template <class S, int V>
void rows_of_panel(const Product<S>& p, const S* panel, std::size_t panel_row, std::size_t column,
                   std::size_t width) {
  constexpr int most = V >= 8 ? 1 : V == 4 ? 2 : V == 2 ? 6 : 8;
  std::size_t i = 0;
  for (; i + most <= p.m; i += most)
    tile<S, most, V>(p, i, panel, panel_row, column, width);
  if constexpr (most > 4)
    for (; i + 4 <= p.m; i += 4)
      tile<S, 4, V>(p, i, panel, panel_row, column, width);
  if constexpr (most > 2)
    for (; i + 2 <= p.m; i += 2)
      tile<S, 2, V>(p, i, panel, panel_row, column, width);
  for (; i < p.m; ++i)
    tile<S, 1, V>(p, i, panel, panel_row, column, width);
}

// Memory that grows. Not a std::vector, whose functions would be compiled here for everybody.
template <class S>
struct Buffer {
  ~Buffer() { ::operator delete(data); }

  S* data = nullptr;
  std::size_t size = 0;
};

template <class S>
S* scratch(std::size_t size) {
  thread_local Buffer<S> buffer;
  if (buffer.size < size) {
    ::operator delete(std::exchange(buffer.data, nullptr));
    buffer.size = 0;
    buffer.data = static_cast<S*>(::operator new(size * sizeof(S)));
    buffer.size = size;
  }
  return buffer.data;
}

// Copies columns `column` .. of b(k, n) = b[k * row + n * step] into a panel of V vectors, zero
// padded.
template <class S, int V>
const S* pack(const S* b, std::size_t row, std::size_t step, std::size_t k, std::size_t column,
              std::size_t width) {
  constexpr auto full = V * lanes<S>;
  auto* panel = scratch<S>(k * full);
  for (std::size_t j = 0; j < k; ++j) {
    auto* from = b + j * row + column * step;
    for (std::size_t n = 0; n < width; ++n)
      panel[j * full + n] = from[n * step];
    for (auto n = width; n < full; ++n)
      panel[j * full + n] = 0;
  }
  return panel;
}

// The columns from `column` on, in panels of V vectors while they fill; then of fewer.
template <class S, int V>
void panels(const Product<S>& p, const S* b, std::size_t row, std::size_t step, bool packed,
            std::size_t column) {
  constexpr auto full = V * lanes<S>;
  for (; column + full <= p.n; column += full) {
    if (packed || step != 1)
      rows_of_panel<S, V>(p, pack<S, V>(b, row, step, p.k, column, full), full, column, full);
    else
      rows_of_panel<S, V>(p, b + column, row, column, full);
  }
  if (column == p.n)
    return;
  if constexpr (V > 1) {
    panels<S, V / 2>(p, b, row, step, packed, column);
  } else {
    auto width = p.n - column;
    rows_of_panel<S, 1>(p, pack<S, 1>(b, row, step, p.k, column, width), full, column, width);
  }
}

template <class S>
void multiply(const Product<S>& p, const S* b, std::size_t row, std::size_t step) {
  if (p.m < 2)
    panels<S, 8>(p, b, row, step, false, 0);
  else if (p.m < 4)
    panels<S, 4>(p, b, row, step, false, 0);
  else
    panels<S, 2>(p, b, row, step, p.m >= 16, 0);
}

// e^(2x) - 1 = 2^n (e^f - 1) + (2^n - 1) with 2x = n ln 2 + f, |f| <= ln 2 / 2; the Taylor
// polynomial of (e^f - 1) / f to f^6 is then within 1e-8. tanh x = (e^(2x) - 1) / (e^(2x) + 1). NaN
// stays NaN.
inline float tanh_of(float x) {
  x = x > 9.5f ? 9.5f : x; // tanh is 1 in float from 9.02 on
  x = x < -9.5f ? -9.5f : x;
  constexpr float round = 12582912.0f; // 1.5 * 2^23: adding and subtracting it rounds to an integer
  auto shifted = x * 2.88539008178f + round;
  auto n = shifted - round;
  auto f = 2 * x - n * 0.693359375f; // ln 2 in two parts, the first exact in few bits
  f = f + n * 2.12194440e-4f;
  auto q = 1.9841270e-4f;
  q = q * f + 1.3888889e-3f;
  q = q * f + 8.3333333e-3f;
  q = q * f + 4.1666667e-2f;
  q = q * f + 1.6666667e-1f;
  q = q * f + 0.5f;
  q = q * f + 1.0f;
  auto power =
    std::bit_cast<float>((std::bit_cast<std::int32_t>(shifted) - 0x4b400000 + 127) << 23);
  auto e = power * (f * q) + (power - 1.0f);
  return e / (e + 2.0f);
}

inline double tanh_of(double x) {
  return std::tanh(x);
}

} // namespace

Activation activation_of(const std::string& name) {
  static const std::string names[] = {"identity", "tanh", "relu"};
  auto found = std::find(std::begin(names), std::end(names), name);
  if (found == std::end(names))
    throw_unknown_name("activation", name, names);
  return static_cast<Activation>(found - std::begin(names));
}

template <class S>
void affine(const LayerShape& shape, const S* x, const S* w, const S* b, S* y) {
  multiply<S>({shape.rows, shape.out, shape.in, x, shape.in, 1, y, b}, w, shape.out, 1);
}

template <class S>
void affine_weight_gradient(const LayerShape& shape, const S* x, const S* dy, S* dw, S* db) {
  multiply<S>({shape.in, shape.out, shape.rows, x, 1, shape.in, dw, nullptr}, dy, shape.out, 1);
  for (std::size_t row = 0; row < shape.rows; ++row)
    for (std::size_t j = 0; j < shape.out; ++j)
      db[j] += dy[row * shape.out + j];
}

template <class S>
void affine_input_gradient(const LayerShape& shape, const S* dy, const S* w, S* dx) {
  std::fill_n(dx, shape.rows * shape.in, S{0});
  multiply<S>({shape.rows, shape.in, shape.out, dy, shape.out, 1, dx, nullptr}, w, 1, shape.out);
}

template <class S>
void activate(Activation f, std::span<S> y) {
  if (f == Activation::tanh)
    for (auto& each : y)
      each = tanh_of(each);
  else if (f == Activation::relu)
    for (auto& each : y)
      each = each < 0 ? 0 : each;
}

template <class S>
void activate_gradient(Activation f, std::span<const S> y, std::span<S> dy) {
  if (f == Activation::tanh)
    for (std::size_t i = 0; i < y.size(); ++i)
      dy[i] *= 1 - y[i] * y[i];
  else if (f == Activation::relu)
    for (std::size_t i = 0; i < y.size(); ++i)
      dy[i] = y[i] > 0 ? dy[i] : 0;
}

#define RL_DENSE(S)                                                                                \
  template void affine<S>(const LayerShape&, const S*, const S*, const S*, S*);                    \
  template void affine_weight_gradient<S>(const LayerShape&, const S*, const S*, S*, S*);          \
  template void affine_input_gradient<S>(const LayerShape&, const S*, const S*, S*);               \
  template void activate<S>(Activation, std::span<S>);                                             \
  template void activate_gradient<S>(Activation, std::span<const S>, std::span<S>);
RL_DENSE(float)
RL_DENSE(double)
#undef RL_DENSE

} // namespace rl::nn
