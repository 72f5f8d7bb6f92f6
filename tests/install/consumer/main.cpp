#include <iostream>
#include <ray/api.h>

#ifdef WITH_RL
bool Learns(); // learner.cpp
#else
bool Learns() {
  return true;
}
#endif

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
  auto learns = Learns();
  ray::Shutdown();
  std::cout << result << (learns ? ", and learns\n" : ", but does not learn\n");
  return result == 10 && learns ? 0 : 1;
}
