#pragma once

#include <cstddef>
#include <cstdint>

/// Every bound of the system. What relates two of them is asserted below.
namespace caf_ray {

/// A value up to this size travels inside messages and lies in process memory; a larger one lives
/// in the shared-memory store.
inline constexpr std::size_t inline_value_bytes = 100 * 1024;

/// A control message between processes.
inline constexpr std::size_t max_control_message_bytes = 1024 * 1024;

/// Alignment of array payloads, and of objects in the arena.
inline constexpr std::size_t payload_alignment = 64;

/// What a record may claim before anything is allocated for it.
inline constexpr std::size_t max_record_bytes = 64 * 1024 * 1024;
inline constexpr std::size_t max_record_elements = 1024 * 1024;
inline constexpr std::size_t max_record_depth = 16;

/// Tasks that a node queues before submitters are slowed down.
inline constexpr std::size_t max_queued_tasks = 4'000'000;

/// Tasks handed to the executor and not started yet; the rest waits in the local scheduler, where
/// it can still be placed elsewhere.
inline constexpr std::size_t dispatch_window = 1024;

/// Depth to which a waiting thread runs the tasks it waits for on its own stack.
inline constexpr unsigned max_inline_depth = 16;

static_assert(inline_value_bytes < max_control_message_bytes);
static_assert((payload_alignment & (payload_alignment - 1)) == 0);

} // namespace caf_ray
