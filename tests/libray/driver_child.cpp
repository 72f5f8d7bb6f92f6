// A driver for crash_test to kill.
//
//   driver_child FOLDER   runs on the control store in FOLDER ("": a temporary one), makes a named
//                         actor and a named placement group in namespace "crashed", prints "ready"
//                         once both are there, and waits to be killed

#include <cstdio>

#include <unistd.h>

#include <ray/api.h>

namespace {

struct survivor {
  static survivor* create() { return new survivor; }
  int ready() { return 1; }
};
RAY_REMOTE(survivor::create, &survivor::ready);

} // namespace

int main(int argc, char** argv) {
  if (argc != 2)
    return 64;
  ray::RayConfig config;
  config.num_cpus = 2;
  config.object_store_memory_bytes = std::size_t{16} << 20;
  config.gcs_directory = argv[1];
  config.ray_namespace = "crashed";
  ray::Init(config);
  auto actor = ray::Actor(survivor::create).SetName("survivor").Remote();
  actor.Task(&survivor::ready).Remote().Get();
  auto group = ray::CreatePlacementGroup({"group", {{{"CPU", 1}}}, ray::PlacementStrategy::PACK});
  std::puts(group.Wait(10) ? "ready" : "no group");
  std::fflush(stdout);
  pause();
  return 0;
}
