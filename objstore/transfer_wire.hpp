#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gcs/types/error.hpp"
#include "gcs/types/ids.hpp"

/// What two transfers say to each other: one request, one answer, one header for both.
///
/// A puller asks for one chunk at a time, as many at once as its window allows, and gets one answer
/// for each; the source remembers nothing in between. All is little-endian:
///
///     0 magic  4 version  6 kind  8 pull  16 object  32 size  40 offset  48 checksum  56 length
///     60 zero
///
/// Behind the header of a `chunk` comes a second frame with the bytes; all else is one frame.
namespace caf_ray::objstore::wire {

inline constexpr std::uint32_t magic = 0x46585243; // "CRXF"
inline constexpr std::uint16_t version = 1;
inline constexpr std::size_t header_bytes = 64;

/// The largest piece that may be asked for.
inline constexpr std::size_t max_chunk_bytes = 16 * 1024 * 1024;

enum class kind : std::uint16_t {
  /// Send me these bytes. Answered by any of those below but `same`.
  get = 1,
  /// I have these bytes from another copy: what is the checksum of yours? Answered by `same`, or by
  /// what `get` is refused with.
  check = 2,
  /// The bytes, in the next frame. `checksum` is their XXH3.
  chunk = 3,
  /// The checksum that was asked for, without the bytes.
  same = 4,
  /// There is no sealed copy here.
  not_found = 5,
  /// Not now: it is being read back from disk, or you have more to read first. Ask again.
  busy = 6,
  /// There is an object of this id, but of `size`.
  other_size = 7,
  /// I do not understand the request; `version` says what I speak.
  refused = 8,
};

struct header {
  wire::kind kind = kind::get;
  /// The puller's number for its pull; comes back unchanged.
  std::uint64_t pull = 0;
  object_id object;
  /// Of the whole object.
  std::uint64_t size_bytes = 0;
  std::uint64_t offset_bytes = 0;
  std::uint64_t checksum = 0;
  std::uint32_t length_bytes = 0;

  bool operator==(const header&) const = default;
};

std::array<std::byte, header_bytes> encode(const header& x) noexcept;

/// Errors: corrupt (not 64 bytes, not ours, unknown kind, or a chunk that is too long or not inside
/// its object), version_mismatch (another version of ours).
result<header> decode(std::span<const std::byte> bytes);

} // namespace caf_ray::objstore::wire
