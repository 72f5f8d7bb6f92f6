#pragma once

/// Arrays of numbers that are read where they lie, in shared memory.
///
///   auto w = ray::CreateArray<float>(1 << 20);          // memory of the object store
///   std::fill(w.begin(), w.end(), 1.f);
///   ray::ObjectRef<ray::Array<float>> ref = w.Seal();   // immutable from here on, no copy
///   auto a = ray::Get(ref);                             // no copy: a->data() is in the store
///   float sum = std::accumulate(a->begin(), a->end(), 0.f);

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <msgpack.hpp>

#include "ray/api/msgpack_adaptor.h"
#include "ray/api/ray_exception.h"
#include "ray/internal/packed_value.h"

namespace ray {
namespace internal {

/// 64-byte aligned process memory.
class HeapBytes final : public BytesOwner {
public:
  explicit HeapBytes(std::size_t size)
    : data_(static_cast<char*>(::operator new (size, std::align_val_t{kSegmentAlignment}))) {}
  char* data() noexcept { return data_; }

private:
  ~HeapBytes() override { ::operator delete (data_, std::align_val_t{kSegmentAlignment}); }
  char* data_;
};

} // namespace internal

/// A read-only run of numbers, 64-byte aligned; copies share it. One that comes out of `ray::Get`
/// or into a task as an argument lies in the object store and keeps it there; as a return value,
/// an argument or inside a struct with MSGPACK_DEFINE it travels at copy speed.
/// Readable from any thread.
template <class T>
class Array {
  static_assert(internal::is_raw_element_v<T>, "ray::Array holds numbers");

public:
  using value_type = T;

  Array() noexcept = default;
  /// Copies.
  Array(const T* data, std::size_t size) {
    if (size == 0)
      return;
    Fill(size, [&](T* to) { std::memcpy(to, data, size * sizeof(T)); });
  }
  Array(std::initializer_list<T> xs) : Array(xs.begin(), xs.size()) {}
  explicit Array(const std::vector<T>& xs) : Array(xs.data(), xs.size()) {}
  explicit Array(std::span<const T> xs) : Array(xs.data(), xs.size()) {}

  const T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  operator std::span<const T>() const noexcept { return {data_, size_}; }
  std::vector<T> ToVector() const { return {begin(), end()}; }

  /// True when the elements lie in the object store (or in a message) rather than in memory of
  /// this array's own.
  bool IsView() const noexcept { return view_; }

  friend bool operator==(const Array& a, const Array& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

  template <typename Packer>
  void msgpack_pack(Packer& out) const {
    internal::RawVectorAdaptor<T>::Pack(out, data_, size_);
  }

  void msgpack_unpack(const msgpack::object& o) {
    *this = Array();
    if (auto blob = internal::UnpackScope::Current();
        blob && blob->owner && o.type == msgpack::type::EXT) {
      auto raw = internal::ReadRawElements(o);
      bool aligned = reinterpret_cast<std::uintptr_t>(raw.data) % alignof(T) == 0;
      if (raw.in_segment && aligned && internal::IsElement<T>(raw.code)) {
        data_ = reinterpret_cast<const T*>(raw.data);
        size_ = raw.size / sizeof(T);
        owner_ = blob->owner;
        view_ = true;
        return;
      }
    }
    internal::RawVectorAdaptor<T>::Convert(o, [this](std::size_t n) {
      T* to = nullptr;
      if (n > 0)
        Fill(n, [&](T* memory) { to = memory; });
      return to;
    });
  }

private:
  template <class Write>
  void Fill(std::size_t size, Write&& write) {
    auto memory = new internal::HeapBytes(size * sizeof(T));
    owner_ = internal::BytesRef::Adopt(memory);
    auto to = reinterpret_cast<T*>(memory->data());
    write(to);
    data_ = to;
    size_ = size;
  }

  const T* data_ = nullptr;
  std::size_t size_ = 0;
  internal::BytesRef owner_;
  bool view_ = false;
};

} // namespace ray
