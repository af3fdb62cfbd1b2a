#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test: the release build's, what races or touches memory by hand once more
# under the address and the thread sanitizer, and each fuzzer for a little while. Ends with ctest's summary; exit code 0 only if every test passed.
#   ./test.sh [ctest arguments]           ./test.sh -R storage
set -euo pipefail

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
build="$source_dir/build"
"$source_dir/scripts/install-deps.sh" test
"$source_dir/tests/tools/install.sh"

echo "Building release" >&2
"$source_dir/scripts/build.sh" release

# What runs under each: the tests of a folder, or of one file of it that has a binary of its own (tests/CMakeLists.txt). Of the actors'
# tests those with many threads, of http's those with sockets; the others run on one thread.
asan_tests=(storage http:server)
tsan_tests=(actors:threads http:server)

# One ctest run over everything, so that one summary tells all: the release tests one by one, and each sanitizer as one test.
mkdir -p "$build/test"
tests="$build/test/CTestTestfile.cmake"
echo "subdirs(\"$build/release\")" >"$tests"

# gcc's thread sanitizer needs the address layout that some kernels randomise beyond what it can map.
fixed_layout=()
setarch -R true 2>/dev/null && fixed_layout=(setarch -R)

# add_run NAME COMMAND...: one test more.
add_run() {
  local name=$1
  shift
  printf 'add_test("%s"' "$name" >>"$tests"
  printf ' [==[%s]==]' "$@" >>"$tests"
  printf ')\nset_tests_properties("%s" PROPERTIES TIMEOUT 900)\n' "$name" >>"$tests"
}

for sanitizer in asan tsan; do
  declare -n selected="${sanitizer}_tests"
  targets=("${selected[@]/:/_}")
  targets=("${targets[@]/%/_tests}")
  [[ $sanitizer == asan ]] && targets+=(fuzzers)
  echo "Building $sanitizer" >&2
  "$source_dir/scripts/build.sh" "$sanitizer" "${targets[@]}"
  add_run "$sanitizer" "${fixed_layout[@]}" ctest --test-dir "$build/$sanitizer" --output-on-failure --no-tests=error \
    -R "^($(IFS='|'; echo "${selected[*]}")):"
done

add_run fuzz ctest --test-dir "$build/asan" --output-on-failure --no-tests=error -R '^fuzz: ' -j 2

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:suppressions=$source_dir/cmake/tsan.supp}
exec ctest --test-dir "$build/test" --output-on-failure --no-tests=error "$@"
