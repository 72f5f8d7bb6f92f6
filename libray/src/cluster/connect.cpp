#include "libray/src/cluster/connect.hpp"

#include <charconv>
#include <chrono>
#include <cstdlib>

#include <unistd.h>

namespace caf_ray::cluster {

namespace {

using namespace std::chrono_literals;

constexpr auto connect_patience = 5s;

} // namespace

std::filesystem::path run_folder() {
  if (auto given = std::getenv("XDG_RUNTIME_DIR"); given && *given)
    return std::filesystem::path(given) / "caf-ray";
  return std::filesystem::temp_directory_path() / ("caf-ray-" + std::to_string(getuid()));
}

std::string host_of(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

result<std::uint16_t> port_of(const std::string& address) {
  auto colon = address.rfind(':');
  unsigned port = 0;
  if (colon != std::string::npos) {
    auto begin = address.data() + colon + 1, end = address.data() + address.size();
    auto [stop, failed] = std::from_chars(begin, end, port);
    if (failed == std::errc{} && stop == end && port > 0 && port <= 65535 && colon > 0)
      return static_cast<std::uint16_t>(port);
  }
  return fail(errc::invalid_argument,
              "'" + address + "' is no address: give HOST:PORT, as in 10.0.0.1:6379");
}

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "localhost" || host == "::1" || host == "[::1]";
}

std::filesystem::path socket_of(const std::string& address) {
  auto port = address.substr(address.rfind(':') + 1);
  return run_folder() / (port + ".sock");
}

result<transport::connection> connect_to_node(const std::string& address) {
  auto path = socket_of(address);
  auto joined = transport::connect_unix(path, connect_patience);
  if (!joined && joined.error().code == errc::not_found)
    return fail(errc::not_found,
                "no node of the cluster at " + address + " runs on this host (looked for "
                  + path.string() + "); start one with: caf-ray-node start --address " + address
                  + ", or with --head --port " + address.substr(address.rfind(':') + 1));
  return joined;
}

} // namespace caf_ray::cluster
