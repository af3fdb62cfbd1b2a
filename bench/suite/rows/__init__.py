"""The rows by name, in the order of the table. Each takes a Bench and gives a RowResult."""

from suite.rows import connections, curve, finder, get, growth, inflight, post, profile, single, stored

ROWS = {
    "post": post.measure,
    "single": single.measure,
    "get": get.measure,
    "finder": finder.measure,
    "growth": growth.measure_growth,
    "disk": growth.measure_disk,
    "memory": stored.measure_memory,
    "ready": stored.measure_ready,
    "connections": connections.measure,
    "inflight": inflight.measure,
    "curve": curve.measure,
    "profile": profile.measure,
}
