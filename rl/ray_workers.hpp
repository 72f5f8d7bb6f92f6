// Workers on the runtime: the same work as the serial ones, spread over actors and tasks.
//
//   ray::Init();
//   auto workers = rl::make_workers(rl::ppo_workers(config, options), 4);
//   rl::train_ppo(config, run, *workers);
//
// Each rollout actor owns a block of the run's environments and its own copy of the policy's shape.
// Weights are put into the object store once per update and read there by all; fragments come back
// as arrays that are read where they lie. The results are those of the serial workers to the bit,
// for any number of workers. Actors are placed where the runtime has room; nothing here knows
// hosts.
#pragma once

#include <memory>

#include "rl/es.hpp"
#include "rl/workers.hpp"

namespace rl {

/// Workers in `workers` actors, at most one an environment; in the caller's thread when 0. The
/// actors end with the object. Needs ray::Init when `workers` > 0. What an environment or the
/// runtime throws comes out of sample() as a ray::internal::RayException.
std::unique_ptr<Workers> make_workers(const WorkersSpec& spec, int workers);

/// The same for ES: pairs are tried by tasks, several at a time so that uneven episodes even out
/// over `workers` slots; in the caller's thread when 0.
std::unique_ptr<EsWorkers> make_es_workers(const EsSpec& spec, int workers);

} // namespace rl
