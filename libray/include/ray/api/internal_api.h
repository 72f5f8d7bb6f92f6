#pragma once

/// For the worker's main function only.

namespace ray {

/// Serves tasks until told to stop.
void RunTaskExecutionLoop();

} // namespace ray
