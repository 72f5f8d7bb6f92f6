#include "ray/internal/packed_value.h"

#include <cstring>

#include "libray/src/demangle.hpp"
#include "objstore/streaming_copy.hpp"
#include "ray/api/msgpack_adaptor.h"
#include "ray/api/ray_exception.h"

namespace ray::internal {

thread_local PackScope* PackScope::current_ = nullptr;
thread_local const BlobView* UnpackScope::current_ = nullptr;

namespace {

constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kTableEntryBytes = 16;

constexpr std::size_t Align(std::size_t n) noexcept {
  return (n + kSegmentAlignment - 1) & ~(kSegmentAlignment - 1);
}

std::size_t EnvelopeOffset(std::size_t segments) noexcept {
  return kHeaderBytes + segments * kTableEntryBytes;
}

template <class T>
T Load(const char* from) noexcept {
  T x;
  std::memcpy(&x, from, sizeof(x));
  return x;
}

[[noreturn]] void Corrupt(const char* what) {
  throw RayException(std::string("corrupt value: ") + what);
}

[[noreturn]] void ThrowDiffers(const PackedValue& value) {
  throw RayException("a value of type " + caf_ray::demangle(value.type->name())
                     + " gave other bytes when it was packed a second time, which large arrays "
                       "need; its msgpack adaptor must pack the same value in the same way");
}

} // namespace

std::size_t BlobSize(const PackedValue& value) noexcept {
  if (value.segments.empty())
    return 1 + value.envelope.size();
  auto size = EnvelopeOffset(value.segments.size()) + value.envelope.size();
  for (auto& segment : value.segments)
    size = Align(size) + segment;
  return size;
}

std::size_t WriteBlobHead(const PackedValue& value, char* to) {
  if (value.segments.empty()) {
    to[0] = 0;
    std::memcpy(to + 1, value.envelope.data(), value.envelope.size());
    return 0;
  }
  const auto count = static_cast<std::uint32_t>(value.segments.size());
  const std::uint64_t envelope_size = value.envelope.size();
  const std::uint32_t kind = 1;
  std::memcpy(to, &kind, 4);
  std::memcpy(to + 4, &count, 4);
  std::memcpy(to + 8, &envelope_size, 8);
  const auto start = EnvelopeOffset(count);
  std::memcpy(to + start, value.envelope.data(), envelope_size);
  std::uint64_t at = start + envelope_size;
  char* table = to + kHeaderBytes;
  for (auto& segment : value.segments) {
    const std::uint64_t offset = Align(at);
    const std::uint64_t size = segment;
    std::memcpy(table, &offset, 8);
    std::memcpy(table + 8, &size, 8);
    table += kTableEntryBytes;
    at = offset + size;
  }
  return Align(start + envelope_size);
}

void WriteBlob(const PackedValue& value, char* to) {
  const auto first = WriteBlobHead(value, to);
  if (value.segments.empty())
    return;
  msgpack::sbuffer again(value.envelope.size());
  PackScope scope(value, to + first);
  value.pack(value.value, again);
  scope.CheckSame(again);
}

std::uint32_t PackScope::AddSegment(const void* data, std::size_t size) {
  if (first_) {
    first_->segments.push_back(size);
    return static_cast<std::uint32_t>(first_->segments.size() - 1);
  }
  if (written_ == value_.segments.size() || value_.segments[written_] != size)
    ThrowDiffers(value_);
  caf_ray::objstore::streaming_copy(to_, data, size);
  to_ += Align(size);
  return static_cast<std::uint32_t>(written_++);
}

void PackScope::AddRef(const EntryPtr& entry) {
  if (first_)
    first_->contained.push_back(entry);
}

void PackScope::CheckSame(const msgpack::sbuffer& envelope) const {
  // Byte by byte, not only the size: what counts its own packing would else fail now and then, and
  // a ref that it makes anew each time would not be kept alive.
  if (written_ != value_.segments.size() || envelope.size() != value_.envelope.size()
      || std::memcmp(envelope.data(), value_.envelope.data(), envelope.size()) != 0)
    ThrowDiffers(value_);
}

namespace {

/// The thread's spare buffer. One that a large value has grown is not kept.
thread_local std::unique_ptr<PackedValue> spare_buffer;
constexpr std::size_t largest_spare_bytes = 1024 * 1024;

} // namespace

PackBuffer::PackBuffer()
  : value_(spare_buffer ? std::move(spare_buffer) : std::make_unique<PackedValue>()) {}

PackBuffer::~PackBuffer() {
  if (value_->envelope.size() > largest_spare_bytes)
    return;
  value_->Clear();
  spare_buffer = std::move(value_);
}

BlobView ReadBlob(const ValueBytes& bytes) {
  if (bytes.size == 0)
    Corrupt("it is empty");
  BlobView view;
  view.owner = bytes.owner;
  view.base = bytes.data;
  if (bytes.data[0] == 0) {
    view.envelope = bytes.data + 1;
    view.envelope_size = bytes.size - 1;
    return view;
  }
  if (bytes.data[0] != 1 || bytes.size < kHeaderBytes)
    Corrupt("unknown layout");
  view.segment_count = Load<std::uint32_t>(bytes.data + 4);
  view.envelope_size = Load<std::uint64_t>(bytes.data + 8);
  view.table = bytes.data + kHeaderBytes;
  if (view.segment_count > (bytes.size - kHeaderBytes) / kTableEntryBytes)
    Corrupt("its table is longer than itself");
  auto start = EnvelopeOffset(view.segment_count);
  if (view.envelope_size > bytes.size - start)
    Corrupt("its msgpack is longer than itself");
  view.envelope = bytes.data + start;
  for (std::uint32_t i = 0; i < view.segment_count; ++i) {
    auto offset = Load<std::uint64_t>(view.table + i * kTableEntryBytes);
    auto size = Load<std::uint64_t>(view.table + i * kTableEntryBytes + 8);
    if (offset > bytes.size || size > bytes.size - offset)
      Corrupt("a segment lies outside it");
  }
  return view;
}

BlobView::SegmentBytes BlobView::Segment(std::uint32_t index) const {
  if (index >= segment_count)
    Corrupt("it names a segment that it does not have");
  auto entry = table + index * kTableEntryBytes;
  return {base + Load<std::uint64_t>(entry),
          static_cast<std::size_t>(Load<std::uint64_t>(entry + 8))};
}

RawElements ReadRawElements(const msgpack::object& o) {
  if (o.type != msgpack::type::EXT || o.via.ext.size < 8)
    throw msgpack::type_error();
  auto body = o.via.ext.data();
  auto code = static_cast<std::uint8_t>(body[0]);
  RawElements raw{code, nullptr, 0, false};
  if (o.via.ext.type() == kArrayInline) {
    raw.data = body + 8;
    raw.size = o.via.ext.size - 8;
  } else if (o.via.ext.type() == kArraySegment && UnpackScope::Current()) {
    auto segment = UnpackScope::Current()->Segment(Load<std::uint32_t>(body + 4));
    raw = {code, segment.data, segment.size, true};
  } else {
    throw msgpack::type_error();
  }
  VisitElementType(code, [&](auto sample) {
    if (raw.size % sizeof(sample) != 0)
      throw msgpack::type_error();
  });
  return raw;
}

} // namespace ray::internal
