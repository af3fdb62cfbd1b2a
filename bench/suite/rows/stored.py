"""Three million stored orders: what a node on them takes of memory, and how soon it is back after kill -9."""

import re
import time

import crema

from suite.bulk import bulk_load
from suite.figures import Metric, RowResult, at_most
from suite.load import Wrk, measure as run
from suite.servers import node
from suite.steady import wait_until_steady

ORDERS = 3_000_000
MIB = 2**20
WARM_UP_ORDERS, AWAKE_ORDERS = 30_000, 100_000
SLEEPLESS = {"runtime.idleMs": 24 * 3600 * 1000, "runtime.awakeMax": 10_000_000, "runtime.keptAwakeMax": 10_000_000}


def stored(bench):
    """The directory of a node with so many orders. Kept from run to run, as it takes minutes to fill; rows add a few to it."""
    directory = bench.directory / f"stored-{bench.scaled(ORDERS)}"
    bench.once("stored", lambda: bulk_load(bench, directory, bench.scaled(ORDERS), keep=True))
    return directory


def private_bytes(crema_node):
    """Resident memory that is the node's own: without the pages of its data file, which are the kernel's to take back."""
    with open(f"/proc/{crema_node.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"^RssAnon:\s*(\d+) kB", status.read(), re.M)[1]) * 1024


def awake(crema_node):
    return sum(c["awake"] for c in crema_node.get("/actuator/contexts").json())


def place_orders(crema_node, count):
    before = crema.total(crema_node, "orders")
    wrk = Wrk(crema_node.port, "post")
    try:
        crema.wait_until(lambda: crema.total(crema_node, "orders") >= before + count, 600, f"{count:,} more orders", pause_s=0.1)
        wrk.stop()
    finally:
        wrk.kill()
    crema.nothing_under_way(crema_node)


def settled_memory(crema_node):
    return wait_until_steady(lambda: private_bytes(crema_node), 0.005, 3, 60, "memory")


def awake_cost(bench, directory):
    """Bytes an aggregate: how memory grows with those awake, so that what a node takes anyway is left out."""
    with node(directory, {**SLEEPLESS, **bench.settings}, keep=True) as crema_node:
        place_orders(crema_node, bench.scaled(WARM_UP_ORDERS))
        bytes_before, awake_before = settled_memory(crema_node), awake(crema_node)
        place_orders(crema_node, bench.scaled(AWAKE_ORDERS))
        bytes_after, awake_after = settled_memory(crema_node), awake(crema_node)
        bench.progress(f"memory: {awake_after:,} aggregates are awake")
        return (bytes_after - bytes_before) / (awake_after - awake_before)


def idle_memory(bench, directory):
    """(idle after work, just started, data file's share of the former) in bytes."""
    with node(directory, bench.settings, keep=True) as crema_node:
        started = crema_node.resident_bytes()
        # Of those that were loaded: numbers that came later have gaps where a node was killed.
        run(crema_node.port, "get", bench.scaled(ORDERS), seconds=bench.seconds)
        run(crema_node.port, "post", seconds=bench.seconds)
        crema.nothing_under_way(crema_node)
        bench.progress("memory: waiting until the node is idle")
        crema.wait_until(lambda: awake(crema_node) == 0, 300, "every aggregate sleeps", pause_s=0.5)
        idle = wait_until_steady(crema_node.resident_bytes, 0.02, 12, 180, "memory")
        return idle, started, idle - private_bytes(crema_node)


def measure_memory(bench):
    directory = stored(bench)
    idle, started, of_the_file = idle_memory(bench, directory)
    cost = awake_cost(bench, directory)
    return RowResult("memory", [
        Metric("an awake aggregate", "B", [cost], at_most(2048)),
        Metric("idle node", "MiB", [idle / MIB], at_most(300)),
        Metric("of it mapped files", "MiB", [of_the_file / MIB]),
        Metric("just started", "MiB", [started / MIB]),
    ], notes=[f"idle with {bench.scaled(ORDERS):,} stored orders, after {bench.seconds} s of GETs all over them and {bench.seconds} s of new orders"])


def kill_and_come_back(bench, directory):
    """Seconds from the start of the process to readiness; killed while orders came in."""
    with node(directory, bench.settings, keep=True) as crema_node:
        before = crema.total(crema_node, "orders")
        wrk = Wrk(crema_node.port, "post")
        try:
            crema.wait_until(lambda: crema.total(crema_node, "orders") > before + 1000, 60, "orders under load")
            crema_node.session.close()
            crema_node.kill9()
        finally:
            wrk.kill()
        begun = time.perf_counter()
        crema_node.launch()
        crema.wait_until(crema_node.is_ready_or_dead, 120, "readiness", pause_s=0.005)
        return time.perf_counter() - begun


def measure_ready(bench):
    directory = stored(bench)
    took = []
    for n in range(bench.rounds):
        took.append(kill_and_come_back(bench, directory))
        bench.progress(f"ready: round {n + 1} of {bench.rounds}: {took[-1]:.2f} s")
    return RowResult("ready", [Metric("after kill -9", "s", took, at_most(2))],
                     notes=[f"{bench.scaled(ORDERS):,} stored orders; their pages are in the kernel's cache, as after a crash of the process alone"])
