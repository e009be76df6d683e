# weft_library(NAME SOURCES a.c b.c LIBS x y): one folder's code as a static library.
function(weft_library name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_link_libraries(${name} PUBLIC ${A_LIBS} PRIVATE weft_warnings)
endfunction()

# weft_program(NAME SOURCES main.c LIBS x): a binary, placed at the top of the build folder.
function(weft_program name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_LIBS} weft_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()

# weft_unit_test(NAME SOURCES base/sv_test.c LIBS base): a Criterion binary run by ctest as unit.NAME.
# Criterion reports sanitizer findings with exit code 0, so the output is searched for them.
function(weft_unit_test name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  set(target unit_${name})
  add_executable(${target} ${A_SOURCES})
  target_link_libraries(${target} PRIVATE ${A_LIBS} weft_test_warnings)
  if(WEFT_INPROC_TESTS)
    target_compile_definitions(${target} PRIVATE T_INPROC)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/inproc_main.c)
    add_test(NAME unit.${name} COMMAND ${target})
  else()
    target_link_libraries(${target} PRIVATE PkgConfig::CRITERION)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/xml)
    add_test(NAME unit.${name} COMMAND ${target} -j1 --xml=${CMAKE_BINARY_DIR}/xml/${name}.xml)
  endif()
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT 120 FAIL_REGULAR_EXPRESSION
    "Tested: 0 |(Leak|Address|Thread)Sanitizer|runtime error:|definitely lost|Invalid (read|write)")
endfunction()
