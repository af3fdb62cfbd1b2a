"""Throughput and latency of POST /orders over the number of connections: for the charts, no goal."""

from suite.figures import Metric, RowResult
from suite.load import measure as run
from suite.servers import node

CONNECTIONS = (1, 10, 100, 1000)


def measure(bench):
    loads = {c: [] for c in CONNECTIONS}
    with node(bench.directory / "curve", bench.settings) as crema_node:
        run(crema_node.port, "post", seconds=bench.warm_up_s)
        for n in range(bench.rounds):
            for c in CONNECTIONS:
                loads[c].append(run(crema_node.port, "post", seed=10_000 * c + n, connections=c, seconds=bench.seconds))
            bench.progress(f"curve: round {n + 1} of {bench.rounds}")
    metrics = [Metric(f"orders at {c}", "/s", [load.per_second for load in loads[c]]) for c in CONNECTIONS]
    metrics += [Metric(f"{p} at {c}", "ms", [getattr(load, f"{p}_ms") for load in loads[c]]) for c in CONNECTIONS for p in ("p50", "p99")]
    return RowResult("curve", metrics)
