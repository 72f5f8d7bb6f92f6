#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <msgpack.hpp>

#include "gcs/types/error.hpp"
#include "gcs/types/limits.hpp"

/// Records to bytes and back: msgpack, each record an array of its fields in declaration order.
/// The field list is the record's `inspect`, the same one that CAF's network layer uses.
namespace caf_ray {

namespace detail {

class record_writer {
public:
  using result_type = void;
  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  explicit record_writer(msgpack::sbuffer& buffer) : out_(buffer) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    out_.pack_array(sizeof...(Fields));
    (write(fields), ...);
  }

  template <class T>
  void write(T& x) {
    if constexpr (std::is_enum_v<T>) {
      out_.pack(static_cast<std::underlying_type_t<T>>(x));
    } else if constexpr (std::is_arithmetic_v<T>) {
      out_.pack(x);
    } else if constexpr (std::is_same_v<T, std::string>) {
      out_.pack_bin(static_cast<std::uint32_t>(x.size()));
      out_.pack_bin_body(x.data(), static_cast<std::uint32_t>(x.size()));
    } else {
      write_composite(x);
    }
  }

private:
  template <class A, class B>
  void write_composite(std::pair<A, B>& x) {
    (*this)(x.first, x.second);
  }
  template <class T>
  void write_composite(std::vector<T>& xs) {
    out_.pack_array(static_cast<std::uint32_t>(xs.size()));
    for (auto& x : xs)
      write(x);
  }
  template <class T>
  void write_composite(T& x) {
    inspect(*this, x);
  }

  msgpack::packer<msgpack::sbuffer> out_;
};

/// Reads what `record_writer` wrote; throws msgpack::type_error where the shape differs.
class record_reader {
public:
  using result_type = bool;
  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  explicit record_reader(const msgpack::object& in) : in_(&in) {}

  template <class... Fields>
  bool operator()(Fields&... fields) {
    auto& array = elements(sizeof...(Fields));
    std::size_t at = 0;
    (record_reader(array.ptr[at++]).read(fields), ...);
    return true;
  }

  template <class T>
  void read(T& x) {
    if constexpr (std::is_enum_v<T>) {
      x = static_cast<T>(in_->as<std::underlying_type_t<T>>());
    } else if constexpr (std::is_arithmetic_v<T>) {
      x = in_->as<T>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (in_->type != msgpack::type::BIN)
        throw msgpack::type_error();
      x.assign(in_->via.bin.ptr, in_->via.bin.size);
    } else {
      read_composite(x);
    }
  }

private:
  const msgpack::object_array& elements(std::size_t count) const {
    if (in_->type != msgpack::type::ARRAY || in_->via.array.size != count)
      throw msgpack::type_error();
    return in_->via.array;
  }
  template <class A, class B>
  void read_composite(std::pair<A, B>& x) {
    (*this)(x.first, x.second);
  }
  template <class T>
  void read_composite(std::vector<T>& xs) {
    if (in_->type != msgpack::type::ARRAY)
      throw msgpack::type_error();
    xs.clear();
    xs.resize(in_->via.array.size);
    for (std::size_t i = 0; i < xs.size(); ++i)
      record_reader(in_->via.array.ptr[i]).read(xs[i]);
  }
  template <class T>
  void read_composite(T& x) {
    inspect(*this, x);
  }

  const msgpack::object* in_;
};

} // namespace detail

template <class Record>
std::string encode(const Record& record) {
  msgpack::sbuffer buffer;
  detail::record_writer writer(buffer);
  writer.write(const_cast<Record&>(record)); // the field list serves both ways; only read here
  return std::string(buffer.data(), buffer.size());
}

/// Error: corrupt, when the bytes are not exactly one record of this type.
template <class Record>
result<Record> decode(std::string_view bytes) {
  try {
    std::size_t used = 0;
    auto limits = msgpack::unpack_limit(max_record_elements, max_record_elements, max_record_bytes,
                                        max_record_bytes, 0, max_record_depth);
    auto handle = msgpack::unpack(bytes.data(), bytes.size(), used, nullptr, nullptr, limits);
    if (used != bytes.size())
      return fail(errc::corrupt, "record has trailing bytes");
    Record record{};
    detail::record_reader(handle.get()).read(record);
    return record;
  } catch (const std::exception& e) {
    return fail(errc::corrupt, std::string("record of another shape: ") + e.what());
  }
}

} // namespace caf_ray
