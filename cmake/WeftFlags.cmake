# Compiler and linker flags for every target of the project. Generated C gets none of the warnings.

option(WEFT_TESTS "Build unit tests and fuzz replays" ON)
option(WEFT_WERROR "Warnings are errors" ON)
option(WEFT_FUZZ "Build libFuzzer targets (clang only)" OFF)
option(WEFT_COVERAGE "Instrument for gcov" OFF)
option(WEFT_INPROC_TESTS "Run unit tests in one process instead of under Criterion (needed by TSan)" OFF)
set(WEFT_SANITIZE "" CACHE STRING "Sanitizers, as given to -fsanitize= (address,undefined or thread)")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# -O3 on the request path (HOT libraries) and link-time optimisation together save a request one
# instruction in seven (docs/benchmarks.md); elsewhere -O3 would only grow the text.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g -DNDEBUG")
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT WEFT_SANITIZE)
  set(weft_hot -O3)
endif()
# Objects keep ordinary code beside: test binaries are linked without it, since it makes Criterion lose its tests.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT WEFT_SANITIZE AND NOT WEFT_COVERAGE)
  set(weft_lto_compile -flto=auto -ffat-lto-objects)
  set(weft_lto_link -flto=auto)
endif()

set(weft_gnu "$<C_COMPILER_ID:GNU>")
set(weft_werror "$<$<BOOL:${WEFT_WERROR}>:-Werror>")
# Instrumented code makes gcc see null pointers and unset values that are not there.
if(WEFT_SANITIZE)
  set(weft_flow_warnings "$<${weft_gnu}:-Wno-maybe-uninitialized>")
  set(weft_test_flow_warnings ${weft_flow_warnings})
else()
  set(weft_flow_warnings -Wnull-dereference)
  set(weft_test_flow_warnings)
endif()

add_library(weft_warnings INTERFACE)
target_compile_options(weft_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wvla -Wformat=2 -Wundef -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough
  -Wpointer-arith ${weft_flow_warnings}
  $<${weft_gnu}:-Wduplicated-cond> $<${weft_gnu}:-Wlogical-op> $<${weft_gnu}:-Wjump-misses-init>
  ${weft_werror})

# Criterion's macros trip the conversion and const-string warnings; a check without a message is an empty format.
add_library(weft_test_warnings INTERFACE)
target_compile_options(weft_test_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wvla -Wformat=2 -Wno-format-zero-length -Wundef -Wimplicit-fallthrough
  ${weft_test_flow_warnings} ${weft_werror})

add_compile_definitions(_GNU_SOURCE)
include_directories(${CMAKE_SOURCE_DIR})
add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=) # the log names files from the root

if(WEFT_SANITIZE)
  # -O1: half the run time of -O0 and the reports still name the right lines.
  add_compile_options(-O1 -fsanitize=${WEFT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${WEFT_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|i.86|AMD64")
    add_compile_options(-fcf-protection)
  endif()
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
if(WEFT_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "WEFT_FUZZ needs clang (preset fuzz)")
  endif()
  # Coverage feedback in all code; the engine itself is linked by the fuzz targets only.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(WEFT_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
