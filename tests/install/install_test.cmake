# Installs into a fresh prefix, moves the prefix, and builds and runs the program in consumer/ and
# the one of README.md against it, outside the source tree. Called by CTest, see CMakeLists.txt.
cmake_minimum_required(VERSION 3.25)

function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(result)
    message(FATAL_ERROR "${what} failed (${result}):\n${output}")
  endif()
endfunction()

set(work ${BUILD_DIR}/tests/install/work)
file(REMOVE_RECURSE ${work})
run("install" ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${work}/first)
# A package that only works where it was installed first would fail from here on.
file(RENAME ${work}/first ${work}/prefix)

file(GLOB_RECURSE package_files ${work}/prefix/*.cmake)
foreach(package_file ${package_files})
  file(READ ${package_file} text)
  string(FIND "${text}" "${SOURCE_DIR}/" place)
  if(NOT place EQUAL -1)
    message(FATAL_ERROR "${package_file} names the source tree ${SOURCE_DIR}")
  endif()
endforeach()

# One source that includes every public header, so that a header missing from the package shows.
file(GLOB_RECURSE headers RELATIVE ${work}/prefix/include ${work}/prefix/include/ray/*
     ${work}/prefix/include/rl/*)
list(TRANSFORM headers PREPEND "#include <")
list(TRANSFORM headers APPEND ">\n")
list(JOIN headers "" all_headers)
file(COPY ${CMAKE_CURRENT_LIST_DIR}/consumer DESTINATION ${work})
file(WRITE ${work}/consumer/all_headers.cpp "${all_headers}")

# The README's program: its indented lines between the headings, as they are.
file(READ ${SOURCE_DIR}/README.md readme)
string(FIND "${readme}" "\n## A program\n" begin)
string(FIND "${readme}" "\nA project of your own" end)
if(begin EQUAL -1 OR end EQUAL -1)
  message(FATAL_ERROR "README.md has no program between '## A program' and 'A project of your own'")
endif()
math(EXPR begin "${begin} + 14")
math(EXPR length "${end} - ${begin}")
string(SUBSTRING "${readme}" ${begin} ${length} program)
string(REPLACE "\n    " "\n" program "${program}")
file(WRITE ${work}/consumer/readme.cpp "${program}")

run("configuring the consumer" ${CMAKE_COMMAND} -G Ninja -S ${work}/consumer -B ${work}/build
    -D CMAKE_BUILD_TYPE=${CONFIG} -D CMAKE_CXX_COMPILER=${CXX}
    -D CMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER} -D CMAKE_PREFIX_PATH=${work}/prefix
    -D WITH_RL=${WITH_RL})
run("building the consumer" ${CMAKE_COMMAND} --build ${work}/build)
run("the consumer" ${work}/build/consumer)
execute_process(COMMAND ${work}/build/readme RESULT_VARIABLE result OUTPUT_VARIABLE output)
if(NOT result EQUAL 0 OR NOT output STREQUAL "10\n")
  message(FATAL_ERROR "the README's program ended with ${result} and printed '${output}', not 10")
endif()
file(REMOVE_RECURSE ${work})
