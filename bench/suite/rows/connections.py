"""Ten thousand open connections of which a hundred are active, beside those hundred alone."""

import contextlib
import socket

from suite.figures import MeasuredWrongly, Metric, RowResult, at_least
from suite.load import measure as run
from suite.pairs import measure_in_turn, ratios
from suite.servers import allow_open_files, node

CONNECTIONS, ACTIVE = 10_000, 100
OTHER_CUSTOMERS = 1000  # more than there are rounds: who ordered before costs more to look for than who is new
OTHERS = 100  # files that a process has open beside its connections
REQUEST = b"GET /orders?size=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def open_kept_alive(port):
    """A connection that has had one answer and waits for its next request."""
    s = socket.create_connection(("127.0.0.1", port), timeout=10)
    s.sendall(REQUEST)
    if not s.recv(65536).startswith(b"HTTP/1.1 200 "):
        s.close()
        raise MeasuredWrongly("a connection to be kept open was refused")
    return s


@contextlib.contextmanager
def kept_open(port, count):
    with contextlib.ExitStack() as all_of_them:
        connections = [all_of_them.enter_context(open_kept_alive(port)) for _ in range(count)]
        yield
        for s in connections:
            s.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                if s.recv(1) == b"":
                    raise MeasuredWrongly("the node closed a connection that was to be kept open")


def measure(bench):
    idle = bench.scaled(CONNECTIONS) - ACTIVE
    if allow_open_files(idle + ACTIVE + OTHERS) < idle + ACTIVE + OTHERS:
        raise MeasuredWrongly(f"{idle + ACTIVE + OTHERS} open files are needed: raise `ulimit -Hn`")
    settings = {"http.connectionsMax": idle + ACTIVE + OTHERS, "http.keepAliveIdleMs": 3600 * 1000, **bench.settings}
    with node(bench.directory / "connections", settings) as crema_node:

        def among_idle_ones(n, seconds):
            with kept_open(crema_node.port, idle):
                return run(crema_node.port, "post", seed=OTHER_CUSTOMERS + n, connections=ACTIVE, seconds=seconds)

        pairs = measure_in_turn(bench, "connections",
                                lambda n, s: run(crema_node.port, "post", seed=n, connections=ACTIVE, seconds=s), among_idle_ones)
    return RowResult("connections", [
        Metric(f"among {idle:,} idle / alone", "", ratios(pairs), at_least(0.9)),
        Metric("alone", "/s", [alone.per_second for alone, _ in pairs]),
        Metric("among idle ones", "/s", [among.per_second for _, among in pairs]),
        Metric("p99 alone", "ms", [alone.p99_ms for alone, _ in pairs]),
        Metric("p99 among idle ones", "ms", [among.p99_ms for _, among in pairs]),
    ])
