#include <csignal>
#include <iostream>

#include "rl/run/run.hpp"
#include "rl/train/command.hpp"

int main(int argc, char** argv) {
  // The first Ctrl-C ends training after its update and saves; the second ends the program at once.
  auto interrupt = [](int signal) {
    rl::Run::interrupt();
    std::signal(signal, SIG_DFL);
  };
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  return rl::train_command({argv + 1, argv + argc}, std::cout, std::cerr);
}
