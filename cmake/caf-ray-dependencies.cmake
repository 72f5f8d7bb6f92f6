# Everything the libraries need, as Debian 12 packages it. Which package brings what: `./run setup`.
# Read by our own build and by the installed package, so it only finds things and names them. What
# only tests, benchmarks or programs need is found where it is used.

find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)

# Debian ships CAF, LMDB, ZeroMQ and others without CMake packages that work the same everywhere:
# imported targets made from a header and library names. Each library is looked for once.
function(caf_ray_import target header)
  if(TARGET ${target})
    return()
  endif()
  string(MAKE_C_IDENTIFIER ${target} id)
  find_path(${id}_INCLUDE_DIR ${header} REQUIRED)
  mark_as_advanced(${id}_INCLUDE_DIR)
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} INTERFACE ${${id}_INCLUDE_DIR})
  foreach(name ${ARGN})
    find_library(${id}_${name}_LIBRARY ${name} REQUIRED)
    mark_as_advanced(${id}_${name}_LIBRARY)
    target_link_libraries(${target} INTERFACE ${${id}_${name}_LIBRARY})
  endforeach()
endfunction()

caf_ray_import(caf-ray::caf caf/all.hpp caf_core)
target_link_libraries(caf-ray::caf INTERFACE Threads::Threads)
caf_ray_import(caf-ray::caf-io caf/io/all.hpp caf_io)
target_link_libraries(caf-ray::caf-io INTERFACE caf-ray::caf)
caf_ray_import(caf-ray::lmdb lmdb.h lmdb)
caf_ray_import(caf-ray::zmq zmq.hpp zmq)
caf_ray_import(caf-ray::openssl openssl/ssl.h ssl crypto)
caf_ray_import(caf-ray::msgpack msgpack.hpp)
caf_ray_import(caf-ray::xxhash xxhash.h)
caf_ray_import(caf-ray::json nlohmann/json.hpp)
caf_ray_import(caf-ray::box2d box2d/box2d.h box2d)
caf_ray_import(caf-ray::mujoco mujoco/mujoco.h mujoco)
caf_ray_import(caf-ray::zlib zlib.h z)
