#pragma once

#include <ray/api.h>

// Included by two sources of one program, as headers of users are.

inline int shared_square(int x) {
  return x * x;
}

struct shared_tally {
  static shared_tally* create() { return new shared_tally; }
  int add(int by) noexcept { return n += by; }
  int n = 0;
};

RAY_REMOTE(shared_square, shared_tally::create, &shared_tally::add);

/// What function_manager_twin.cpp has.
int twin_cube_on_the_same_line(int x);
int call_shared_square_from_twin(int x);
/// Registers a static function `local_name`, which function_manager_test.cpp has registered too.
void register_local_name_of_twin();
