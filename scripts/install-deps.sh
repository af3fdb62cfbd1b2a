#!/usr/bin/env bash
# Installs the Debian 12 packages that are missing, and says nothing when none is.
#   scripts/install-deps.sh         what building and running takes
#   scripts/install-deps.sh test    also what the tests and `ninja check` take
#   scripts/install-deps.sh bench   also what the benchmarks take
set -euo pipefail

build_packages=(
  g++ cmake ninja-build ccache mold pkg-config curl ca-certificates
  libcaf-dev liblmdb-dev libboost1.81-dev libboost-url1.81-dev libspdlog-dev nlohmann-json3-dev libcli11-dev
  prometheus-cpp-dev catch2 libxxhash-dev libzstd-dev zlib1g-dev libabsl-dev libssl-dev libcurl4-openssl-dev libjemalloc-dev
)
test_packages=(
  python3 python3-pytest python3-requests python3-jsonschema python3-yaml
  siege httpie wrk procps openssl git
  clang libclang-rt-14-dev clang-tidy clang-format
  python3-venv
)
# A nodejs from elsewhere brings its own npm, and refuses Debian's beside it.
command -v npm >/dev/null || test_packages+=(nodejs npm)
# python3-munkres: one of two that matplotlib's fonts take; the other, which apt tries first, needs a Boost that the build's excludes.
bench_packages=(
  python3 python3-requests python3-matplotlib python3-munkres
  wrk linux-perf libbenchmark-dev
)

wanted=("${build_packages[@]}")
[[ "${1:-}" == test ]] && wanted+=("${test_packages[@]}")
[[ "${1:-}" == bench ]] && wanted+=("${bench_packages[@]}")

# dpkg-query fails where it does not know a package; that one is then missing from the list, which is what counts.
installed=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^\([^: ]*\)[^ ]* installed$/\1/p') || true
missing=()
for package in "${wanted[@]}"; do
  grep -qx -- "$package" <<<"$installed" || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing, and only root can install them: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

# run_apt ARGUMENTS...: apt-get; while another process holds one of its locks, waits for it and says for whom. Its last words are in $log.
run_apt() {
  local waits=0 holder
  until "${as_root[@]}" env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >"$log" 2>&1; do
    holder=$(grep -m 1 -oE 'Could not get lock .*|Unable to lock .*' "$log") || return 1
    ((waits++ % 15 == 0)) && echo "Waiting for another package installation to end. $holder" >&2
    if ((waits > lock_tries_max)); then return 1; fi
    sleep 2
  done
}

lock_tries_max=900  # half an hour
echo "Installing ${#missing[@]} packages: ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { run_apt update && run_apt install -y --no-install-recommends "${missing[@]}"; }; then
  tail -n 30 "$log" >&2
  echo "apt-get could not install: ${missing[*]}" >&2
  exit 1
fi
