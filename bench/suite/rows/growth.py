"""A million orders through the front door: whether the last ones take longer than the first, and what they take on the disk."""

import threading
import time

import crema

from suite.figures import MeasuredWrongly, Metric, RowResult, at_least, at_most
from suite.growth import cost_curve, throughput
from suite.load import Wrk, faultless
from suite.servers import node

ORDERS, WINDOW = 1_000_000, 100_000
SAMPLE_S = 0.25
CURVE_STEPS = 20
PARTS = ("orders", "payments", "drinks", "mypages", "orderinfos", "salePages")


def sample_until(crema_node, wrk, wanted, progress):
    """[(seconds, orders)] up to the count wanted."""
    begun, pause = time.perf_counter(), threading.Event()
    samples, shown = [(0.0, crema.total(crema_node, "orders"))], 0.0
    while samples[-1][1] < wanted:
        if not wrk.running():
            raise MeasuredWrongly("wrk ended before its time")
        pause.wait(SAMPLE_S)
        samples.append((time.perf_counter() - begun, crema.total(crema_node, "orders")))
        if samples[-1][0] - shown > 5:
            shown = samples[-1][0]
            progress(f"growth: {samples[-1][1]:,} of {wanted:,} orders after {shown:.0f} s")
    return samples


def wait_for_all_parts(crema_node):
    """Drinks, views and notifications come after the answer."""
    crema.wait_until(lambda: len({crema.total(crema_node, part) for part in PARTS}) == 1, 600, "every order has all its parts", pause_s=0.5)
    crema.nothing_under_way(crema_node)


def disk_bytes(data):
    """What the data file takes on the disk; holes take nothing. The log files, which are bounded and rotate, are not data."""
    return sum(file.stat().st_blocks * 512 for file in data.iterdir() if file.is_file())


def grow(bench):
    wanted = bench.scaled(ORDERS)
    with node(bench.directory / "growth", bench.settings) as crema_node:
        wrk = Wrk(crema_node.port, "post")
        try:
            samples = sample_until(crema_node, wrk, wanted, bench.progress)
            load = faultless(wrk.stop())
        finally:
            wrk.kill()
        wait_for_all_parts(crema_node)
        orders = crema.total(crema_node, "orders")
        crema_node.stop()
        return {"samples": samples, "wanted": wanted, "orders": orders, "bytes": disk_bytes(crema_node.data), "load": load}


def grown(bench):
    return bench.once("growth", lambda: grow(bench))


def measure_growth(bench):
    g = grown(bench)
    samples, wanted, window = g["samples"], g["wanted"], bench.scaled(WINDOW)
    first, last = throughput(samples, samples[0][1], window), throughput(samples, wanted - window, wanted)
    return RowResult("growth", [
        Metric(f"last {window:,} / first", "", [last / first], at_least(0.9)),
        Metric(f"first {window:,}", "/s", [first]),
        Metric(f"last {window:,}", "/s", [last]),
        Metric("p99 of all", "ms", [g["load"].p99_ms]),
        Metric("longest", "ms", [g["load"].max_ms]),
    ], detail={"curve": cost_curve(samples, wanted, CURVE_STEPS)})


def measure_disk(bench):
    g = grown(bench)
    return RowResult("disk", [Metric("bytes an order", "B", [g["bytes"] / g["orders"]], at_most(1800)),
                              Metric("orders", "", [g["orders"]])])
