// Every program that links this library can be a worker: the linker is told (-Wl,--wrap=main) to
// come here first. Static constructors have run, so RAY_REMOTE has registered the functions.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <sys/prctl.h>
#include <unistd.h>

#include "libray/src/cluster/worker_process.hpp"
#include "libray/src/runtime.hpp"
#include "libray/src/transport/connection.hpp"

namespace caf_ray::cluster {

namespace {

/// Exit codes, for the node's log.
constexpr int worker_ended = 0;
constexpr int worker_not_joined = 2;

int run_worker(const char* told) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int descriptor = -1;
  std::uint64_t token = 0;
  if (!parse_worker_variable(told, descriptor, token)) {
    std::fprintf(stderr, "caf-ray: %s=%s: this variable is set by caf-ray-node only\n",
                 worker_variable, told);
    return worker_not_joined;
  }
  unsetenv(worker_variable); // programs that the user's code starts are no workers
  auto connection = transport::adopt_unix(descriptor);
  if (!connection) {
    std::fprintf(stderr, "caf-ray: worker: %s\n", connection.error().what.c_str());
    return worker_not_joined;
  }
  try {
    auto worker = new runtime(std::move(*connection), token); // for as long as the process lives
    runtime_gate::publish(worker);
    worker->await_end();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "caf-ray: worker: %s\n", e.what());
    return worker_not_joined;
  }
  return worker_ended;
}

} // namespace

} // namespace caf_ray::cluster

extern "C" {

int __real_main(int argc, char** argv); // NOLINT: the linker's name for the program's main

int __wrap_main(int argc, char** argv) { // NOLINT
  auto told = std::getenv(caf_ray::cluster::worker_variable);
  if (!told)
    return __real_main(argc, argv);
  int code = caf_ray::cluster::run_worker(told);
  std::fflush(nullptr);
  // No static destructors: user code may still run.
  _exit(code);
}
}
