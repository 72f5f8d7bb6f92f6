#pragma once

/// A future: names an object that exists or will.
///
///   ray::ObjectRef<int> sum = ray::Task(Add).Remote(1, 2);
///   std::shared_ptr<int> value = sum.Get();      // blocks; throws what the task threw
///   ray::Task(Add).Remote(sum, 3);               // passes the value, when it is there

#include <memory>
#include <string>
#include <utility>

#include <msgpack.hpp>

#include "ray/api/ray_runtime_holder.h"
#include "ray/api/serializer.h"

namespace ray {
namespace internal {

/// What refs of all types share. Copies share the object; it lives while one of them does, while a
/// pending task needs it or a living object contains it.
class ObjectRefBase {
public:
  /// The 16 bytes of the id; empty for a ref that names nothing.
  const std::string& ID() const { return BinaryId(entry_.get()); }
  static bool IsObjectRef() { return true; }

  ObjectEntry* entry() const noexcept { return entry_.get(); }

  template <typename Packer>
  void msgpack_pack(Packer& out) const {
    if (auto scope = PackScope::Current(); scope && entry_)
      scope->AddRef(entry_);
    out.pack_array(1);
    out.pack_str(static_cast<std::uint32_t>(ID().size()));
    out.pack_str_body(ID().data(), static_cast<std::uint32_t>(ID().size()));
  }
  void msgpack_unpack(const msgpack::object& o) {
    if (o.type != msgpack::type::ARRAY || o.via.array.size != 1)
      throw msgpack::type_error();
    auto id = o.via.array.ptr[0].as<std::string>();
    entry_ = id.empty() ? EntryPtr() : RuntimeUse()->FindObject(id);
  }

protected:
  ObjectRefBase() = default;
  explicit ObjectRefBase(const std::string& id)
    : entry_(id.empty() ? EntryPtr() : RuntimeUse()->FindObject(id)) {}
  explicit ObjectRefBase(EntryPtr entry) noexcept : entry_(std::move(entry)) {}

  /// Throws RayException for a ref that names nothing.
  ObjectEntry& Named() const {
    if (!entry_)
      throw RayException("Get object error: this ObjectRef names no object (it was "
                         "default-constructed or moved from)");
    return *entry_;
  }

  EntryPtr entry_;
};

} // namespace internal

template <typename T>
class ObjectRef : public internal::ObjectRefBase {
public:
  ObjectRef() = default;
  ObjectRef(const std::string& id) : ObjectRefBase(id) {}
  explicit ObjectRef(internal::EntryPtr entry) noexcept : ObjectRefBase(std::move(entry)) {}

  bool operator==(const ObjectRef<T>& other) const { return ID() == other.ID(); }

  /// Waits for the value; a fresh copy on each call. Throws what the task ended with. Keep the
  /// pointer while you use the value: `for (auto& x : *ref.Get())` would lose it.
  std::shared_ptr<T> Get() const { return Get(-1); }
  /// Waits at most `timeout_ms` (-1: for ever), then throws RayTimeoutException.
  std::shared_ptr<T> Get(const int& timeout_ms) const {
    internal::RuntimeUse runtime;
    auto blob = internal::ReadBlob(runtime->Get(Named(), timeout_ms));
    return std::make_shared<T>(internal::Unpack<T>(blob));
  }
};

template <>
class ObjectRef<void> : public internal::ObjectRefBase {
public:
  ObjectRef() = default;
  ObjectRef(const std::string& id) : ObjectRefBase(id) {}
  explicit ObjectRef(internal::EntryPtr entry) noexcept : ObjectRefBase(std::move(entry)) {}

  bool operator==(const ObjectRef<void>& other) const { return ID() == other.ID(); }

  void Get() const { Get(-1); }
  void Get(const int& timeout_ms) const { internal::RuntimeUse()->Get(Named(), timeout_ms); }
};

/// The same as `object.Get(timeout_ms)`.
template <typename T>
std::shared_ptr<T> GetFromRuntime(const ObjectRef<T>& object, const int& timeout_ms = -1) {
  return object.Get(timeout_ms);
}

} // namespace ray
