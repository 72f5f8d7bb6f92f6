#include "libray/src/embedded_host.hpp"

#include "gcs/types/codec.hpp"

namespace caf_ray {

namespace {

std::string object_key(object_id object, node_id node) {
  return to_binary(object) + to_binary(node);
}

} // namespace

std::string embedded_host::why(task_id task, std::chrono::milliseconds patience,
                               std::string fallback) {
  caf::scoped_actor self(node_.system());
  self->request(node_.local_scheduler(), patience, scheduler::why_atom_v, task)
    .receive([&](std::string& text) { fallback = std::move(text); }, [](const caf::error&) {});
  return fallback;
}

void embedded_host::record(const pending_task_ptr& task) {
  node_.lineage().append(task_spec_ptr(task, &task->spec),
                         std::shared_ptr<const std::atomic<bool>>(task, &task->lineage_unneeded));
}

result<objstore::pinned> embedded_host::read(object_id id, std::chrono::milliseconds patience) {
  if (auto pin = node_.store().try_get(id))
    return std::move(*pin);
  return node_.store().get(id, patience);
}

void embedded_host::stored(object_id id, std::size_t size_bytes) {
  node_.control().put(gcs::table_kind::objects, object_key(id, node_.id()),
                      encode(object_record{size_bytes, false}));
}

void embedded_host::erase(object_id id) {
  node_.store().erase(id);
  node_.control().erase(gcs::table_kind::objects, object_key(id, node_.id()));
}

void embedded_host::released(const ObjectEntry& entry) {
  if (entry.value.in_store)
    erase(entry.id);
}

void embedded_host::begin_closing() {
  node_.lineage().abandon();
  // Whoever waits for a placement group comes back, too.
  caf::anon_send_exit(node_.groups(), caf::exit_reason::user_shutdown);
}

} // namespace caf_ray
