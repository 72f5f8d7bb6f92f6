#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "tests/gcs/support.hpp"
#include "tests/support/child.hpp"

namespace caf_ray::gcs::test {

/// The program `gcs_child`.
class child : public caf_ray::test::child {
public:
  explicit child(std::vector<std::string> arguments)
    : caf_ray::test::child(CAF_RAY_GCS_CHILD, std::move(arguments)) {}
};

} // namespace caf_ray::gcs::test
