#pragma once

#include <filesystem>

#include <sys/un.h>

#include "gcs/types/error.hpp"

namespace caf_ray::transport {

/// A file name of at most 107 bytes as the kernel wants it. Error: invalid_argument.
result<sockaddr_un> unix_address(const std::filesystem::path&);

} // namespace caf_ray::transport
