# Runs a few cases of PROGRAM in their short form. Fails unless it ends with 0 and JSON holds a list
# of rows with every field, and with the rows that these cases have.
cmake_minimum_required(VERSION 3.25)
file(REMOVE ${JSON})
execute_process(
  COMMAND ${PROGRAM} core --quick --only tasks --only actor_async --only small --only returns
          --json ${JSON}
  RESULT_VARIABLE result)
if(NOT result STREQUAL "0")
  message(FATAL_ERROR "it ended with ${result}")
endif()

execute_process(COMMAND ${PROGRAM} cluster --quick --only process_small RESULT_VARIABLE result)
if(NOT result STREQUAL "0")
  message(FATAL_ERROR "with processes it ended with ${result}")
endif()

file(READ ${JSON} text)
string(JSON count LENGTH "${text}")
math(EXPR last "${count} - 1")
set(names)
foreach(row RANGE ${last})
  foreach(field name value unit peer peer_value ratio target)
    string(JSON ${field} GET "${text}" ${row} ${field}) # an error when there is none
  endforeach()
  string(JSON type TYPE "${text}" ${row} value)
  if(NOT type STREQUAL "NUMBER" OR NOT value GREATER 0)
    message(FATAL_ERROR "row ${name}: value is ${value}")
  endif()
  list(APPEND names ${name})
endforeach()
foreach(name tasks tasks_vs_stock tasks_vs_tbb actor_async put_small get_small returns_3k)
  if(NOT name IN_LIST names)
    message(FATAL_ERROR "no row ${name} among ${names}")
  endif()
endforeach()
