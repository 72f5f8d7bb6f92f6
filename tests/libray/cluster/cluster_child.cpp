// What worker_process_test starts as its worker. The variable CAF_RAY_TEST_CHILD says what it does;
// it links nothing of ours, so it is no worker by itself.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

namespace {

constexpr int connection = 3; // where a worker finds its node

void say(const std::string& text) {
  if (write(connection, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    std::exit(9);
}

const char* variable(const char* name) {
  auto value = std::getenv(name);
  return value ? value : "(none)";
}

[[noreturn]] void wait_for_ever() {
  for (;;)
    pause();
}

} // namespace

int main(int argc, char** argv) {
  const std::string act = variable("CAF_RAY_TEST_CHILD");
  if (act == "exit")
    return 3;
  if (act == "abort")
    std::abort();
  if (act == "describe") {
    say("arguments " + std::to_string(argc) + ' ' + argv[0]);
    say(std::string("\nworker ") + variable("CAF_RAY_WORKER"));
    say(std::string("\nhome ") + variable("HOME"));
    say(std::string("\nown ") + variable("CAF_RAY_TEST_OWN"));
    say("\ngroup " + std::string(getpgrp() == getpid() ? "own" : "shared"));
    char c = 0;
    say("\ninput " + std::to_string(read(0, &c, 1)));
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, nullptr, &blocked);
    say("\nblocked " + std::to_string(sigismember(&blocked, SIGTERM)) + '\n');
    return 0;
  }
  if (act == "print") {
    std::puts("to its output");
    std::fflush(stdout);
    std::fputs("to its errors\n", stderr);
    return 0;
  }
  if (act == "family") { // a program of the user's, started by the worker
    if (fork() == 0) {
      say(std::to_string(getpid()) + " lives\n");
      wait_for_ever();
    }
    wait_for_ever();
  }
  if (act == "orphan") { // it stays when the worker ends
    int ready[2];
    if (pipe(ready) != 0)
      return 9;
    if (fork() == 0) {
      say(std::to_string(getpid()) + " lives\n");
      close(ready[1]);
      wait_for_ever();
    }
    close(ready[1]);
    char c = 0;
    return read(ready[0], &c, 1) == 0 ? 0 : 9;
  }
  say("waits\n");
  wait_for_ever();
}
