// Tasks that start tasks and wait for them: Fibonacci numbers, in the most wasteful way.
//
//   build/bin/example_nested_tasks [N]       # N from 0 to 25, default 18
//
// Each call is a task. It blocks in Get until its two children have ended, and so do many others
// at the same time; a task that waits gives its place to one that can run, so two cores are enough
// for any depth. Prints, for N = 18 (time and rate differ from run to run):
//
//   fib(18) = 2584
//   8361 tasks in 0.05 s, 167 thousand a second

#include <chrono>
#include <iomanip>
#include <iostream>
#include <string>
#include <utility>

#include <ray/api.h>

long Fib(int n);
RAY_REMOTE(Fib);

long Fib(int n) {
  if (n < 2)
    return n;
  auto left = ray::Task(Fib).Remote(n - 1);
  auto right = ray::Task(Fib).Remote(n - 2);
  return *left.Get() + *right.Get();
}

// How many tasks Fib(n) takes: itself, and those of its two children.
long Calls(int n) {
  long calls = 1, before = 1;
  for (int i = 2; i <= n; ++i)
    before = std::exchange(calls, calls + before + 1);
  return calls;
}

int main(int argc, char** argv) {
  int n = argc > 1 ? std::stoi(argv[1]) : 18;
  if (n < 0 || n > 25) {
    std::cerr << "N is to be from 0 to 25\n";
    return 2;
  }
  ray::Init();

  auto begin = std::chrono::steady_clock::now();
  long result = *ray::Task(Fib).Remote(n).Get();
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;

  std::cout << "fib(" << n << ") = " << result << '\n'
            << Calls(n) << " tasks in " << std::setprecision(2) << took.count() << " s, "
            << static_cast<long>(Calls(n) / took.count() / 1000) << " thousand a second\n";
  ray::Shutdown();
}
