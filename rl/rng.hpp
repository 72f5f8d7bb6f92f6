// Random numbers: numpy's default generator to the bit, normal draws of our own, and named streams.
//
// A program has one seed. Everything that draws (each environment, the policy's sampling, the order
// of minibatches, the noise of ES) has a stream of its own, derived from that seed and from what it
// is for, never from who runs it: so results do not depend on the number of workers or on their
// order.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace rl {

class ByteReader;
class ByteWriter;

/// numpy.random.SeedSequence: turns entropy words into well-mixed seed words.
/// Source: M. O'Neill's randutils seed_seq_fe, as numpy 1.17 and later use it.
class SeedSequence {
public:
  /// Same as numpy's SeedSequence(seed) for a non-negative 64-bit seed.
  explicit SeedSequence(std::uint64_t seed);

  /// Same as numpy's SeedSequence(list of uint32).
  explicit SeedSequence(std::span<const std::uint32_t> entropy);

  /// Same as generate_state(words.size(), uint64).
  void generate(std::span<std::uint64_t> words) const;

private:
  void mix(std::span<const std::uint32_t> entropy);

  std::array<std::uint32_t, 4> pool_{};
};

/// A seed for a purpose with a number or two, such as (environment index, episode). Equal arguments
/// give equal seeds; the seeds of different arguments are unrelated.
std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0);

/// A seed for a purpose with a name, such as "minibatches".
std::uint64_t derive_seed(std::uint64_t seed, std::string_view purpose);

/// PCG64 (XSL-RR 128/64, O'Neill 2014) as numpy.random.default_rng(seed) seeds and steps it.
/// A value: copies continue independently from the same state.
class Rng {
public:
  /// 128-bit state and 128-bit increment, high word first.
  using State = std::array<std::uint64_t, 4>;

  explicit Rng(std::uint64_t seed = 0);

  /// The generator that `state()` was taken from.
  static Rng from_state(const State& state);
  State state() const;
  /// The same as part of a saved state.
  static Rng load(ByteReader& in);
  void save(ByteWriter& out) const;

  /// The next 64 random bits; numpy's `bit_generator.random_raw()`.
  std::uint64_t next() {
    state_ = state_ * multiplier() + increment_;
    auto high = static_cast<std::uint64_t>(state_ >> 64);
    auto bits = high ^ static_cast<std::uint64_t>(state_);
    auto shift = static_cast<unsigned>(high >> 58);
    return (bits >> shift) | (bits << ((64 - shift) & 63));
  }

  /// Uniform in [0, 1), 53 bits; numpy's `random()`.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  /// Uniform in [low, high); numpy's `uniform(low, high)`.
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Standard normal: the inverse normal distribution function at a uniform number, so one draw is
  /// always one `next()` (numpy's ziggurat gives other numbers). At most 8.2 in absolute value.
  double normal();

  /// Standard normals in order, each as normal() rounded to float.
  void fill_normal(std::span<float> out);

  /// Uniform in 0 .. n-1 without bias (Lemire 2019). `n` must not be 0.
  std::uint64_t below(std::uint64_t n);

  /// Fisher-Yates: every order is equally likely.
  template <class T>
  void shuffle(std::span<T> items) {
    for (auto i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[below(i)]);
  }

private:
  __extension__ typedef unsigned __int128 Word;

  static constexpr Word multiplier() {
    return (Word{2549297995355413924ULL} << 64) | 4865540595714422341ULL;
  }

  Word state_ = 0;
  Word increment_ = 1;
};

/// The x with P(N(0,1) <= x) = p, for 0 < p < 1; relative error below 1e-15.
/// Source: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
double inverse_normal(double p);

} // namespace rl
