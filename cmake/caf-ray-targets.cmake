# caf_ray_layer(NAME LINKS... [SOURCES...]): the library of one folder. Include paths start at the
# top level, so that every #include names its layer.
function(caf_ray_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic)
  target_link_libraries(${name} PUBLIC ${arg_LINKS})
endfunction()

# caf_ray_program(NAME SOURCES... LINKS...): an executable in build/bin.
function(caf_ray_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic)
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
endfunction()

# caf_ray_test(NAME SOURCES... LINKS... [TIMEOUT seconds] [LABELS ...]): a Boost.Test program and
# its CTest entry.
function(caf_ray_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
  caf_ray_program(${name} SOURCES ${arg_SOURCES} LINKS ${arg_LINKS} Boost::unit_test_framework)
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK)
  add_test(NAME ${name} COMMAND ${name} --log_level=test_suite)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
