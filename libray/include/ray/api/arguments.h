#pragma once

/// Packs the arguments of a call as the types that its function declares.

#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "ray/api/object_ref.h"
#include "ray/api/static_check.h"

namespace ray {
namespace internal {

/// Values above this many bytes are put into the store and passed as objects.
inline constexpr std::size_t kInlineArgumentBytes = 100 * 1024;

template <class T>
void AddValue(RayRuntime& runtime, TaskCall& call, const T& value) {
  PackBuffer packed;
  Pack(value, *packed);
  auto size = BlobSize(*packed);
  if (size > kInlineArgumentBytes) {
    call.slots.push_back({TaskCall::Slot::Kind::Object, 0, 0, runtime.Put(*packed)});
  } else {
    auto offset = call.bytes.size();
    call.bytes.resize(offset + size);
    WriteBlob(*packed, call.bytes.data() + offset);
    call.slots.push_back({TaskCall::Slot::Kind::Value, static_cast<std::uint32_t>(offset),
                          static_cast<std::uint32_t>(size), EntryPtr()});
    for (auto& entry : packed->contained)
      call.contained.push_back(std::move(entry));
  }
}

inline EntryPtr DependencyOf(const ObjectRefBase& ref) {
  if (!ref.entry())
    throw RayException("Remote: an argument is an ObjectRef that names no object (it was "
                       "default-constructed or moved from)");
  return EntryPtr::Share(ref.entry());
}

template <class P, class A>
void AddArgument(RayRuntime& runtime, TaskCall& call, A&& argument) {
  using Arg = std::remove_cvref_t<A>;
  using Param = std::remove_cvref_t<P>;
  if constexpr (is_object_ref_v<Arg> && !is_object_ref_v<Param>) {
    call.slots.push_back({TaskCall::Slot::Kind::Object, 0, 0, DependencyOf(argument)});
  } else if constexpr (is_ref_vector_v<Arg> && is_vector<Param>::value && !is_ref_vector_v<Param>) {
    call.slots.push_back(
      {TaskCall::Slot::Kind::Gather, 0, static_cast<std::uint32_t>(argument.size()), EntryPtr()});
    for (auto& ref : argument)
      call.slots.push_back({TaskCall::Slot::Kind::Object, 0, 0, DependencyOf(ref)});
  } else if constexpr (std::is_same_v<Arg, Param>) {
    AddValue(runtime, call, argument);
  } else {
    const Param converted = static_cast<Param>(std::forward<A>(argument));
    AddValue(runtime, call, converted);
  }
}

template <class F, class... Args>
void PackArguments(RayRuntime& runtime, TaskCall& call, Args&&... args) {
  StaticCheck<F, Args...>();
  using Params = CallParameters_t<F>;
  call.slots.reserve(sizeof...(Args));
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (AddArgument<std::tuple_element_t<I, Params>>(runtime, call, std::forward<Args>(args)), ...);
  }
  (std::index_sequence_for<Args...>());
}

} // namespace internal
} // namespace ray
