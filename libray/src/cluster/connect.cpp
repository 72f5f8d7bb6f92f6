#include "libray/src/cluster/connect.hpp"

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
