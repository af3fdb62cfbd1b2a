"""Payment takes 400 to 620 ms: how many orders one node holds in flight, with none refused and none kept waiting beyond that."""

import subprocess
import threading

from suite.figures import MeasuredWrongly, Metric, RowResult, at_least, at_most
from suite.load import parse
from suite.servers import allow_open_files, node

LEVELS = (1_250, 2_500, 5_000, 10_000, 20_000)
P99_MS = 800
COME_S = 10
OTHERS = 200  # files that a process has open beside its connections
PLENTY = 100_000
SETTINGS = {
    "payment.slow.minMs": 400,
    "payment.slow.maxMs": 620,
    "runtime.inFlightMax": PLENTY,
    "runtime.awakeMax": 10 * PLENTY,
    "runtime.askTimeLimitMs": 60_000,
    "runtime.requestTimeLimitMs": 60_000,
    "journal.queueMax": 10 * PLENTY,
    "http.connectionsMax": PLENTY,
    **{f"{gate}.bulkhead.{name}": value for gate in ("order", "payment", "sale", "drink")
       for name, value in (("maxConcurrent", PLENTY), ("maxQueued", PLENTY), ("callTimeoutMs", 60_000))},
}


class PaymentWatch(threading.Thread):
    """How many orders stand before a slow payment, as the node itself counts them."""

    def __init__(self, crema_node):
        super().__init__(daemon=True)
        self.node, self.over, self.most = crema_node, threading.Event(), 0

    def run(self):
        while not self.over.wait(0.2):
            gate = self.node.get("/actuator/circuitbreakers", timeout=60).json()["circuitBreakers"]["payment"]
            self.most = max(self.most, gate["inFlight"])

    def end(self):
        self.over.set()
        self.join()
        return self.most


def hold(bench, crema_node, customers):
    """(Load, the most that stood before payment at one time) with so many orders in flight."""
    watch = PaymentWatch(crema_node)
    watch.start()
    try:
        said = subprocess.run([bench.binary("many_customers"), str(crema_node.port), str(customers), str(COME_S), str(bench.seconds)],
                              capture_output=True, text=True)
    finally:
        most = watch.end()
    if said.returncode != 0:
        raise MeasuredWrongly(said.stderr.strip())
    return parse(said.stdout), most


def measure(bench):
    files = allow_open_files(LEVELS[-1] + OTHERS)
    levels = sorted({min(bench.scaled(level), files - OTHERS) for level in LEVELS})
    held, curve = 0, []
    for level in levels:  # a node for each: what a higher one leaves behind must not meet the next
        with node(bench.directory / "inflight", {**SETTINGS, **bench.settings}) as crema_node:
            load, most = hold(bench, crema_node, level)
        curve.append({"customers": level, "p50_ms": load.p50_ms, "p99_ms": load.p99_ms, "errors": load.errors, "per_second": load.per_second,
                      "at_payment": most})
        bench.progress(f"inflight: {curve[-1]}")
        if load.p99_ms <= P99_MS and load.errors == 0 and load.requests > 0:
            held = level
    top = curve[-1]
    notes = [f"{c['customers']:,} in flight: p50 {c['p50_ms']:.0f} ms, p99 {c['p99_ms']:.0f} ms, {c['errors']} errors, {c['per_second']:,.0f} orders/s, "
             f"up to {c['at_payment']:,} at payment" for c in curve]
    if levels[-1] < bench.scaled(LEVELS[-1]):
        notes.append(f"the system allows a process only {files:,} open files: raise `ulimit -Hn` to measure {LEVELS[-1]:,}")
    return RowResult("inflight", [
        Metric("held, p99 ≤ 0.8 s, none refused", "", [held], at_least(20_000)),
        Metric(f"p99 at {top['customers']:,}", "s", [top["p99_ms"] / 1000], at_most(P99_MS / 1000)),
        Metric(f"errors at {top['customers']:,}", "", [top["errors"]], at_most(0)),
        Metric(f"orders at {top['customers']:,}", "/s", [top["per_second"]]),
    ], notes=notes, detail={"curve": curve})
