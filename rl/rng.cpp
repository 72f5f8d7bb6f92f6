#include "rl/rng.hpp"

#include <cmath>

#include "rl/bytes.hpp"

namespace rl {

namespace {

// Evaluates the polynomial with coefficients `c`, highest power first.
template <std::size_t N>
double polynomial(const double (&c)[N], double x) {
  double sum = c[0];
  for (std::size_t i = 1; i < N; ++i)
    sum = sum * x + c[i];
  return sum;
}

// Hashing as SeedSequence does it: the constant changes with every use.
std::uint32_t hash(std::uint32_t value, std::uint32_t& constant, std::uint32_t factor) {
  value ^= constant;
  constant *= factor;
  value *= constant;
  return value ^ (value >> 16);
}

} // namespace

SeedSequence::SeedSequence(std::uint64_t seed) {
  std::uint32_t words[] = {static_cast<std::uint32_t>(seed),
                           static_cast<std::uint32_t>(seed >> 32)};
  mix(std::span(words, words[1] != 0 ? 2 : 1));
}

SeedSequence::SeedSequence(std::span<const std::uint32_t> entropy) {
  mix(entropy);
}

void SeedSequence::mix(std::span<const std::uint32_t> entropy) {
  std::uint32_t constant = 0x43b0d7e5;
  auto hashed = [&](std::uint32_t value) { return hash(value, constant, 0x931e8875); };
  auto mixed = [](std::uint32_t x, std::uint32_t y) {
    auto result = 0xca01f9dd * x - 0x4973f715 * y;
    return result ^ (result >> 16);
  };
  for (std::size_t i = 0; i < pool_.size(); ++i)
    pool_[i] = hashed(i < entropy.size() ? entropy[i] : 0);
  for (std::size_t from = 0; from < pool_.size(); ++from)
    for (std::size_t to = 0; to < pool_.size(); ++to)
      if (from != to)
        pool_[to] = mixed(pool_[to], hashed(pool_[from]));
  for (std::size_t from = pool_.size(); from < entropy.size(); ++from)
    for (auto& to : pool_)
      to = mixed(to, hashed(entropy[from]));
}

void SeedSequence::generate(std::span<std::uint64_t> words) const {
  std::uint32_t constant = 0x8b51f9dd;
  std::size_t i = 0;
  auto next = [&] { return hash(pool_[i++ % pool_.size()], constant, 0x58f38ded); };
  for (auto& word : words) {
    std::uint64_t low = next();
    word = low | std::uint64_t{next()} << 32;
  }
}

std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  std::uint32_t words[6];
  for (int i = 0; auto value : {seed, a, b}) {
    words[i++] = static_cast<std::uint32_t>(value);
    words[i++] = static_cast<std::uint32_t>(value >> 32);
  }
  std::uint64_t result;
  SeedSequence(words).generate({&result, 1});
  return result;
}

std::uint64_t derive_seed(std::uint64_t seed, std::string_view purpose) {
  std::uint64_t name = 0xcbf29ce484222325; // FNV-1a
  for (unsigned char c : purpose)
    name = (name ^ c) * 0x100000001b3;
  return derive_seed(seed, name, purpose.size());
}

Rng::Rng(std::uint64_t seed) {
  std::uint64_t words[4];
  SeedSequence(seed).generate(words);
  increment_ = ((Word{words[2]} << 64 | words[3]) << 1) | 1;
  state_ = increment_; // one step from state 0
  state_ += Word{words[0]} << 64 | words[1];
  state_ = state_ * multiplier() + increment_;
}

Rng Rng::from_state(const State& state) {
  Rng rng;
  rng.state_ = Word{state[0]} << 64 | state[1];
  rng.increment_ = Word{state[2]} << 64 | state[3];
  return rng;
}

Rng::State Rng::state() const {
  return {static_cast<std::uint64_t>(state_ >> 64), static_cast<std::uint64_t>(state_),
          static_cast<std::uint64_t>(increment_ >> 64), static_cast<std::uint64_t>(increment_)};
}

Rng Rng::load(ByteReader& in) {
  State state;
  for (auto& word : state)
    word = in.get<std::uint64_t>();
  return from_state(state);
}

void Rng::save(ByteWriter& out) const {
  for (auto word : state())
    out.put(word);
}

double Rng::normal() {
  // The middle of one of 2^52 cells: never 0, never 1, and symmetric about one half.
  return inverse_normal((static_cast<double>(next() >> 12) + 0.5) * 0x1p-52);
}

void Rng::fill_normal(std::span<float> out) {
  for (auto& each : out)
    each = static_cast<float>(normal());
}

std::uint64_t Rng::below(std::uint64_t n) {
  Word product = Word{next()} * n;
  if (static_cast<std::uint64_t>(product) < n)
    for (auto threshold = (0 - n) % n; static_cast<std::uint64_t>(product) < threshold;)
      product = Word{next()} * n;
  return static_cast<std::uint64_t>(product >> 64);
}

double inverse_normal(double p) {
  static constexpr double central_above[] = {
    2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
    13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608};
  static constexpr double central_below[] = {
    5226.495278852545925,  28729.085735721942674, 39307.89580009271061,  21213.794301586595867,
    5394.1960214247511077, 687.1870074920579083,  42.313330701600911252, 1};
  static constexpr double tail_above[] = {7.7454501427834140764e-4, 2.27238449892691845833e-2,
                                          0.24178072517745061177,   1.27045825245236838258,
                                          3.64784832476320460504,   5.7694972214606914055,
                                          4.6303378461565452959,    1.42343711074968357734};
  static constexpr double tail_below[] = {1.05075007164441684324e-9, 5.475938084995344946e-4,
                                          1.51986665636164571966e-2, 0.14810397642748007459,
                                          0.68976733498510000455,    1.6763848301838038494,
                                          2.05319162663775882187,    1};
  static constexpr double far_above[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5,
                                         1.2426609473880784386e-3,  2.6532189526576123093e-2,
                                         0.29656057182850489123,    1.7848265399172913358,
                                         5.4637849111641143699,     6.6579046435011037772};
  static constexpr double far_below[] = {2.04426310338993978564e-15, 1.4215117583164458887e-7,
                                         1.8463183175100546818e-5,   7.868691311456132591e-4,
                                         1.48753612908506148525e-2,  0.13692988092273580531,
                                         0.59983220655588793769,     1};
  auto q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    auto r = 0.180625 - q * q;
    return q * polynomial(central_above, r) / polynomial(central_below, r);
  }
  auto r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  auto x = r <= 5 ? polynomial(tail_above, r - 1.6) / polynomial(tail_below, r - 1.6)
                  : polynomial(far_above, r - 5) / polynomial(far_below, r - 5);
  return q < 0 ? -x : x;
}

} // namespace rl
