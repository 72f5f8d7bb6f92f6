#pragma once

#include <utility>

#include <unistd.h>

namespace caf_ray::transport {

/// Owns an open file descriptor, or none (-1), and closes it.
class file_descriptor {
public:
  file_descriptor() = default;
  explicit file_descriptor(int number) : number_(number) {}
  file_descriptor(file_descriptor&& other) noexcept : number_(other.release()) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~file_descriptor() { reset(); }

  explicit operator bool() const noexcept { return number_ >= 0; }
  int get() const noexcept { return number_; }
  /// The caller closes it from now on.
  int release() noexcept { return std::exchange(number_, -1); }
  void reset(int number = -1) noexcept {
    auto old = std::exchange(number_, number);
    if (old >= 0)
      ::close(old);
  }

private:
  int number_ = -1;
};

} // namespace caf_ray::transport
