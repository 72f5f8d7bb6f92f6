// ES's workers as ray tasks: the remote half of es.cpp.
//
//   ray::Init();
//   auto workers = rl::make_es_workers(rl::es_spec(config, options), 4);
//   rl::train_es(config, run, *workers);
//
// A task tries a handful of pairs, or adds up the noise of a block of them, or two such sums: a
// tree of tasks whose partial sums only tasks see, and whose root alone comes back. Each is a pure
// function of its arguments, so the runtime may run it anywhere and again when its process dies.
// Weights are put into the object store once an update. At most `workers` tasks run at a time: the
// next one is handed out when one has ended, so that uneven episodes even out.
#pragma once

#include <memory>

#include "rl/es.hpp"

namespace rl {

/// Workers of that many tasks at a time; SerialEsWorkers, in the caller's thread, when `workers` is
/// 0. Needs ray::Init when above. What an environment or the runtime throws comes out as a
/// ray::internal::RayException.
std::unique_ptr<EsWorkers> make_es_workers(const EsSpec& spec, int workers);

} // namespace rl
