# The three kinds of target this tree has: a layer, a program, a test.

# caf_ray_layer(NAME SOURCES... [LINKS...] [PRIVATE_LINKS...]): the library of one folder. Include
# paths start at the top level, so that every #include names its layer; a folder `include` beside
# the CMakeLists.txt is added as well. LINKS are what the layer's headers need too, PRIVATE_LINKS
# what only its sources need. Installed by caf-ray-install.cmake as caf-ray::NAME.
function(caf_ray_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  add_library(caf-ray::${name} ALIAS ${name})
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic)
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/include)
    target_include_directories(${name} PUBLIC
      $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>)
  endif()
  target_link_libraries(${name} PUBLIC ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
  if(NOT name STREQUAL ray) # libray.a is ours to name; libgcs.a and the like could be anybody's
    set_target_properties(${name} PROPERTIES OUTPUT_NAME caf-ray-${name})
  endif()
  set_property(GLOBAL APPEND PROPERTY CAF_RAY_LAYERS ${name})
endfunction()

# caf_ray_program(NAME SOURCES... LINKS...): an executable in build/bin.
function(caf_ray_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic)
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
endfunction()

# caf_ray_test(NAME SOURCES... LINKS... [TIMEOUT seconds] [LABELS ...] [SERIAL]): a Boost.Test
# program and its CTest entry. SERIAL keeps all other tests away while it runs: for tests that
# measure time or fill the machine.
function(caf_ray_test name)
  cmake_parse_arguments(arg "SERIAL" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
  caf_ray_program(${name} SOURCES ${arg_SOURCES} LINKS ${arg_LINKS} Boost::unit_test_framework)
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK)
  add_test(NAME ${name} COMMAND ${name} --log_level=test_suite --color_output=no)
  caf_ray_test_limits(${name} TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABELS} SERIAL ${arg_SERIAL})
endfunction()

# caf_ray_test_limits(NAME [TIMEOUT seconds] [LABELS ...] [SERIAL bool]): how long the CTest entry
# NAME may run (default 120 s, five times that under a sanitizer) and what may run beside it.
function(caf_ray_test_limits name)
  cmake_parse_arguments(arg "" "TIMEOUT;SERIAL" "LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT arg_SERIAL)
    set(arg_SERIAL FALSE)
  endif()
  if(CAF_RAY_SANITIZE)
    math(EXPR arg_TIMEOUT "5 * ${arg_TIMEOUT}")
  endif()
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}" RUN_SERIAL ${arg_SERIAL})
endfunction()
