#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Tests of codecs: records filled at random by their own field lists, and those lists counted.
namespace caf_ray::test {

/// Fills any record. Views are of texts that live as long as the scribbler.
class scribbler {
public:
  using result_type = bool;
  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  explicit scribbler(std::mt19937_64& random) : random_(random) {}

  template <class... Fields>
  bool operator()(Fields&... fields) {
    (write(fields), ...);
    return true;
  }

  template <class T>
  void write(T& x) {
    if constexpr (std::is_same_v<T, bool>)
      x = random_() % 2;
    else if constexpr (std::is_enum_v<T>)
      x = static_cast<T>(random_() % 3);
    else if constexpr (std::is_floating_point_v<T>)
      x = static_cast<T>(random_()) / 3;
    else if constexpr (std::is_arithmetic_v<T>)
      x = static_cast<T>(random_() >> (random_() % 64));
    else if constexpr (std::is_same_v<T, std::string>)
      x = text();
    else if constexpr (std::is_same_v<T, std::string_view>)
      x = texts_.emplace_back(text());
    else
      write_composite(x);
  }

private:
  std::string text() {
    std::string bytes(random_() % 301, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random_());
    return bytes;
  }
  template <class A, class B>
  void write_composite(std::pair<A, B>& x) {
    (*this)(x.first, x.second);
  }
  template <class T>
  void write_composite(std::vector<T>& xs) {
    xs.resize(random_() % 4);
    for (auto& x : xs)
      write(x);
  }
  template <class T>
  void write_composite(T& x) {
    inspect(*this, x);
  }

  std::mt19937_64& random_;
  std::deque<std::string> texts_;
};

/// How many fields the list of a record names.
struct field_counter {
  using result_type = std::size_t;
  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  template <class... Fields>
  std::size_t operator()(Fields&...) {
    return sizeof...(Fields);
  }
};

template <class Record>
std::size_t listed_fields() {
  Record record{};
  field_counter counter;
  return inspect(counter, record);
}

/// Stands for a value of any type where a record is initialized.
struct anything {
  template <class T>
  operator T() const; // NOLINT: implicit is its purpose
};

/// How many members an aggregate has.
template <class Record, class... Members>
constexpr std::size_t member_count() {
  if constexpr (requires { Record{Members{}..., anything{}}; })
    return member_count<Record, Members..., anything>();
  else
    return sizeof...(Members);
}

} // namespace caf_ray::test
