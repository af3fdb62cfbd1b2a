# `ninja check`: formatting, clang-tidy and the layering test. Not part of the tests' run: clang-tidy takes longer than the build.
# Reads the compilation database of this build directory, so generated headers, if any, must have been built.

find_program(CLANG_FORMAT NAMES clang-format clang-format-14)
find_program(CLANG_TIDY NAMES clang-tidy clang-tidy-14)
find_program(RUN_CLANG_TIDY NAMES run-clang-tidy run-clang-tidy-14)
if(NOT CLANG_FORMAT OR NOT CLANG_TIDY OR NOT RUN_CLANG_TIDY)
  add_custom_target(check COMMAND ${CMAKE_COMMAND} -E echo "clang-format and clang-tidy are missing: scripts/install-deps.sh test"
                    COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
  return()
endif()

set(check_patterns)
foreach(folder actors behaviors bench cli cluster config http storage telemetry tests)
  list(APPEND check_patterns ${CMAKE_SOURCE_DIR}/${folder}/*.cpp ${CMAKE_SOURCE_DIR}/${folder}/*.hpp)
endforeach()
file(GLOB_RECURSE check_files CONFIGURE_DEPENDS ${check_patterns})
if(EXISTS ${CMAKE_SOURCE_DIR}/main.cpp)
  list(APPEND check_files ${CMAKE_SOURCE_DIR}/main.cpp)
endif()

add_custom_target(check_format COMMAND ${CLANG_FORMAT} --dry-run -Werror ${check_files} VERBATIM COMMENT "clang-format")
add_custom_target(check_layering COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/layering_test.py VERBATIM COMMENT "layering")
# Tests are left out: Catch's macros trip half of the checks.
add_custom_target(check_tidy
  COMMAND ${RUN_CLANG_TIDY} -quiet -clang-tidy-binary ${CLANG_TIDY} -p ${CMAKE_BINARY_DIR} "^${CMAKE_SOURCE_DIR}/(?!tests/|build/)"
  VERBATIM USES_TERMINAL COMMENT "clang-tidy")
add_custom_target(check)
add_dependencies(check check_format check_layering check_tidy)
