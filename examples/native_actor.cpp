// A native CAF actor beside Ray tasks.
//
//   build/bin/example_native_actor
//
// Tasks throw darts to estimate pi, and report to an actor written for CAF. It may answer later,
// which a user actor cannot: who asks early gets the answer when all reports are in. Prints:
//
//   6400000 darts, pi is about 3.14123
//   a CAF actor asked too: 3.14123

#include <cstdint>
#include <iostream>
#include <random>
#include <vector>

#include <ray/api.h>
#include <ray/caf.h>

constexpr int tasks = 64, darts = 100'000;

using report_atom = caf::atom_constant<caf::atom("report")>;
using ask_atom = caf::atom_constant<caf::atom("ask")>;

struct Board {
  int reports = 0;
  std::int64_t hits = 0;
  std::vector<caf::response_promise> waiting;
  double estimate() const { return 4.0 * hits / (tasks * darts); }
};

caf::behavior KeepBoard(caf::stateful_actor<Board>* self) {
  return {
    [self](report_atom, std::int64_t hits) {
      self->state.hits += hits;
      if (++self->state.reports == tasks)
        for (auto& promise : self->state.waiting)
          promise.deliver(self->state.estimate());
    },
    [self](ask_atom) -> caf::result<double> {
      if (self->state.reports == tasks)
        return self->state.estimate();
      self->state.waiting.push_back(self->make_response_promise());
      return self->state.waiting.back();
    },
  };
}

void Throw(ray::NativeActor<caf::actor> board, unsigned seed) { // travels like an ActorHandle
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> side(-1, 1);
  std::int64_t hits = 0;
  for (int i = 0; i < darts; ++i) {
    float x = side(random), y = side(random);
    hits += x * x + y * y <= 1;
  }
  board.Send(report_atom::value, hits);
}
RAY_REMOTE(Throw);

// The handle is CAF's own, and does all that CAF can do with an actor. Such handles, and actors
// made by hand like this one, are to be gone before Shutdown ends their actor system.
void AskAsCafActor(const caf::actor& board) {
  caf::scoped_actor self(board.home_system());
  self->request(board, std::chrono::seconds(10), ask_atom::value)
    .receive([](double pi) { std::cout << "a CAF actor asked too: " << pi << '\n'; },
             [](const caf::error& e) { std::cout << "no answer: " << to_string(e) << '\n'; });
}

int main() {
  ray::Init();
  auto board = ray::SpawnNative(KeepBoard);
  for (int i = 0; i < tasks; ++i)
    ray::Task(Throw).Remote(board, i);

  auto pi = board.Ask<double>(60'000, ask_atom::value); // 60,000 ms at most
  std::cout << tasks * darts << " darts, pi is about " << pi << '\n';
  AskAsCafActor(board.Get());
  ray::Shutdown();
}
