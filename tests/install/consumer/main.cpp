#include <iostream>
#include <ray/api.h>

// The program of the README, which also shows that it is true.

int Square(int x) {
  return x * x;
}

class Counter {
public:
  static Counter* Create(int start) { return new Counter{start}; }
  int Add(int n) { return count += n; }
  int count = 0;
};

RAY_REMOTE(Square, Counter::Create, &Counter::Add);

int main() {
  ray::Init();
  auto nine = ray::Task(Square).Remote(3);
  auto counter = ray::Actor(Counter::Create).Remote(1);
  auto ten = counter.Task(&Counter::Add).Remote(nine);
  auto result = *ray::Get(ten);
  ray::Shutdown();
  std::cout << result << '\n';
  return result == 10 ? 0 : 1;
}
