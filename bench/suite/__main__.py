"""Runs rows and prints the table. bench/run.sh builds what is needed and starts this."""

import argparse
import json
import pathlib
import sys
import traceback

import crema

from suite import machine, table
from suite.bench import Bench
from suite.figures import MeasuredWrongly, RowResult
from suite.rows import ROWS


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="Measures Crema; docs/benchmarks.md explains each row.",
                                     epilog="Exit codes: 0 done; 1 a row failed, or a goal was missed with --check; 2 usage.")
    parser.add_argument("rows", nargs="*", metavar="row", help=f"of {', '.join(ROWS)}; all where none is named")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement")
    parser.add_argument("--scale", type=float, default=1.0, help="of the large rows: 0.1 for a quick try")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the results for programs, too")
    parser.add_argument("--check", action="store_true", help="end with 1 where a goal is missed")
    parser.add_argument("--check-gates", action="store_true",
                        help="end with 1 where a gate is missed: POST 0.12 and GET 0.4 of the bare server, p99 of POST 40 ms")
    parser.add_argument("--directory", type=pathlib.Path, default=crema.BINARY.parent / "bench-data",
                        help="where data goes, on the disk to be measured")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of crema in every row")
    options = parser.parse_args(arguments)
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(ROWS)}")
    if options.rounds < 1 or options.seconds < 1 or not 0 < options.scale <= 1:
        parser.error("--rounds and --seconds begin with 1; --scale lies above 0 and goes up to 1")
    return options


def run_row(bench, row):
    try:
        return ROWS[row](bench)
    except MeasuredWrongly as wrong:
        return RowResult(row, failed=str(wrong))
    except Exception as error:  # one row that breaks must not take the others' figures with it
        traceback.print_exc()
        return RowResult(row, failed=repr(error))


def main(arguments):
    options = options_of(arguments)
    bench = Bench(options.rounds, options.seconds, options.scale, options.directory, dict(s.split("=", 1) for s in options.set))
    bench.directory.mkdir(parents=True, exist_ok=True)
    measured_on = machine.describe(bench.directory)
    results = [run_row(bench, row) for row in options.rows or ROWS]
    print(table.to_text(measured_on, results, options.scale), end="")
    if options.json:
        options.json.write_text(json.dumps(table.to_json(measured_on, results, options.scale), indent=1) + "\n", encoding="utf-8")
    fine = all(r.failed is None for r in results)
    if options.check:
        fine = all(r.meets_goals() for r in results)
    if options.check_gates:
        fine = fine and all(r.meets_gates() for r in results)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
