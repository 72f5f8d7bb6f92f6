#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Records to bytes and back for messages between processes: fields one behind the other, numbers
/// as they lie in memory (little endian), strings and vectors after their length. Ten times as fast
/// as `codec.hpp` and only for peers of the same version; what is kept on disk goes through that
/// one. The field list is the record's `inspect`.
///
/// A `std::string_view` field is written as a string and read as a view into the bytes that are
/// read: no copy, and valid as long as they are.
namespace caf_ray {

static_assert(std::endian::native == std::endian::little);

class flat_writer {
public:
  using result_type = void;
  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  /// Appends to `out`.
  explicit flat_writer(std::string& out) : out_(out) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (write(fields), ...);
  }

  template <class T>
  void write(const T& x) {
    if constexpr (std::is_enum_v<T> || std::is_arithmetic_v<T>) {
      out_.append(reinterpret_cast<const char*>(&x), sizeof(x));
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
      write(static_cast<std::uint32_t>(x.size()));
      out_.append(x);
    } else {
      write_composite(x);
    }
  }

private:
  template <class A, class B>
  void write_composite(const std::pair<A, B>& x) {
    write(x.first);
    write(x.second);
  }
  template <class T>
  void write_composite(const std::vector<T>& xs) {
    write(static_cast<std::uint32_t>(xs.size()));
    for (auto& x : xs)
      write(x);
  }
  template <class T>
  void write_composite(const T& x) {
    inspect(*this, const_cast<T&>(x)); // the field list serves both ways; only read here
  }

  std::string& out_;
};

/// Reads what a `flat_writer` wrote. Bytes of a peer that is not to be believed are no danger:
/// nothing is read behind the end, and nothing is allocated that the bytes there do not fill. After
/// the first value that does not fit, all are zero and `failed` is true.
class flat_reader {
public:
  using result_type = bool;
  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  explicit flat_reader(std::string_view in) : in_(in) {}

  bool failed() const noexcept { return failed_; }
  bool at_end() const noexcept { return in_.empty(); }
  std::size_t remaining_bytes() const noexcept { return in_.size(); }

  template <class... Fields>
  bool operator()(Fields&... fields) {
    (read(fields), ...);
    return !failed_;
  }

  template <class T>
  void read(T& x) {
    if constexpr (std::is_enum_v<T> || std::is_arithmetic_v<T>) {
      read_number(x);
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
      std::uint32_t size = 0;
      read_number(size);
      x = T(take(size));
    } else {
      read_composite(x);
    }
  }

private:
  /// The next bytes; none, and failed, when there are fewer.
  std::string_view take(std::size_t count) {
    if (count > in_.size()) {
      failed_ = true;
      in_ = {};
      return {};
    }
    auto bytes = in_.substr(0, count);
    in_.remove_prefix(count);
    return bytes;
  }

  template <class T>
  void read_number(T& x) {
    auto bytes = take(sizeof(x));
    x = T{};
    if (failed_)
      return;
    if constexpr (std::is_same_v<T, bool>)
      x = bytes[0] != 0; // any other byte would be undefined behaviour later
    else
      std::memcpy(&x, bytes.data(), sizeof(x));
  }
  template <class A, class B>
  void read_composite(std::pair<A, B>& x) {
    read(x.first);
    read(x.second);
  }
  template <class T>
  void read_composite(std::vector<T>& xs) {
    std::uint32_t count = 0;
    read_number(count);
    xs.clear();
    // Every element takes a byte at least; what is claimed beyond that is not reserved.
    xs.reserve(std::min({std::size_t{count}, in_.size(), reserve_limit / sizeof(T) + 1}));
    for (std::uint32_t i = 0; i < count && !failed_; ++i)
      read(xs.emplace_back());
    if (failed_)
      xs.clear();
  }
  template <class T>
  void read_composite(T& x) {
    inspect(*this, x);
  }

  static constexpr std::size_t reserve_limit = 64 * 1024;

  std::string_view in_;
  bool failed_ = false;
};

} // namespace caf_ray
