#include "libray/src/task_run.hpp"

#include <cxxabi.h>

#include "libray/src/demangle.hpp"
#include "libray/src/exception.hpp"
#include "ray/api/ray_exception.h"

namespace caf_ray {

using ray::internal::BlobView;
using ray::internal::RayException;
using ray::internal::RemoteFunction;

namespace {

/// An input that has a value, but one that cannot be read.
struct unreadable_input {
  error reason;
};

} // namespace

task_run::~task_run() {
  if (delivered_)
    return;
  for (std::size_t i = 0; i < results_.size(); ++i)
    owner_.drop_value(result_of(task_.spec.id, static_cast<std::uint32_t>(i + 1)), results_[i]);
}

error task_run::failure(const std::string& type, const std::string& what) const {
  return {errc::task_failed, "Invalid: An exception was thrown while executing function("
                               + task_.spec.display_name() + "): " + type
                               + (what.empty() ? "" : ": " + what)};
}

std::optional<error> task_run::execute() {
  for (auto& input : task_.inputs)
    if (input->error)
      return *input->error;
  try {
    task_.function->invoke(*task_.function, *this);
    return std::nullopt;
  } catch (const unreadable_input& input) {
    return error{input.reason.code, "an input of " + task_.spec.display_name()
                                      + " cannot be read: " + input.reason.what};
  } catch (const ray::internal::RayIntentionalSystemExitException&) {
    exited_ = true;
    return error{errc::actor_died, "the actor has exited (ray::ExitActor)"};
  } catch (const ray::internal::RayObjectStoreFullException& e) {
    return error{errc::store_full, e.what()};
  } catch (const ray::internal::RayShutdownException& e) {
    return error{errc::shut_down, e.what()};
  } catch (const std::exception& e) {
    return failure(demangle(typeid(e).name()), e.what());
  } catch (...) {
    auto type = abi::__cxa_current_exception_type();
    return failure(type ? demangle(type->name()) : "unknown exception", "");
  }
}

void task_run::deliver() {
  delivered_ = true;
  if (task_.foreign)
    return owner_.host().completed(task_, std::move(results_), {});
  for (std::size_t i = 0; i < results_.size(); ++i)
    owner_.deliver(*task_.results[i], std::move(results_[i]));
}

task_run::place task_run::place_of(std::size_t index) {
  // With values only, parameters and arguments are the same.
  if (task_.inputs.empty())
    return {index, 0};
  if (places_.empty()) {
    std::size_t input = 0;
    auto& arguments = task_.spec.arguments;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      places_.push_back({i, input});
      if (arguments[i].kind == argument_kind::object) {
        ++input;
      } else if (arguments[i].kind == argument_kind::gather) {
        input += arguments[i].size;
        i += arguments[i].size;
      }
    }
  }
  if (index >= places_.size())
    throw RayException("Arguments number not match");
  return places_[index];
}

BlobView task_run::read_input(std::size_t input) {
  auto bytes = owner_.try_read(*task_.inputs.at(input));
  if (!bytes)
    throw unreadable_input{bytes.error()};
  return ray::internal::ReadBlob(*bytes);
}

BlobView task_run::Argument(std::size_t index) {
  auto [at, input] = place_of(index);
  auto& spec = task_.spec;
  if (at >= spec.arguments.size())
    throw RayException("Arguments number not match");
  auto& argument = spec.arguments[at];
  if (argument.kind == argument_kind::object)
    return read_input(input);
  return ray::internal::ReadBlob({spec.argument_bytes.data() + argument.offset, argument.size, {}});
}

std::ptrdiff_t task_run::GatherCount(std::size_t index) {
  auto [at, input] = place_of(index);
  if (at >= task_.spec.arguments.size())
    throw RayException("Arguments number not match");
  auto& argument = task_.spec.arguments[at];
  if (argument.kind != argument_kind::gather)
    return -1;
  return static_cast<std::ptrdiff_t>(argument.size);
}

BlobView task_run::Gathered(std::size_t index, std::size_t item) {
  return read_input(place_of(index).input + item);
}

void task_run::Return(std::uint32_t index, const PackedValue& value) {
  if (index >= task_.spec.return_count)
    throw RayException("the function returned more results than were asked for");
  if (results_.size() <= index)
    results_.resize(index + 1);
  results_[index] = owner_.store_value(result_of(task_.spec.id, index + 1), value);
}

void* task_run::Instance(const RemoteFunction& method) {
  if (!life_ || !life_->object)
    throw RayException("method " + method.name + " was called without its actor");
  if (*life_->factory->class_type == *method.class_type)
    return life_->object;
  // Another class: a base of the object's, found by the language's own rules.
  if (auto base = method.catch_as_class(life_->factory->throw_pointer, life_->object))
    return base;
  throw RayException("method " + method.name + " belongs to class "
                     + demangle(method.class_type->name()) + ", the actor is a "
                     + demangle(life_->factory->class_type->name()));
}

void task_run::SetInstance(void* instance, const RemoteFunction& factory) {
  if (!life_) {
    if (factory.destroy)
      factory.destroy(instance);
    throw RayException("function " + factory.name
                       + " returns a pointer: it can create an actor (ray::Actor) but not return a "
                         "value (ray::Task)");
  }
  life_->object = instance;
  life_->factory = &factory;
}

actor_incarnation::actor_incarnation(runtime& owner, pending_task_ptr creation)
  : owner(owner), creation(std::move(creation)) {
  owner.life_began();
}

actor_incarnation::~actor_incarnation() {
  if (object && factory && factory->destroy) {
    task_context ctx;
    ctx.owner = &owner;
    // What it calls and puts has names of its own, beside those of the factory.
    ctx.id = derive_task(creation->spec.id, UINT64_MAX);
    context_scope scope(ctx);
    factory->destroy(object);
  }
  owner.life_ended();
}

} // namespace caf_ray
