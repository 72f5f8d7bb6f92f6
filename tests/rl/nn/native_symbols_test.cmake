# Fails when an object that is compiled for the building machine's processor defines a weak symbol
# outside rl::nn and the renamed Eigen: the linker may take it for all of a program, which then
# needs that processor where it should not. NM: the tool; OBJECTS: all objects of rl.
cmake_minimum_required(VERSION 3.25)
list(FILTER OBJECTS INCLUDE REGEX "/nn/(dense|adam_step)\\.cpp")
list(LENGTH OBJECTS count)
if(NOT count EQUAL 2)
  message(FATAL_ERROR "expected two objects, not: ${OBJECTS}")
endif()
foreach(object ${OBJECTS})
  execute_process(COMMAND ${NM} -C --defined-only ${object} OUTPUT_VARIABLE text
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE ";" "," text "${text}")
  string(REPLACE "\n" ";" lines "${text}")
  foreach(line ${lines})
    if(line MATCHES "^[0-9a-f]+ [WVu] " AND NOT line MATCHES "rl::nn::|caf_ray_eigen")
      message(SEND_ERROR "${object} shares ${line}")
    endif()
  endforeach()
endforeach()
