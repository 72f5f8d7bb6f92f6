// A driver that has another host work for it: prints what it finds, a line each.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <unistd.h>

#include <ray/api.h>

namespace {

/// The network namespace of whoever runs this: which host it is on.
std::string host() {
  char name[64] = {};
  auto size = readlink("/proc/self/ns/net", name, sizeof(name) - 1);
  return std::string(name, static_cast<std::size_t>(size > 0 ? size : 0));
}
std::string program() {
  char name[4096] = {};
  auto size = readlink("/proc/self/exe", name, sizeof(name) - 1);
  return std::string(name, static_cast<std::size_t>(size > 0 ? size : 0));
}
std::vector<double> numbers(int count) {
  return std::vector<double>(static_cast<std::size_t>(count), 2.0);
}
double sum(const std::vector<double>& values) {
  double total = 0;
  for (auto x : values)
    total += x;
  return total;
}
int never() {
  for (;;)
    pause();
}

class tally {
public:
  static tally* create() { return new tally; }
  int add(int n) { return count_ += n; }
  std::string where() { return host(); }

private:
  int count_ = 0;
};

RAY_REMOTE(host, program, numbers, sum, never, tally::create, &tally::add, &tally::where);

void say(const std::string& what, const std::string& value) {
  std::printf("%s %s\n", what.c_str(), value.c_str());
  std::fflush(stdout);
}

void work() {
  say("mine", host());
  say("task", *ray::Task(host).SetResource("b", 1).Remote().Get());
  say("program", *ray::Task(program).SetResource("b", 1).Remote().Get());
  auto made_there = ray::Task(numbers).SetResource("b", 1).Remote(1'000'000);
  say("sum", std::to_string(static_cast<long>(sum(*made_there.Get()))));
  auto made_here = ray::Put(std::vector<double>(1'000'000, 3.0));
  auto summed_there = ray::Task(sum).SetResource("b", 1).Remote(made_here);
  say("sum", std::to_string(static_cast<long>(*summed_there.Get())));
  auto actor = ray::Actor(tally::create).SetResource("b", 1).Remote();
  say("actor", *actor.Task(&tally::where).Remote().Get());
  for (int i = 0; i < 100; ++i)
    actor.Task(&tally::add).Remote(1);
  say("count", std::to_string(*actor.Task(&tally::add).Remote(1).Get()));
}

/// For a test that cuts the link meanwhile.
void wait_for_the_cut() {
  auto stuck = ray::Task(never).SetResource("b", 1).SetMaxRetries(0).Remote();
  say("started", "");
  try {
    stuck.Get();
  } catch (const std::exception& e) {
    say("error", e.what());
  }
}

} // namespace

int main(int argc, char** argv) {
  ray::Init();
  argc > 1 && std::string(argv[1]) == "cut" ? wait_for_the_cut() : work();
  ray::Shutdown();
}
