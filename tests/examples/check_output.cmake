# Runs PROGRAM for at most LIMIT seconds. Fails unless it ends with 0 and its output matches
# EXPECTED. (CTest's PASS_REGULAR_EXPRESSION alone would forgive a crash after the last line.)
cmake_minimum_required(VERSION 3.25)
execute_process(
  COMMAND ${PROGRAM}
  TIMEOUT ${LIMIT}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE errors)
message("${output}${errors}")
if(NOT result STREQUAL "0")
  message(FATAL_ERROR "it ended with ${result}")
endif()
if(NOT output MATCHES "${EXPECTED}")
  message(FATAL_ERROR "its output does not match ${EXPECTED}")
endif()
