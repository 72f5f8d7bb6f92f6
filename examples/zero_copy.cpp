// Large arrays, written and read where they lie.
//
//   build/bin/example_zero_copy
//
// CreateArray gives memory of the object store to fill; Seal makes it an object without copying;
// a ray::Array that a task takes or Get returns is a view of the same bytes. A std::vector is the
// reader's own, so it costs a copy. Prints, with other times on another machine:
//
//   filled 128 MiB in place:  40 ms
//   sealed it:                0.02 ms
//   got a view of it:         0.003 ms
//   got a copy of it:         60 ms
//   the view is the memory that was filled: yes
//   four tasks each read a quarter, nothing was sent: the mean is 0.5

#include <chrono>
#include <cstdio>
#include <vector>

#include <ray/api.h>

double SumOf(ray::Array<float> xs, std::size_t begin, std::size_t end) {
  double sum = 0;
  for (auto i = begin; i < end; ++i)
    sum += xs[i];
  return sum;
}
RAY_REMOTE(SumOf);

// Runs `step` and prints how long it took.
template <class Step>
auto Timed(const char* what, Step step) {
  auto begin = std::chrono::steady_clock::now();
  auto result = step();
  std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("%-25s %.3g ms\n", what, took.count());
  return result;
}

int main() {
  const std::size_t n = std::size_t{32} << 20; // floats: 128 MiB
  ray::RayConfig config;
  config.object_store_memory_bytes = std::size_t{256} << 20;
  ray::Init(config);

  auto writer = Timed("filled 128 MiB in place:", [&] {
    auto w = ray::CreateArray<float>(n);
    for (std::size_t i = 0; i < n; ++i)
      w[i] = (i % 256) / 255.f;
    return w;
  });
  const float* filled = writer.data();
  auto ref = Timed("sealed it:", [&] { return writer.Seal(); });
  auto view = Timed("got a view of it:", [&] { return *ref.Get(); });

  // The same object, read as another type.
  ray::ObjectRef<std::vector<float>> as_vector(ref.ID());
  Timed("got a copy of it:", [&] { return as_vector.Get(); });

  std::printf("the view is the memory that was filled: %s\n", view.data() == filled ? "yes" : "no");

  std::vector<ray::ObjectRef<double>> sums;
  for (std::size_t i = 0; i < 4; ++i)
    sums.push_back(ray::Task(SumOf).Remote(ref, i * n / 4, (i + 1) * n / 4));
  double sum = 0;
  for (auto& part : ray::Get(sums))
    sum += *part;
  std::printf("four tasks each read a quarter, nothing was sent: the mean is %.3g\n", sum / n);
  ray::Shutdown();
}
