// Every error of the public API is a ray::internal::RayException: a type for programs, and a text
// for people.
//
//   try {
//     std::cout << *ray::Get(ref);
//   } catch (const ray::internal::RayTaskException& e) {
//     std::cerr << e.what() << '\n'; // the function, and the type and text of what it threw
//   }
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace ray::internal {

/// The base of them all, and the type of every misuse: a function that is not registered, a name
/// that is taken, a value outside its range, a call before ray::Init, a flag or an address that
/// does not parse. The text says what was given, what is accepted, and where. Mend the call.
class RayException : public std::exception {
public:
  RayException(std::string msg) : msg_(std::move(msg)) {}

  const char* what() const noexcept override { return msg_.c_str(); }

  std::string msg_;
};

/// User code threw in a task, in an actor's method, or in a task whose result this one needed. The
/// text names the function, the type of the exception and its text. Mend that function, or let the
/// task run again with SetMaxRetries and SetRetryExceptions.
class RayTaskException : public RayException {
public:
  using RayException::RayException;
};

/// The actor was killed, has exited, could not be created, or died with no restart left. Its
/// methods will never answer: create another, or allow restarts with SetMaxRestarts.
class RayActorException : public RayException {
public:
  using RayException::RayException;
};

/// The process that ran the task ended, and so did each of its retries. Allow more with
/// SetMaxRetries if the code itself is not what ends it.
class RayWorkerException : public RayException {
public:
  using RayException::RayException;
};

/// The host that ran the task was lost, and no retry was left. As RayWorkerException, which it is,
/// so that code written for that type also sees this one.
class RayNodeDiedException : public RayWorkerException {
public:
  using RayWorkerException::RayWorkerException;
};

/// The task's process was ended because it went over its memory limit. As RayWorkerException, which
/// it is. Ask for memory with SetResource("memory", bytes), or run fewer such tasks at a time.
class RayOutOfMemoryException : public RayWorkerException {
public:
  using RayWorkerException::RayWorkerException;
};

/// No copy of the object is left, and running its task again did not bring it back. An object that
/// was put cannot be computed again: put it again.
class UnreconstructableException : public RayException {
public:
  using RayException::RayException;
};

/// The code that the worker has loaded has no function of this name. Build driver and workers from
/// the same sources, and register the function with RAY_REMOTE.
class RayFunctionNotFound : public RayException {
public:
  using RayException::RayException;
};

/// A runtime environment has no such field, the field is of another type, the JSON does not parse,
/// or this mode cannot give what the environment asks for. The text names the field.
class RayRuntimeEnvException : public RayException {
public:
  using RayException::RayException;
};

/// The deadline that the caller gave passed first. What was waited for goes on: wait again.
class RayTimeoutException : public RayException {
public:
  using RayException::RayException;
};

/// The task was cancelled with ray::Cancel before it ended. Submit it again if it is still wanted.
class RayTaskCancelledException : public RayException {
public:
  using RayException::RayException;
};

/// The object cannot fit: it is larger than the store, or the store and its spill disk are both
/// full. Drop references, or start with more RayConfig::object_store_memory_bytes or disk.
class RayObjectStoreFullException : public RayException {
public:
  using RayException::RayException;
};

/// What was asked for can never be placed, as when its placement group was removed. Ask for
/// resources that a node has. (A request that a future node could satisfy waits instead.)
class RayUnschedulableException : public RayException {
public:
  using RayException::RayException;
};

/// ray::Shutdown was called while this thread waited. Nothing that belongs to the job goes on.
class RayShutdownException : public RayException {
public:
  using RayException::RayException;
};

/// The system below failed: a file or message that is not what it claims, a folder of another
/// version or in use by another process, a disk that refuses, control state that cannot be
/// reached. The text has the path or address and the system's reason; mend that and start again.
class RaySystemException : public RayException {
public:
  using RayException::RayException;
};

/// Thrown by ray::ExitActor inside an actor's method to leave it; the runtime then ends the actor.
/// Never reaches a caller. Let it pass: a method that catches it does not exit.
class RayIntentionalSystemExitException : public RayException {
public:
  using RayException::RayException;
};

} // namespace ray::internal
