# Everything the project needs, as Debian 12 packages it. Which package brings what: `./run setup`.
# Read by our own build and by the installed package, so it only finds things and names them.

find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(tl-expected REQUIRED)

# Debian ships CAF, LMDB and xxHash without CMake packages: imported targets with their file names.
function(caf_ray_import target header)
  if(TARGET ${target})
    return()
  endif()
  string(MAKE_C_IDENTIFIER ${target} id)
  find_path(${id}_INCLUDE_DIR ${header} REQUIRED)
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} INTERFACE ${${id}_INCLUDE_DIR})
  foreach(name ${ARGN})
    find_library(${id}_${name}_LIBRARY ${name} REQUIRED)
    target_link_libraries(${target} INTERFACE ${${id}_${name}_LIBRARY})
  endforeach()
endfunction()

caf_ray_import(caf-ray::caf caf/all.hpp caf_core)
caf_ray_import(caf-ray::lmdb lmdb.h lmdb)
caf_ray_import(caf-ray::msgpack msgpack.hpp)
caf_ray_import(caf-ray::xxhash xxhash.h)
caf_ray_import(caf-ray::json nlohmann/json.hpp)
target_link_libraries(caf-ray::caf INTERFACE Threads::Threads)
