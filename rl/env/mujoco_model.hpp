// Models of MuJoCo's tasks: where they lie, what must be mended, and each compiled once a process.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

struct mjModel_; // MuJoCo's, which only sources include

namespace rl {

/// Where the models are looked for: the folder named by the environment variable
/// CAF_RAY_MUJOCO_MODELS, or else where Debian's package dart-doc puts those of OpenAI Gym.
std::filesystem::path mujoco_model_folder();

/// The text of `<name>.xml` or `<name>.xml.gz` in that folder, with what MuJoCo 2.2 would not take
/// written anew. Throws Error{cannot_read} that says which file is missing or damaged, which
/// package brings it, and how to name another folder.
std::string read_mujoco_model(const std::string& name);

/// The compiled model, one for all environments of the process that ask for it while it lives. It
/// never changes, so threads may share it. Throws as read_mujoco_model, and Error{cannot_read} with
/// MuJoCo's words when it cannot be compiled.
std::shared_ptr<const mjModel_> load_mujoco_model(const std::string& name);

} // namespace rl
