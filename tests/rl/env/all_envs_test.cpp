// What must hold for every environment of the library, besides what the checker looks at: a saved
// one continues, threads do not disturb each other, a step allocates nothing.

#include <cstdlib>
#include <new>
#include <thread>

#include "rl/env/registry.hpp"
#include "rl/env/vector_env.hpp"
#include "rl/rng.hpp"
#include "tests/rl/support.hpp"

namespace {

const auto library_names = rl::env_names(); // before tests register theirs

thread_local long allocations = 0;

// Everything that `steps` steps of two environments give, as one row of numbers.
std::vector<float> life(rl::VectorEnv& env, rl::Rng rng, int steps) {
  auto width = rl::value_size(env.action_space());
  std::vector<float> actions(2 * width), reward(2), result;
  std::vector<std::uint8_t> terminated(2), truncated(2);
  for (int i = 0; i < steps; ++i) {
    for (std::size_t row = 0; row < 2; ++row)
      rl::sample(env.action_space(), rng, std::span(actions).subspan(row * width, width));
    env.step(actions, {reward, terminated, truncated});
    result.insert(result.end(), env.observation().begin(), env.observation().end());
    result.insert(result.end(), reward.begin(), reward.end());
  }
  return result;
}

} // namespace

// Counts what C++ takes; Box2D and MuJoCo take from arenas of their own. The sanitizers bring
// theirs.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* operator new(std::size_t size) {
  ++allocations;
  if (auto* memory = std::malloc(size == 0 ? 1 : size))
    return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

BOOST_AUTO_TEST_SUITE(all_environments)

BOOST_AUTO_TEST_CASE(each_continues_from_where_it_was_saved) {
  for (auto& name : library_names) {
    rl::VectorEnv one(name, 3, 5, 2), other(name, 3, 5, 2);
    life(one, rl::Rng(1), 70);
    for (int row = 0; row < 2; ++row) {
      rl::ByteWriter out;
      one.save(row, out);
      rl::ByteReader in(out.bytes());
      other.load(row, in);
    }
    BOOST_TEST(life(one, rl::Rng(2), 70) == life(other, rl::Rng(2), 70), name);
  }
}

BOOST_AUTO_TEST_CASE(each_lives_the_same_while_another_thread_plays_it_too) {
  for (auto& name : library_names) {
    rl::VectorEnv alone(name, 1, 0, 2);
    auto expected = life(alone, rl::Rng(1), 100);
    std::vector<float> lives[2];
    std::thread threads[2];
    for (std::size_t i = 0; i < 2; ++i)
      threads[i] = std::thread([&name, &own = lives[i]] {
        rl::VectorEnv env(name, 1, 0, 2);
        own = life(env, rl::Rng(1), 100);
      });
    for (auto& each : threads)
      each.join();
    BOOST_TEST((lives[0] == expected && lives[1] == expected), name);
  }
}

BOOST_AUTO_TEST_CASE(a_step_allocates_nothing) {
  allocations = 0;
  std::vector<float> seen(1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  BOOST_TEST(allocations == 1); // they are counted
#endif
  for (auto& name : library_names) {
    auto env = rl::make_network_env(name);
    std::vector<float> observation(rl::value_size(env->observation_space()));
    std::vector<float> action(rl::value_size(env->action_space()));
    rl::Rng rng(1);
    env->reset(1, observation);
    long during = 0;
    for (int i = 0; i < 300; ++i) {
      rl::sample(env->action_space(), rng, action);
      auto before = allocations;
      auto step = env->step(action, observation);
      during += allocations - before;
      if (step.terminated || step.truncated)
        env->reset(std::nullopt, observation);
    }
    BOOST_TEST(during == 0, name << " allocates " << during << " times in 300 steps");
  }
}

BOOST_AUTO_TEST_SUITE_END()
