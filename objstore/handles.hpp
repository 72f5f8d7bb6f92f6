#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "gcs/types/ids.hpp"

/// What the store hands out: the right to write an object, and the right to read it.
namespace caf_ray::objstore {

struct pin_block;

/// Whoever hands out handles: the store, or what stands for it in another process. Thread-safe.
class block_owner {
public:
  virtual void seal(pin_block* block) noexcept = 0;
  virtual void abort(pin_block* block) noexcept = 0;
  virtual void unpin(pin_block* block) noexcept = 0;

protected:
  ~block_owner() = default;
};

/// One pin of one object, shared by copies of a `pinned`. Belongs to its owner.
struct pin_block {
  std::atomic<std::uint32_t> references{0};
  std::uint32_t slot = 0;
  std::byte* data = nullptr;
  std::size_t size_bytes = 0;
  object_id id;
  block_owner* owner = nullptr;
};

/// A sealed object that stays in memory, at its address, for as long as a copy of this handle
/// lives; also after `erase`, and after the store's end. Copies share one pin and cost an atomic
/// increment. Thread-safe as a shared_ptr is. Empty when default-constructed or moved from.
class pinned {
public:
  pinned() noexcept = default;
  pinned(const pinned& other) noexcept : block_(other.block_) {
    if (block_)
      block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  pinned(pinned&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  pinned& operator=(pinned other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~pinned() {
    if (block_ && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      unpin(block_);
  }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  object_id id() const noexcept { return block_ ? block_->id : object_id{}; }
  /// The contents, 64-byte aligned. Empty for an empty handle.
  std::span<const std::byte> bytes() const noexcept {
    return block_ ? std::span<const std::byte>{block_->data, block_->size_bytes}
                  : std::span<const std::byte>{};
  }

  /// For owners: takes over a block with one reference.
  explicit pinned(pin_block* block) noexcept : block_(block) {}

private:
  static void unpin(pin_block* block) noexcept;

  pin_block* block_ = nullptr;
};

/// An object that is being written: seal it, or its destructor removes it. Move-only; one thread at
/// a time. Nobody else can read it before `seal`. May outlive the store.
class writable {
public:
  writable() noexcept = default;
  writable(writable&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  writable& operator=(writable&& other) noexcept {
    writable old{std::move(*this)};
    block_ = std::exchange(other.block_, nullptr);
    return *this;
  }
  ~writable() {
    if (block_)
      abort(block_);
  }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  object_id id() const noexcept { return block_ ? block_->id : object_id{}; }
  /// 64-byte aligned, faulted in, contents undefined.
  std::span<std::byte> data() const noexcept {
    return block_ ? std::span<std::byte>{block_->data, block_->size_bytes} : std::span<std::byte>{};
  }
  /// Immutable from now on; wakes whoever waits in `get`. Leaves this handle empty, so call it
  /// once. An object that was erased meanwhile is readable through the result only.
  pinned seal() &&;
  pinned seal() & { return std::move(*this).seal(); }

  /// For owners: takes over a block that is being written.
  explicit writable(pin_block* block) noexcept : block_(block) {}

private:
  static void abort(pin_block* block) noexcept;

  pin_block* block_ = nullptr;
};

} // namespace caf_ray::objstore
