"""A page of 10 rows by phone number, beside the bare server with an answer of the same size."""

import crema

from suite.bulk import bulk_load
from suite.figures import MeasuredWrongly, Metric, RowResult, at_least
from suite.load import measure as run
from suite.pairs import measure_in_turn, ratios
from suite.servers import bare_server, node

ORDERS, ORDERS_A_PHONE = 100_000, 10
FIRST_PHONE = "01000000000"


def measure(bench):
    directory = bench.directory / "finder"
    bulk_load(bench, directory, ORDERS, ORDERS_A_PHONE)
    phones = ORDERS // ORDERS_A_PHONE
    with bare_server(bench) as bare, node(directory, bench.settings, keep=True) as crema_node:
        rows = crema.mypages(crema_node, FIRST_PHONE)
        if len(rows) != ORDERS_A_PHONE:
            raise MeasuredWrongly(f"the page has {len(rows)} rows, not {ORDERS_A_PHONE}")
        pairs = measure_in_turn(bench, "finder", lambda n, s: run(bare, "finder", phones, seed=n, seconds=s),
                                lambda n, s: run(crema_node.port, "finder", phones, seed=n, seconds=s))
    return RowResult("finder", [
        Metric("of the bare server", "", ratios(pairs), at_least(0.5)),
        Metric("p99", "ms", [load.p99_ms for _, load in pairs]),
        Metric("answers", "/s", [load.per_second for _, load in pairs]),
        Metric("bare", "/s", [load.per_second for load, _ in pairs]),
    ])
