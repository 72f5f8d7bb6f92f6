#include "ray/internal/misfit.h"

#include <charconv>

#include <msgpack.hpp>

#include "libray/src/demangle.hpp"
#include "ray/api/msgpack_adaptor.h"
#include "ray/api/ray_exception.h"
#include "ray/internal/packed_value.h"

namespace ray::internal {

namespace {

std::string CountText(const char* what, std::size_t count, const char* of_what) {
  return std::string(what) + " of " + std::to_string(count) + " " + of_what;
}

/// "an array of 3 double".
std::string ArrayText(const msgpack::object& o) {
  auto raw = ReadRawElements(o);
  std::string text;
  VisitElementType(raw.code, [&]<class T>(T) {
    text = CountText("an array", ElementCount(raw), caf_ray::demangle(typeid(T).name()).c_str());
  });
  return text;
}

std::string KindText(const msgpack::object& o) {
  switch (o.type) {
    case msgpack::type::NIL: return "nothing (nil)";
    case msgpack::type::BOOLEAN: return "the bool " + TextOf(o.via.boolean);
    case msgpack::type::POSITIVE_INTEGER: return "the number " + TextOf(o.via.u64);
    case msgpack::type::NEGATIVE_INTEGER: return "the number " + TextOf(o.via.i64);
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64: return "the number " + TextOf(o.via.f64);
    case msgpack::type::STR: return CountText("a string", o.via.str.size, "bytes");
    case msgpack::type::BIN: return CountText("a block", o.via.bin.size, "bytes");
    case msgpack::type::ARRAY: return CountText("an array", o.via.array.size, "elements");
    case msgpack::type::MAP: return CountText("a map", o.via.map.size, "entries");
    case msgpack::type::EXT:
      if (o.via.ext.type() == kArrayInline || o.via.ext.type() == kArraySegment)
        return ArrayText(o);
      return "a msgpack extension of type " + std::to_string(o.via.ext.type());
  }
  return "a value of an unknown kind";
}

} // namespace

std::string NumberText(double x) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof(text), x).ptr;
  return {text, end};
}

void ThrowMisfit(const BlobView& blob, const std::type_info& wanted, std::size_t argument) {
  std::string text = argument > 0 ? "argument " + std::to_string(argument) + ": " : "";
  try {
    UnpackScope scope(blob);
    auto handle = msgpack::unpack(blob.envelope, blob.envelope_size);
    text += KindText(handle.get());
  } catch (const msgpack::type_error&) {
    text += "an array of unknown elements";
  }
  throw RayException(text + " is no " + caf_ray::demangle(wanted.name()));
}

void ThrowArgumentMisfit(std::size_t argument, const std::string& number,
                         const std::type_info& wanted) {
  throw RayException("Remote: argument " + std::to_string(argument) + " is " + number
                     + ", which is no " + caf_ray::demangle(wanted.name()));
}

} // namespace ray::internal
