# Compiler flags, dependencies and the two functions that make a folder a target.

find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(OpenSSL REQUIRED)

# Debian ships no CMake package for these three.
function(crema_import target library header)
  find_library(${target}_LIBRARY ${library} REQUIRED)
  find_path(${target}_INCLUDE ${header} REQUIRED)
  add_library(${target} INTERFACE IMPORTED)
  target_link_libraries(${target} INTERFACE ${${target}_LIBRARY} Threads::Threads)
  target_include_directories(${target} SYSTEM INTERFACE ${${target}_INCLUDE})
endfunction()
crema_import(caf::core caf_core caf/all.hpp)
crema_import(lmdb::lmdb lmdb lmdb.h)
crema_import(xxhash::xxhash xxhash xxhash.h)
crema_import(jemalloc::jemalloc jemalloc jemalloc/jemalloc.h)

find_program(CCACHE ccache)
if(CCACHE)
  # Paths are taken relative to the checkout, so that a second clone of the same tree finds what the first one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

add_library(crema_flags INTERFACE)
target_include_directories(crema_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(crema_flags INTERFACE CREMA_VERSION="${PROJECT_VERSION}")
target_compile_options(crema_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
target_link_libraries(crema_flags INTERFACE Threads::Threads)
find_program(MOLD mold)
if(MOLD)
  target_link_options(crema_flags INTERFACE -fuse-ld=mold)
endif()
if(CREMA_SANITIZE)
  # gcc 12 with -fsanitize=address at -O1 takes <regex>'s members for uninitialised.
  target_compile_options(crema_flags INTERFACE -fsanitize=${CREMA_SANITIZE} -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  if(CREMA_SANITIZE MATCHES thread)  # Asio uses fences, which gcc's thread sanitizer warns that it does not follow
    target_compile_options(crema_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
  target_link_options(crema_flags INTERFACE -fsanitize=${CREMA_SANITIZE})
endif()

# crema_library(folder LINKS … PRIVATE_LINKS …): every .cpp below the folder, as one static library.
function(crema_library name)
  cmake_parse_arguments(arg "" "" "LINKS;PRIVATE_LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.cpp)
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC crema_flags ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
endfunction()
