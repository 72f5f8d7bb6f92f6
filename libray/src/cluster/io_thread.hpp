#pragma once

#include <utility>

#include <caf/all.hpp>
#include <caf/io/middleman.hpp>

namespace caf_ray::cluster {

/// The thread of CAF's network layer, as a place to run actors.
inline caf::execution_unit* io_thread(caf::actor_system& system) {
  return &system.middleman().backend();
}

/// Makes an actor of type `Base` run in the thread of CAF's network layer, whoever sends to it: a
/// message that comes from another process is dealt with where it arrives, and one that goes there
/// leaves from there. For short handlers only: the whole process hears nothing meanwhile.
template <class Base>
class io_hosted : public Base {
public:
  using Base::Base;

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    Base::enqueue(std::move(what), io_thread(this->home_system()));
  }

  caf::resumable::subtype_t subtype() const override { return caf::resumable::io_actor; }
};

/// Spawns such an actor from its class.
template <class Actor, class... Ts>
auto spawn_in_io_thread(caf::actor_system& system, Ts&&... xs) {
  caf::actor_config config{io_thread(system)};
  return system.spawn_class<Actor, caf::hidden>(config, std::forward<Ts>(xs)...);
}

/// Spawns such an actor from the function that makes its behaviour.
template <class F, class... Ts>
auto spawn_function_in_io_thread(caf::actor_system& system, F fun, Ts&&... xs) {
  using impl = caf::infer_impl_from_fun_t<F>;
  caf::detail::init_fun_factory<impl, F> factory;
  caf::actor_config config{io_thread(system)};
  config.init_fun = factory(std::move(fun), std::forward<Ts>(xs)...);
  return system.spawn_class<io_hosted<impl>, caf::hidden>(config);
}

} // namespace caf_ray::cluster
