// The other process of the transport tests.
//   serve-fd FD HEARTBEAT_MS TIMEOUT_MS    serves an answerer over an inherited socket
//   join-path PATH HEARTBEAT_MS TIMEOUT_MS joins, and sends an answerer of its own
//   join-tls PORT HEARTBEAT_MS TIMEOUT_MS FOLDER
//                                          the same over TLS, with the credentials of the folder
//   stock-caf PORT                         connects as CAF does by itself, prints what came of it
//   adopt-as-nobody FD                     prints what adopt_unix says to another user
//   connect-as-nobody PATH                 connects as another user and prints what came of it
// Prints "ready" when it is, then waits to be killed.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <caf/io/middleman.hpp>

#include "libray/src/transport/credentials.hpp"
#include "libray/src/transport/tcp_socket.hpp"
#include "tests/libray/transport/host.hpp"

using namespace caf_ray::transport;

namespace {

[[noreturn]] void finish(const std::string& line, int code) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  _exit(code);
}

template <class T>
T need(caf_ray::result<T> r) {
  if (!r)
    finish(r.error().what, 1);
  return std::move(*r);
}

[[noreturn]] void wait_to_be_killed() {
  std::printf("ready\n");
  std::fflush(stdout);
  for (;;)
    pause();
}

link_timing timing(char** argv) {
  return {test::milliseconds(std::atol(argv[3])), test::milliseconds(std::atol(argv[4]))};
}

void serve_fd(char** argv) {
  test::host here(timing(argv));
  auto published = here.spawn(test::answerer);
  serve(here.system, need(adopt_unix(static_cast<int>(std::atol(argv[2])))),
        caf::actor_cast<caf::strong_actor_ptr>(published));
  wait_to_be_killed();
}

void join_path(char** argv) {
  test::host here(timing(argv));
  auto published = need(join(here.system, need(connect_unix(argv[2], test::soon)), test::soon));
  caf::anon_send(caf::actor_cast<caf::actor>(published), here.spawn(test::answerer));
  wait_to_be_killed();
}

void join_tls(char** argv) {
  test::host here(timing(argv));
  auto port = static_cast<std::uint16_t>(std::atol(argv[2]));
  auto link = need(connect_tls("127.0.0.1", port, need(credentials::load(argv[5])), test::soon));
  auto published = need(join(here.system, std::move(link), test::soon));
  caf::anon_send(caf::actor_cast<caf::actor>(published), here.spawn(test::answerer));
  wait_to_be_killed();
}

void stock_caf(char** argv) {
  caf::actor_system_config config;
  config.load<caf::io::middleman>();
  caf::actor_system system(config);
  auto port = static_cast<std::uint16_t>(std::atol(argv[2]));
  // tidy: allow remote-actor, a stranger that knows no better is what the test wants
  auto found = system.middleman().remote_actor("127.0.0.1", port);
  finish(found ? "let in" : "refused", 0);
}

void become_nobody() {
  constexpr uid_t nobody = 65534;
  if (setresuid(nobody, nobody, nobody) != 0)
    finish("cannot become another user", 2);
}

void adopt_as_nobody(char** argv) {
  become_nobody();
  auto link = adopt_unix(static_cast<int>(std::atol(argv[2])));
  finish(link ? "adopted" : link.error().what, 0);
}

void connect_as_nobody(char** argv) {
  become_nobody();
  auto link = connect_unix(argv[2], test::soon);
  if (!link)
    finish(link.error().what, 0);
  pollfd end{link->fd(), POLLIN, 0};
  char byte;
  auto closed = poll(&end, 1, 20'000) == 1 && read(link->fd(), &byte, 1) <= 0;
  finish(closed ? "connected, then closed" : "connected, and not closed", 0);
}

} // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::map<std::string, void (*)(char**)> modes = {
    {"serve-fd", serve_fd},
    {"join-path", join_path},
    {"join-tls", join_tls},
    {"stock-caf", stock_caf},
    {"adopt-as-nobody", adopt_as_nobody},
    {"connect-as-nobody", connect_as_nobody},
  };
  auto mode = argc > 2 ? modes.find(argv[1]) : modes.end();
  if (mode == modes.end())
    finish("see the top of transport_child.cpp", 2);
  mode->second(argv);
}
