#!/usr/bin/env bash
# Installs the tools of this folder, pinned by package-lock.json and requirements.txt, below build/tools; says nothing when they are there.
# Python's go into python/, JavaScript's into node_modules/. Debian's packages for both: scripts/install-deps.sh test.
# Of Debian's package prometheus only promtool is taken, as installing the package would start a server.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
tools="$here/../../build/tools"
locks=$(cd "$here" && cat package-lock.json requirements.txt install.sh | sha256sum)
[[ -f $tools/installed && $(<"$tools/installed") == "$locks" ]] && exit 0

# quietly NAME COMMAND...: its output only where it fails.
quietly() {
  local name=$1 log
  shift
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "The test tools ($name) could not be installed." >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
}

echo "Installing the test tools" >&2
rm -rf "$tools"  # also what an interrupted run has left
mkdir -p "$tools"
cp "$here/package.json" "$here/package-lock.json" "$tools"
quietly npm npm --prefix "$tools" ci --no-audit --no-fund --ignore-scripts
quietly venv /usr/bin/python3 -m venv "$tools/python"
quietly pip "$tools/python/bin/pip" install -r "$here/requirements.txt"
# promtool DIRECTORY: below it. A list of packages that is too old names a file that is gone.
promtool() (
  cd "$1" &&
    { apt-get -qq download prometheus || { apt-get -qq update && apt-get -qq download prometheus; }; } &&
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/promtool &&
    rm prometheus_*.deb
)
quietly promtool promtool "$tools"
echo "$locks" >"$tools/installed"
