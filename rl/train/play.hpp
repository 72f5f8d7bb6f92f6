// The words of caf-ray-train that play what was trained: eval and record.
//
//   caf-ray-train eval runs/first --episodes 1000
//   caf-ray-train record runs/first --episodes 2
#pragma once

#include "rl/train/algorithms.hpp"

namespace rl {

/// eval FOLDER: the mean return of the policy in a log folder's checkpoint. Without --seed it plays
/// the episodes that training was evaluated with at its end, and gives the same number. Returns the
/// exit status. Errors: those of the parts.
int eval_command(Words words, std::ostream& out);

/// record FOLDER: episodes of that policy as GIFs, in FOLDER/episodes unless --into says where.
int record_command(Words words, std::ostream& out);

} // namespace rl
