#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace caf_ray::cluster {

/// Batches in one direction that may be under way: what a frozen receiver can make its sender's
/// system keep.
inline constexpr std::uint64_t window_bytes = 8 * 1024 * 1024;
/// A receiver says so each time it has dealt with this much.
inline constexpr std::uint64_t credit_bytes = 1024 * 1024;
static_assert(credit_bytes < window_bytes);

/// One end of a connection, counting the bytes of batches in both directions from its start. Pure.
class flow {
public:
  /// Whether the next batch may be sent, of whatever size.
  bool open() const noexcept { return sent_ - credited_ < window_bytes; }
  /// A batch is being sent; returns all bytes so far, this one included, to be sent along.
  std::uint64_t sent(std::size_t size_bytes) noexcept { return sent_ += size_bytes; }
  /// The other end has dealt with so much.
  void credited(std::uint64_t total) noexcept { credited_ = std::max(credited_, total); }

  /// This end has dealt with a batch that came with this total. The total to tell, now and then.
  std::optional<std::uint64_t> received(std::uint64_t total) noexcept {
    if (total - told_ < credit_bytes)
      return std::nullopt;
    told_ = total;
    return total;
  }

private:
  std::uint64_t sent_ = 0;
  std::uint64_t credited_ = 0;
  std::uint64_t told_ = 0;
};

} // namespace caf_ray::cluster
