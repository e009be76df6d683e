# Everything that a user runs; `cmake --build build --target programs` needs no test framework.
add_custom_target(programs)

# weft_library(NAME [HOT] SOURCES a.c b.c LIBS x y): one folder's code as a static library. HOT: on the request path.
function(weft_library name)
  cmake_parse_arguments(A "HOT" "" "SOURCES;LIBS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_link_libraries(${name} PUBLIC ${A_LIBS} PRIVATE weft_warnings)
  target_compile_options(${name} PRIVATE ${weft_lto_compile})
  if(A_HOT)
    target_compile_options(${name} PRIVATE ${weft_hot})
  endif()
endfunction()

# weft_program(NAME SOURCES main.c LIBS x): a binary, placed at the top of the build folder.
function(weft_program name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_LIBS} weft_warnings)
  target_compile_options(${name} PRIVATE ${weft_lto_compile})
  target_link_options(${name} PRIVATE ${weft_lto_link})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  add_dependencies(programs ${name})
endfunction()

# weft_unit_test(NAME SOURCES base/sv_test.c LIBS base): a Criterion binary run by ctest as unit.NAME.
# Criterion reports sanitizer findings with exit code 0, so the output is searched for them.
#   INPROC    without Criterion, in one process (as all are with WEFT_INPROC_TESTS)
#   CANARY    must fail; the test is called canary.NAME
#   DEFINES   compile definitions
function(weft_unit_test name)
  cmake_parse_arguments(A "INPROC;CANARY" "" "SOURCES;LIBS;DEFINES" ${ARGN})
  set(target unit_${name})
  set(test unit.${name})
  if(A_CANARY)
    set(test canary.${name})
  endif()
  add_executable(${target} ${A_SOURCES})
  target_link_libraries(${target} PRIVATE ${A_LIBS} weft_test_warnings)
  target_compile_definitions(${target} PRIVATE ${A_DEFINES})
  if(WEFT_INPROC_TESTS OR A_INPROC)
    target_compile_definitions(${target} PRIVATE T_INPROC)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/inproc_main.c)
    add_test(NAME ${test} COMMAND ${target})
  else()
    target_link_libraries(${target} PRIVATE PkgConfig::CRITERION)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/xml)
    add_test(NAME ${test} COMMAND ${target} -j1 --xml=${CMAKE_BINARY_DIR}/xml/${name}.xml)
  endif()
  set_tests_properties(${test} PROPERTIES TIMEOUT 120 WILL_FAIL ${A_CANARY} FAIL_REGULAR_EXPRESSION
    "Tested: 0 |(Leak|Address|Thread)Sanitizer|runtime error:|definitely lost|Invalid (read|write)")
endfunction()

# weft_fuzz_target(NAME SOURCES x_fuzz.c LIBS y): a libFuzzer target, whose corpus tests/fuzz/corpus/NAME/ ctest
# replays as fuzz.NAME in every build. Without WEFT_FUZZ the binary can only replay.
function(weft_fuzz_target name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  set(target fuzz_${name})
  set(corpus ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
  file(GLOB seeds CONFIGURE_DEPENDS ${corpus}/*)
  if(NOT seeds)
    message(FATAL_ERROR "fuzz target ${name} has no corpus (${corpus})")
  endif()
  add_executable(${target} ${A_SOURCES})
  target_link_libraries(${target} PRIVATE ${A_LIBS} weft_test_warnings)
  if(WEFT_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${name} COMMAND ${target} -runs=0 ${corpus})
  else()
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/fuzz_replay_main.c)
    add_test(NAME fuzz.${name} COMMAND ${target} ${corpus})
  endif()
  set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()
