# `ninja check`: formatting, clang-tidy and the layering test. Not part of the tests' run: clang-tidy takes longer than the build, so it
# looks only at what has changed since it last found it in order.
# Reads the compilation database of this build directory, so generated headers, if any, must have been built.

find_program(CLANG_FORMAT NAMES clang-format clang-format-14)
find_program(CLANG_TIDY NAMES clang-tidy clang-tidy-14)
if(NOT CLANG_FORMAT OR NOT CLANG_TIDY)
  add_custom_target(check COMMAND ${CMAKE_COMMAND} -E echo "clang-format and clang-tidy are missing: scripts/install-deps.sh test"
                    COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
  return()
endif()

set(check_patterns)
foreach(folder actors behaviors bench cli cluster config http process storage telemetry tests)
  list(APPEND check_patterns ${CMAKE_SOURCE_DIR}/${folder}/*.cpp ${CMAKE_SOURCE_DIR}/${folder}/*.hpp)
endforeach()
file(GLOB_RECURSE check_files CONFIGURE_DEPENDS ${check_patterns})
if(EXISTS ${CMAKE_SOURCE_DIR}/main.cpp)
  list(APPEND check_files ${CMAKE_SOURCE_DIR}/main.cpp)
endif()

add_custom_target(check_format COMMAND ${CLANG_FORMAT} --dry-run -Werror ${check_files} VERBATIM COMMENT "clang-format")
add_custom_target(check_layering COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/layering_test.py VERBATIM COMMENT "layering")

# A stamp a file: it, the headers of ours that it includes, and .clang-tidy are as they were when nothing was found.
# Tests are left out: Catch's macros trip half of the checks.
set(tidy_stamps)
foreach(file ${check_files})
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${file})
  if(NOT name MATCHES "\\.cpp$" OR name MATCHES "^tests/")
    continue()
  endif()
  set(stamp tidy/${name}.stamp)
  add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/${stamp}
    COMMAND ${CLANG_TIDY} -quiet -p ${CMAKE_BINARY_DIR} ${file}
    COMMAND ${CMAKE_CXX_COMPILER} -std=c++${CMAKE_CXX_STANDARD} -I${CMAKE_SOURCE_DIR} -MM -MT ${stamp} -MF ${stamp}.d ${file}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${file} ${CMAKE_SOURCE_DIR}/.clang-tidy
    DEPFILE ${CMAKE_BINARY_DIR}/${stamp}.d
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR} COMMENT "clang-tidy ${name}" VERBATIM)
  list(APPEND tidy_stamps ${CMAKE_BINARY_DIR}/${stamp})
endforeach()
add_custom_target(check_tidy DEPENDS ${tidy_stamps})
add_custom_target(check)
add_dependencies(check check_format check_layering check_tidy)
