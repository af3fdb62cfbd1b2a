#!/usr/bin/env bash
# Measures Crema and prints the table of docs/benchmarks.md. Installs what is missing, builds what it needs.
#   bench/run.sh                          every row
#   bench/run.sh post get --rounds 3      some of them; --help lists rows and options
#   bench/run.sh growth --scale 0.1       a quick try of a large one
#   bench/run.sh draw DIRECTORY FILE…     charts of what --json FILE wrote
# CREMA_BIN names another binary to measure; the benchmark's own programs are then taken from the folder bench/ beside it.
set -euo pipefail

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
"$source_dir/scripts/install-deps.sh" bench >&2
export PYTHONPATH="$source_dir/bench:$source_dir/tests/support" PYTHONDONTWRITEBYTECODE=1
[[ ${1:-} == draw ]] && exec /usr/bin/python3 -m suite.charts "${@:2}"

[[ -n ${CREMA_BIN:-} ]] || "$source_dir/scripts/build.sh" release crema bare_server many_customers commit_cost bulk_load crema_profiled >&2
exec /usr/bin/python3 -m suite "$@"
