"""POST /orders by 100 connections, beside the bare server."""

from suite.figures import Metric, RowResult, at_least, at_most
from suite.load import measure as run
from suite.pairs import measure_in_turn, ratios
from suite.servers import bare_server, node


def measure(bench):
    with bare_server(bench) as bare, node(bench.directory / "post", bench.settings) as crema_node:
        pairs = measure_in_turn(bench, "post", lambda n, s: run(bare, "post", seed=n, seconds=s),
                                lambda n, s: run(crema_node.port, "post", seed=n, seconds=s))
    own = [load for _, load in pairs]
    return RowResult("post", [
        Metric("of the bare server", "", ratios(pairs), at_least(0.33), gate=at_least(0.12)),
        Metric("p99 / p50", "", [load.p99_ms / load.p50_ms for load in own], at_most(4)),
        Metric("p50", "ms", [load.p50_ms for load in own]),
        Metric("p99", "ms", [load.p99_ms for load in own], gate=at_most(40)),
        Metric("orders", "/s", [load.per_second for load in own]),
        Metric("bare", "/s", [load.per_second for load, _ in pairs]),
    ])
