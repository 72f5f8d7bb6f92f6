// An environment around another one: hands everything through, so that what derives from it says
// only what it changes.
#pragma once

#include <memory>
#include <utility>

#include "rl/env/env.hpp"
#include "rl/error.hpp"

namespace rl {

class Wrapper : public Env {
public:
  /// Owns `env`. Throws Error{bad_value} when there is none.
  explicit Wrapper(std::unique_ptr<Env> env) : env_(std::move(env)) {
    if (!env_)
      throw Error(ErrorCode::bad_value, "a wrapper needs an environment to wrap");
  }

  const Space& observation_space() const override { return env_->observation_space(); }
  const Space& action_space() const override { return env_->action_space(); }
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override {
    env_->reset(seed, observation);
  }
  Step step(std::span<const float> action, std::span<float> observation) override {
    return env_->step(action, observation);
  }
  bool draw(Picture& picture) const override { return env_->draw(picture); }

  Env& inner() { return *env_; }
  const Env& inner() const { return *env_; }

private:
  std::unique_ptr<Env> env_;
};

/// The outermost T in a chain of wrappers, `env` itself included; null when there is none. Finds
/// the bare task or a wrapper in what make_env gave.
template <class T>
T* find_inside(Env& env) {
  for (auto* each = &env; each;) {
    if (auto* found = dynamic_cast<T*>(each))
      return found;
    auto* wrapper = dynamic_cast<Wrapper*>(each);
    each = wrapper ? &wrapper->inner() : nullptr;
  }
  return nullptr;
}

} // namespace rl
