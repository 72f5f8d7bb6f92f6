// Tasks, objects and an actor: all there is, on one page.
//
//   build/bin/example_quickstart
//
// A task is a function that runs somewhere, an object a value that lies somewhere, an actor an
// instance of a class that lives somewhere. Remote and Put return at once, with a small reference
// that may be passed on before the value exists; Get waits for it. Prints:
//
//   the squares of 1 to 10 add up to 385
//   the text has 8 words
//   the counter went from 385 to 393
//   the task failed: ... function(Reciprocal): std::invalid_argument: 0 has no reciprocal

#include <iostream>
#include <iterator>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <ray/api.h>

int Square(int x) {
  return x * x;
}

int Sum(const std::vector<int>& xs) {
  return std::accumulate(xs.begin(), xs.end(), 0);
}

std::size_t CountWords(const std::string& text) {
  std::istringstream in(text);
  return std::distance(std::istream_iterator<std::string>(in), {});
}

double Reciprocal(int x) {
  return x != 0 ? 1.0 / x : throw std::invalid_argument("0 has no reciprocal");
}

class Counter {
public:
  static Counter* Create(int start) { return new Counter{start}; }
  int Add(int n) { return count += n; }
  int count = 0;
};

// Whatever runs remotely is named here, so that every process knows it.
RAY_REMOTE(Square, Sum, CountWords, Reciprocal, Counter::Create, &Counter::Add);

int main() {
  ray::Init();

  // Ten tasks side by side. Sum is given references, waits for all of them, and gets the values.
  std::vector<ray::ObjectRef<int>> squares;
  for (int i = 1; i <= 10; ++i)
    squares.push_back(ray::Task(Square).Remote(i));
  ray::ObjectRef<int> sum = ray::Task(Sum).Remote(squares);
  std::cout << "the squares of 1 to 10 add up to " << *sum.Get() << '\n';

  // An object that is put once may be given to any number of tasks.
  auto text = ray::Put(std::string("put once, read everywhere, and never changed again"));
  auto words = ray::Task(CountWords).Remote(text);
  std::cout << "the text has " << *words.Get() << " words\n";

  // An actor keeps its state between calls, which run in the order they were sent.
  ray::ActorHandle<Counter> counter = ray::Actor(Counter::Create).Remote(sum);
  auto after = counter.Task(&Counter::Add).Remote(words);
  std::cout << "the counter went from " << *sum.Get() << " to " << *after.Get() << '\n';

  // What a task throws reaches everyone who asks for its result.
  try {
    ray::Task(Reciprocal).Remote(0).Get();
  } catch (const ray::internal::RayTaskException& e) {
    std::cout << "the task failed: " << e.what() << '\n';
  }
  ray::Shutdown();
}
