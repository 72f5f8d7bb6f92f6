#pragma once

/// Packs the arguments of a call as the types that its function declares.

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <typeinfo>
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

/// `argument`, number `position` of the call (from 1), as the parameter's type. Throws RayException
/// for a number that would become another one; rounding of floating point is none.
template <class Param, class A>
Param ConvertArgument(A&& argument, std::size_t position) {
  using Arg = std::remove_cvref_t<A>;
  if constexpr (std::is_arithmetic_v<Param> && std::is_arithmetic_v<Arg>) {
    if (auto number = NumberAs<Param>(argument))
      return *number;
    ThrowArgumentMisfit(position, TextOf(argument), typeid(Param));
  } else if constexpr (std::is_arithmetic_v<Param> && std::is_enum_v<Arg>) {
    return ConvertArgument<Param>(static_cast<std::underlying_type_t<Arg>>(argument), position);
  } else if constexpr (is_optional<Param>::value && std::is_arithmetic_v<Arg>) {
    return ConvertArgument<typename Param::value_type>(argument, position);
  } else {
    return static_cast<Param>(std::forward<A>(argument));
  }
}

template <class P, class A>
void AddArgument(RayRuntime& runtime, TaskCall& call, std::size_t position, A&& argument) {
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
    AddValue(runtime, call, ConvertArgument<Param>(std::forward<A>(argument), position));
  }
}

template <class F, class... Args>
void PackArguments(RayRuntime& runtime, TaskCall& call, Args&&... args) {
  if constexpr (is_x_lang_v<F>) {
    throw RayException("functions, methods and actors of other languages are not supported");
  } else {
    StaticCheck<F, Args...>();
    using Params = CallParameters_t<F>;
    call.slots.reserve(sizeof...(Args));
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (AddArgument<std::tuple_element_t<I, Params>>(runtime, call, I + 1, std::forward<Args>(args)),
       ...);
    }
    (std::index_sequence_for<Args...>());
  }
}

} // namespace internal
} // namespace ray
