// A driver for failures_test to kill.
//
//   cluster_driver   joins the node at port 6379, starts tasks that never end, an actor and
//   objects,
//                    prints the process of a worker and that of the actor, and waits to be killed

#include <cstdio>

#include <unistd.h>

#include <ray/api.h>

namespace {

int process() {
  return getpid();
}
int never() {
  for (;;)
    pause();
}
struct resident {
  static resident* create() { return new resident; }
  int process() { return getpid(); }
};
RAY_REMOTE(process, never, resident::create, &resident::process);

} // namespace

int main() {
  ray::RayConfig config;
  config.address = "127.0.0.1:6379";
  ray::Init(config);
  auto large = ray::Put(std::vector<double>(100'000, 1.0));
  std::printf("%d\n", *ray::Task(process).Remote().Get());
  auto actor = ray::Actor(resident::create).SetName("resident").Remote();
  std::printf("%d\n", *actor.Task(&resident::process).Remote().Get());
  std::fflush(stdout);
  std::vector<ray::ObjectRef<int>> stuck;
  // More than may be dispatched at a time: what dies with this process must make room.
  for (int i = 0; i < 3000; ++i)
    stuck.push_back(ray::Task(never).Remote());
  pause();
  return 0;
}
