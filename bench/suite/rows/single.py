"""One customer alone: what an order takes beside two commits of LMDB with one record each."""

import json
import shutil
import subprocess

from suite.figures import Metric, RowResult, at_most
from suite.load import measure as run
from suite.pairs import measure_in_turn
from suite.servers import node

COMMITS = 2


def commit_cost(bench, seconds):
    """{"p50_us", "p99_us", "commits"} of commits of one record, in a store of its own on the same disk."""
    directory = bench.directory / "commits"
    shutil.rmtree(directory, ignore_errors=True)
    said = subprocess.run([bench.binary("commit_cost"), str(directory), str(seconds)], capture_output=True, text=True, check=True)
    shutil.rmtree(directory)
    return json.loads(said.stdout)


def measure(bench):
    with node(bench.directory / "single", bench.settings) as crema_node:
        pairs = measure_in_turn(bench, "single", lambda n, s: commit_cost(bench, s),
                                lambda n, s: run(crema_node.port, "post", seed=n, connections=1, seconds=s))
    return RowResult("single", [
        Metric("p50 / two commits", "", [order.p50_ms * 1000 / (COMMITS * commit["p50_us"]) for commit, order in pairs], at_most(1.5)),
        Metric("p50", "ms", [order.p50_ms for _, order in pairs]),
        Metric("p99", "ms", [order.p99_ms for _, order in pairs]),
        Metric("one commit, p50", "ms", [commit["p50_us"] / 1000 for commit, _ in pairs]),
    ])
