"""Where an order's time and processor go: `perf record` on a node under POST /orders by 100 connections. No goal."""

import shutil
import subprocess

import crema

from suite.figures import MeasuredWrongly, Metric, RowResult
from suite.load import Wrk, faultless
from suite.servers import node
from suite.stacks import fold, parse, shares

SAMPLES_PER_S = 499
STACK_BYTES = 16384


def profiled(bench):
    """Makes nodes of the same program, linked so that perf can unwind its stacks."""

    class ProfiledNode(crema.Node):
        def command(self):
            return [bench.binary("crema_profiled"), *super().command()[1:]]

    return ProfiledNode


def perf(*arguments):
    said = subprocess.run(["perf", *map(str, arguments)], capture_output=True, text=True, errors="replace")
    if said.returncode != 0:
        raise MeasuredWrongly(f"perf {arguments[0]}: {said.stderr.strip()[-300:]}")
    return said.stdout


def record(bench, process_id, file):
    perf("record", "-q", "-F", SAMPLES_PER_S, "--call-graph", f"dwarf,{STACK_BYTES}", "-o", file, "-p", process_id, "--", "sleep", bench.seconds)
    bench.progress("profile: reading the samples")
    return parse(perf("script", "--no-inline", "-F", "comm,ip,sym,dso", "-i", file))


def measure(bench):
    if shutil.which("perf") is None:
        raise MeasuredWrongly("perf is not there: install linux-perf")
    file = bench.directory / "perf.data"
    with node(bench.directory / "profile", bench.settings, make=profiled(bench)) as crema_node:
        wrk = Wrk(crema_node.port, "post", seconds=2 * bench.warm_up_s + bench.seconds)
        try:
            stacks = record(bench, crema_node.process.pid, file)
            faultless(wrk.result())
        finally:
            wrk.kill()
            file.unlink(missing_ok=True)
    if not stacks:
        raise MeasuredWrongly("perf took no samples")
    by_part = shares(stacks)
    metrics = [Metric(f"spent in {part}", "%", [100 * share]) for part, share in by_part.items()]
    return RowResult("profile", metrics, notes=[f"{len(stacks):,} samples"], detail={"shares": by_part, "folded": fold(stacks)})
