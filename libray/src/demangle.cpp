#include "libray/src/demangle.hpp"

#include <cstdlib>
#include <memory>
#include <string_view>

#include <cxxabi.h>

namespace caf_ray {

namespace {

constexpr std::string_view long_string =
  "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";

} // namespace

std::string demangle(const char* name) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                              std::free);
  std::string result = text ? text.get() : name;
  for (std::size_t at = 0; (at = result.find(long_string, at)) != result.npos;)
    result.replace(at, long_string.size(), "std::string");
  return result;
}

} // namespace caf_ray
