#include "tests/libray/function_manager_shared.hpp"

int twin_cube_on_the_same_line(int x) {
  return x * x * x;
}

int call_shared_square_from_twin(int x) {
  return *ray::Task(shared_square).Remote(x).Get();
}

static int local_name(int x) {
  return x + 2;
}

void register_local_name_of_twin() {
  ray::internal::RegisterRemoteFunctions("twin.cpp", 7, "local_name", local_name);
}

// The other source has one on this line, too.
#line 1000
RAY_REMOTE(twin_cube_on_the_same_line);
