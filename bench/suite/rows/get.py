"""GET /orders/{id} of random orders by 100 connections, beside the bare server."""

import crema

from suite.figures import Metric, RowResult, at_least
from suite.load import measure as run
from suite.pairs import measure_in_turn, ratios
from suite.servers import bare_server, node


def measure(bench):
    with bare_server(bench) as bare, node(bench.directory / "get", bench.settings) as crema_node:
        run(crema_node.port, "post", seconds=bench.warm_up_s)
        highest = crema.total(crema_node, "orders")
        pairs = measure_in_turn(bench, "get", lambda n, s: run(bare, "get", highest, seed=n, seconds=s),
                                lambda n, s: run(crema_node.port, "get", highest, seed=n, seconds=s))
    return RowResult("get", [
        Metric("of the bare server", "", ratios(pairs), at_least(0.75), gate=at_least(0.4)),
        Metric("p99", "ms", [load.p99_ms for _, load in pairs]),
        Metric("answers", "/s", [load.per_second for _, load in pairs]),
        Metric("bare", "/s", [load.per_second for load, _ in pairs]),
    ])
