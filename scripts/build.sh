#!/usr/bin/env bash
# Configures a CMake preset and builds targets of it, showing ninja's progress, and the whole output only of what fails.
#   scripts/build.sh release crema
set -euo pipefail

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
preset=$1
shift

mkdir -p "$source_dir/build"
log="$source_dir/build/$preset-configure.log"
if ! (cd "$source_dir" && cmake --preset "$preset") >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi

# Where no terminal shows one progress line, 200 of them would hide what matters.
quiet=()
[[ -t 1 ]] || quiet=(--quiet)
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(all)
# With ninja's own help about what is up to date left out, an unchanged tree builds without a word.
if ninja -C "$source_dir/build/$preset" -n "${targets[@]}" | grep -q '^ninja: no work to do'; then exit 0; fi
ninja -C "$source_dir/build/$preset" "${quiet[@]}" "${targets[@]}"
