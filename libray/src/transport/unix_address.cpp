#include "libray/src/transport/unix_address.hpp"

#include <algorithm>
#include <string>

#include <sys/socket.h>

namespace caf_ray::transport {

result<sockaddr_un> unix_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto& text = path.native();
  if (text.empty() || text.size() >= sizeof(address.sun_path) || text.front() == '\0')
    return fail(errc::invalid_argument,
                "the socket path " + text + " has " + std::to_string(text.size())
                  + " bytes, the kernel takes 1 to " + std::to_string(sizeof(address.sun_path) - 1)
                  + ": choose a shorter folder");
  std::copy(text.begin(), text.end(), address.sun_path);
  return address;
}

} // namespace caf_ray::transport
