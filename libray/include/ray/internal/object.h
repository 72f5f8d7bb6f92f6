#pragma once

/// How the templates of the public API hold objects, without seeing the runtime. Not for users.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace ray::internal {

/// The state of one object in this process. Defined by the runtime; reference counted.
struct ObjectEntry;

void Retain(ObjectEntry* entry) noexcept;
void Release(ObjectEntry* entry) noexcept;

/// 16 bytes, computed once, valid while the entry lives. Empty string for null.
const std::string& BinaryId(ObjectEntry* entry);

/// Owns one reference to an entry; an object lives while one of these does.
class EntryPtr {
public:
  EntryPtr() noexcept = default;
  /// Takes over a reference that the caller holds.
  static EntryPtr Adopt(ObjectEntry* entry) noexcept {
    EntryPtr p;
    p.entry_ = entry;
    return p;
  }
  /// Adds a reference.
  static EntryPtr Share(ObjectEntry* entry) noexcept {
    if (entry)
      Retain(entry);
    return Adopt(entry);
  }

  EntryPtr(const EntryPtr& other) noexcept : entry_(other.entry_) {
    if (entry_)
      Retain(entry_);
  }
  EntryPtr(EntryPtr&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  EntryPtr& operator=(EntryPtr other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~EntryPtr() {
    if (entry_)
      Release(entry_);
  }

  ObjectEntry* get() const noexcept { return entry_; }
  ObjectEntry* operator->() const noexcept { return entry_; }
  ObjectEntry& operator*() const noexcept { return *entry_; }
  explicit operator bool() const noexcept { return entry_ != nullptr; }
  bool operator==(const EntryPtr&) const = default;
  /// Gives the reference up to the caller.
  ObjectEntry* detach() noexcept { return std::exchange(entry_, nullptr); }

private:
  ObjectEntry* entry_ = nullptr;
};

/// Keeps bytes at their address: a pinned object of the store, or a block of process memory.
class BytesOwner {
public:
  BytesOwner() noexcept = default;
  BytesOwner(const BytesOwner&) = delete;
  BytesOwner& operator=(const BytesOwner&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

protected:
  virtual ~BytesOwner() = default;

private:
  std::atomic<std::uint32_t> references_{1};
};

/// Owns one reference to a BytesOwner; may be empty.
class BytesRef {
public:
  BytesRef() noexcept = default;
  static BytesRef Adopt(BytesOwner* owner) noexcept {
    BytesRef r;
    r.owner_ = owner;
    return r;
  }
  BytesRef(const BytesRef& other) noexcept : owner_(other.owner_) {
    if (owner_)
      owner_->retain();
  }
  BytesRef(BytesRef&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
  BytesRef& operator=(BytesRef other) noexcept {
    std::swap(owner_, other.owner_);
    return *this;
  }
  ~BytesRef() {
    if (owner_)
      owner_->release();
  }
  BytesOwner* get() const noexcept { return owner_; }
  explicit operator bool() const noexcept { return owner_ != nullptr; }

private:
  BytesOwner* owner_ = nullptr;
};

/// A packed value as it lies in memory, and what keeps it there (empty: the caller does).
struct ValueBytes {
  const char* data = nullptr;
  std::size_t size = 0;
  BytesRef owner;
};

} // namespace ray::internal
