#include "gcs/types/ids.hpp"

#include <stdexcept>

#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace caf_ray {

namespace {

/// Seeds that keep the kinds of derived ids apart.
enum class domain : std::uint64_t { task = 1, put = 2, actor = 3, driver = 4 };

struct words {
  std::uint64_t high, low;
};

words hash(domain kind, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const std::uint64_t input[3] = {a, b, c};
  auto h = XXH3_128bits_withSeed(input, sizeof(input), static_cast<std::uint64_t>(kind));
  return {h.high64, h.low64};
}

constexpr std::uint64_t without_index(std::uint64_t low) {
  return low & ~std::uint64_t{max_return_count};
}

constexpr char digits[] = "0123456789abcdef";

int value_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

} // namespace

task_id derive_task(task_id parent, std::uint64_t count) {
  auto h = hash(domain::task, parent.high, parent.low, count);
  return {h.high, without_index(h.low)};
}

actor_id derive_actor(task_id creator) {
  auto h = hash(domain::actor, creator.high, creator.low, 0);
  return {h.high, h.low};
}

task_id driver_task(job_id job, std::uint64_t incarnation) {
  auto h = hash(domain::driver, job, incarnation, 0);
  return {h.high, without_index(h.low)};
}

object_id derive_put(task_id parent, std::uint64_t count) {
  auto h = hash(domain::put, parent.high, parent.low, count);
  return {h.high, without_index(h.low)};
}

std::array<std::uint64_t, 2> random_bits() {
  std::array<std::uint64_t, 2> bits{};
  if (getrandom(bits.data(), sizeof(bits), 0) != sizeof(bits))
    throw std::runtime_error("getrandom failed: no random source, cannot name anything");
  return bits;
}

namespace detail {

std::string to_hex(std::uint64_t high, std::uint64_t low) {
  std::string text(32, '0');
  for (int i = 0; i < 16; ++i) {
    text[i] = digits[high >> (60 - 4 * i) & 15];
    text[16 + i] = digits[low >> (60 - 4 * i) & 15];
  }
  return text;
}

bool parse_hex(std::string_view text, std::uint64_t& high, std::uint64_t& low) {
  if (text.size() != 32)
    return false;
  std::uint64_t parts[2] = {0, 0};
  for (std::size_t i = 0; i < 32; ++i) {
    auto v = value_of(text[i]);
    if (v < 0)
      return false;
    parts[i / 16] = parts[i / 16] << 4 | static_cast<std::uint64_t>(v);
  }
  high = parts[0];
  low = parts[1];
  return true;
}

} // namespace detail
} // namespace caf_ray
