# WEFT_REVISION: "<commit>/<version>/<Clean|Modified>", as --version and /server_info begin.
# Packagers without a git tree give -DWEFT_COMMIT=...
set(WEFT_COMMIT "" CACHE STRING "Commit the sources come from; empty: ask git")
set(commit "${WEFT_COMMIT}")
set(tree "Clean")
if(commit STREQUAL "")
  execute_process(COMMAND git rev-parse HEAD WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND git diff --quiet HEAD WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    RESULT_VARIABLE changed ERROR_QUIET)
  if(NOT changed EQUAL 0)
    set(tree "Modified")
  endif()
endif()
if(commit STREQUAL "")
  set(commit "0")
endif()
set(WEFT_REVISION "${commit}/${PROJECT_VERSION}/${tree}")
