#pragma once

#include <string>

namespace caf_ray {

/// Readable name of the type with this typeid name, as users write it (std::string, not the
/// template behind it).
std::string demangle(const char* name);

} // namespace caf_ray
