#pragma once

/// The form of a value in the object store and in messages. Not for users.
///
///   plain      0 | msgpack
///   segmented  1 0 0 0 | u32 n | u64 m | n x {u64 offset, u64 size} | m bytes msgpack | segments
///
/// Large arrays of arithmetic type are segments: raw elements, 64-byte aligned from the start of
/// the value, named from inside the msgpack by their index. So they are written and read at copy
/// speed, or not copied at all. Integers are little endian.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <msgpack.hpp>

#include "ray/internal/object.h"

namespace ray::internal {

/// Arrays from this size on become segments; below, they lie inside the msgpack.
inline constexpr std::size_t kSegmentBytes = 4096;
inline constexpr std::size_t kSegmentAlignment = 64;

/// msgpack extension types. Body of kArrayInline: element code, 7 zero bytes, the elements.
/// Body of kArraySegment: element code, 3 zero bytes, u32 index of the segment.
inline constexpr std::int8_t kArrayInline = 0x51;
inline constexpr std::int8_t kArraySegment = 0x52;

/// What packing one value gives. The segments point into the value: use it while that lives.
struct PackedValue {
  struct Segment {
    const void* data;
    std::size_t size;
  };

  PackedValue() : envelope(64) {}
  void Clear() {
    envelope.clear();
    segments.clear();
    contained.clear();
  }

  msgpack::sbuffer envelope;
  std::vector<Segment> segments;
  /// The objects whose refs are inside the value: alive as long as the value is.
  std::vector<EntryPtr> contained;
};

/// Bytes that `WriteBlob` will write.
std::size_t BlobSize(const PackedValue& value) noexcept;
/// Writes the value to `to`, 64-byte aligned memory of `BlobSize(value)` bytes.
void WriteBlob(const PackedValue& value, char* to);
/// The same without the bytes of the segments. Returns where the first one belongs (0: none).
std::size_t WriteBlobHead(const PackedValue& value, char* to);

/// A value taken apart again. Points into `bytes`.
struct BlobView {
  const char* envelope = nullptr;
  std::size_t envelope_size = 0;
  const char* base = nullptr;
  const char* table = nullptr;
  std::uint32_t segment_count = 0;
  BytesRef owner;

  struct SegmentBytes {
    const char* data;
    std::size_t size;
  };
  /// Throws RayException for an index that is not there.
  SegmentBytes Segment(std::uint32_t index) const;
};

/// Checks every length against the size. Throws RayException("corrupt value ...").
BlobView ReadBlob(const ValueBytes& bytes);

/// While one of these is on the stack, array and ref adaptors of msgpack know which value they are
/// packing; without one they write plain msgpack.
class PackScope {
public:
  explicit PackScope(PackedValue& value) noexcept : outer_(current_) { current_ = &value; }
  ~PackScope() { current_ = outer_; }
  PackScope(const PackScope&) = delete;
  PackScope& operator=(const PackScope&) = delete;
  static PackedValue* Current() noexcept { return current_; }

private:
  PackedValue* outer_;
  static thread_local PackedValue* current_;
};

/// The same for reading.
class UnpackScope {
public:
  explicit UnpackScope(const BlobView& value) noexcept : outer_(current_) { current_ = &value; }
  ~UnpackScope() { current_ = outer_; }
  UnpackScope(const UnpackScope&) = delete;
  UnpackScope& operator=(const UnpackScope&) = delete;
  static const BlobView* Current() noexcept { return current_; }

private:
  const BlobView* outer_;
  static thread_local const BlobView* current_;
};

} // namespace ray::internal
