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
#include <memory>
#include <typeinfo>
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

/// What packing a value gives: its msgpack, and how large the arrays beside it are. Their bytes are
/// not kept, since they may be those of a vector that an adaptor has made and dropped again:
/// `WriteBlob` packs the value once more and copies each array when it comes to it. Use it while
/// the value lives.
struct PackedValue {
  PackedValue() : envelope(64) {}
  void Clear() {
    envelope.clear();
    segments.clear();
    contained.clear();
  }

  msgpack::sbuffer envelope;
  /// Sizes in bytes, in the order in which the arrays are packed.
  std::vector<std::size_t> segments;
  /// The objects whose refs are inside the value: alive as long as the value is.
  std::vector<EntryPtr> contained;

  /// The value, and what packs it again.
  const void* value = nullptr;
  void (*pack)(const void* value, msgpack::sbuffer& to) = nullptr;
  const std::type_info* type = nullptr;
};

/// A PackedValue to work in, memory of earlier ones included. A thread may have several at a time:
/// user code that packs a value may call functions that pack another.
class PackBuffer {
public:
  PackBuffer();
  ~PackBuffer();
  PackBuffer(const PackBuffer&) = delete;
  PackBuffer& operator=(const PackBuffer&) = delete;
  PackedValue& operator*() const noexcept { return *value_; }
  PackedValue* operator->() const noexcept { return value_.get(); }

private:
  std::unique_ptr<PackedValue> value_;
};

/// Bytes that `WriteBlob` will write.
std::size_t BlobSize(const PackedValue& value) noexcept;
/// Writes the value to `to`, 64-byte aligned memory of `BlobSize(value)` bytes. Throws RayException
/// when the value packs itself differently from the first time.
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
  /// The first time: `value` takes note of arrays and refs.
  explicit PackScope(PackedValue& value) noexcept : PackScope(value, &value, nullptr) {}
  /// The second time: arrays are copied to `to` and behind it.
  PackScope(const PackedValue& value, char* to) noexcept : PackScope(value, nullptr, to) {}
  ~PackScope() { current_ = outer_; }
  PackScope(const PackScope&) = delete;
  PackScope& operator=(const PackScope&) = delete;
  static PackScope* Current() noexcept { return current_; }

  /// An array that lies beside the msgpack; needed during the call only. Returns its index.
  std::uint32_t AddSegment(const void* data, std::size_t size);
  /// A ref inside the value.
  void AddRef(const EntryPtr& entry);
  /// Throws RayException unless the second time gave what the first one did.
  void CheckSame(const msgpack::sbuffer& envelope) const;

private:
  PackScope(const PackedValue& value, PackedValue* first, char* to) noexcept
    : value_(value), first_(first), to_(to), outer_(current_) {
    current_ = this;
  }

  const PackedValue& value_;
  PackedValue* first_; ///< `value_`, or null the second time.
  char* to_;
  std::size_t written_ = 0; ///< Segments.
  PackScope* outer_;
  static thread_local PackScope* current_;
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
