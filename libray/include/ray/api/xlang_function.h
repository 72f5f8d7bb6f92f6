// Names of Python and Java functions and classes. Programs that mention them compile; calling one
// throws, since this runtime runs C++ only:
//
//   try {
//     ray::Task(ray::PyFunction<int>{"module", "function"}).Remote(1);
//   } catch (const ray::internal::RayException& e) {
//     std::cerr << e.what() << '\n'; // Python functions are not supported: module.function
//   }
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <ray/api/ray_exception.h>

namespace ray {

namespace internal {

enum class LangType { CPP, PYTHON, JAVA };

/// Length of the header before a value that crosses languages, and what an object's metadata says
/// about its encoding. Kept for programs that name them; our own objects carry neither.
inline constexpr std::size_t XLANG_HEADER_LEN = 9;
inline constexpr std::string_view METADATA_STR_DUMMY = "__RAY_DUMMY__";
inline constexpr std::string_view METADATA_STR_RAW = "RAW";
inline constexpr std::string_view METADATA_STR_XLANG = "XLANG";

/// Throws RayException: "<language> <kind> are not supported: <name>".
[[noreturn]] inline void ThrowXlangNotSupported(const std::string& what, const std::string& name) {
  throw RayException(what + " are not supported: " + name);
}

} // namespace internal

/// A Python function. Calling it throws RayException.
template <typename R>
struct PyFunction {
  bool IsPython() const noexcept { return true; }
  R operator()() const {
    internal::ThrowXlangNotSupported("Python functions", module_name + "." + function_name);
  }
  std::string module_name;
  std::string function_name;
};

/// A Python class as an actor. Calling it throws RayException.
struct PyActorClass {
  bool IsPython() const noexcept { return true; }
  void operator()() const {
    internal::ThrowXlangNotSupported("Python actors", module_name + "." + class_name);
  }
  std::string module_name;
  std::string class_name;
  std::string function_name = "__init__";
};

/// A method of a Python actor. Calling it throws RayException.
template <typename R>
struct PyActorMethod {
  bool IsPython() const noexcept { return true; }
  R operator()() const { internal::ThrowXlangNotSupported("Python methods", function_name); }
  std::string function_name;
};

/// A Java class as an actor. Calling it throws RayException.
struct JavaActorClass {
  bool IsJava() const noexcept { return true; }
  void operator()() const { internal::ThrowXlangNotSupported("Java actors", class_name); }
  std::string class_name;
  std::string module_name = "";
  std::string function_name = "<init>";
};

/// A method of a Java actor. Calling it throws RayException.
template <typename R>
struct JavaActorMethod {
  bool IsJava() const noexcept { return true; }
  R operator()() const { internal::ThrowXlangNotSupported("Java methods", function_name); }
  std::string function_name;
};

/// A static Java method. Calling it throws RayException.
template <typename R>
struct JavaFunction {
  bool IsJava() const noexcept { return true; }
  R operator()() const {
    internal::ThrowXlangNotSupported("Java functions", class_name + "." + function_name);
  }
  std::string class_name;
  std::string function_name;
};

} // namespace ray
