#include "objstore/store.hpp"

#include <string>
#include <utility>

#include "objstore/arena.hpp"
#include "objstore/spill.hpp"
#include "objstore/store_core.hpp"

namespace caf_ray::objstore {

namespace {

template <class Handle, class Make>
result<Handle> wrap(result<pin_block*> block, Make make) {
  if (!block)
    return tl::unexpected{std::move(block).error()};
  return make(*block);
}

std::string first_fault(const store_options& options) {
  if (!(options.default_share > 0 && options.default_share <= 1))
    return "default_share must be over 0 and at most 1";
  if (options.commit_step_bytes < 4096)
    return "commit_step_bytes must be at least 4096";
  if (options.spill_batch_bytes == 0)
    return "spill_batch_bytes must be over 0";
  if (options.disk_full_patience.count() < 0)
    return "disk_full_patience must not be negative";
  return {};
}

} // namespace

result<std::unique_ptr<store>> store::open(store_options options) {
  if (auto fault = first_fault(options); !fault.empty())
    return fail(errc::invalid_argument, "object store: " + fault);
  if (options.capacity_bytes == 0)
    options.capacity_bytes = default_capacity_bytes(options.default_share, options.arena_directory);
  auto memory = arena::map({options.capacity_bytes, options.arena_directory});
  if (!memory)
    return tl::unexpected{std::move(memory).error()};
  if (options.spill_limit_bytes > 0)
    sweep_spill_folders(options.spill_directory);
  auto core = new store_core{std::move(options), std::move(*memory)};
  return std::unique_ptr<store>{new store{core}};
}

store::~store() {
  core_->abandon();
}

result<writable> store::create(object_id id, std::size_t size_bytes,
                               std::chrono::milliseconds deadline, std::stop_token stop) {
  return wrap<writable>(core_->create(id, size_bytes, deadline, std::move(stop)),
                        [](pin_block* block) { return writable{block}; });
}

result<pinned> store::get(object_id id, std::chrono::milliseconds deadline, std::stop_token stop) {
  return wrap<pinned>(core_->get(id, deadline, std::move(stop)),
                      [](pin_block* block) { return pinned{block}; });
}

std::optional<pinned> store::try_get(object_id id) {
  auto block = core_->try_get(id);
  if (!block)
    return std::nullopt;
  return pinned{block};
}

bool store::contains(object_id id) const {
  return core_->state(id).has_value();
}

std::optional<object_state> store::state(object_id id) const {
  return core_->state(id);
}

void store::erase(object_id id) {
  core_->erase(id);
}

result<std::size_t> store::spill_down_to(std::size_t target_bytes, std::size_t limit_bytes) {
  return core_->spill_down_to(target_bytes, limit_bytes);
}

void store::close() {
  core_->close();
}

store_stats store::stats() const {
  return core_->stats();
}

std::byte* store::memory_base() const noexcept {
  return core_->memory().base();
}

int store::memory_descriptor() const noexcept {
  return core_->memory().descriptor();
}

std::vector<object_info> store::objects() const {
  return core_->objects();
}

void pinned::unpin(pin_block* block) noexcept {
  block->owner->unpin(block);
}

pinned writable::seal() && {
  auto block = std::exchange(block_, nullptr);
  if (!block)
    return {};
  block->owner->seal(block);
  return pinned{block};
}

void writable::abort(pin_block* block) noexcept {
  block->owner->abort(block);
}

} // namespace caf_ray::objstore
