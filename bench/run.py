#!/usr/bin/python3
"""POST /orders and GET /orders/{id} of crema beside a bare Beast server with a fixed answer, in one run.

    ninja -C build/release crema bare_server && bench/run.py [--rounds 5] [--seconds 8] [--check]

Each round measures bare and crema in turn with `wrk -t1 -c100`, so that a machine's moods meet both; medians are compared.
--check ends with 1 where a goal is missed: POST at least 0.12 and GET at least 0.4 of the bare server, p99 of POST at most 40 ms.
"""

import argparse
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

import crema  # noqa: E402

POST_GOAL, GET_GOAL, POST_P99_GOAL_MS = 0.12, 0.4, 40.0


class Figures:
    def __init__(self):
        self.per_second, self.p50_ms, self.p99_ms, self.errors = [], [], [], 0

    def take(self, requests, duration_us, p50_us, p99_us, errors):
        self.per_second.append(requests / (duration_us / 1e6))
        self.p50_ms.append(p50_us / 1000)
        self.p99_ms.append(p99_us / 1000)
        self.errors += errors

    def median(self, name):
        return statistics.median(getattr(self, name))


def wrk(port, script, seconds, figures, *arguments):
    line = ["wrk", "-t1", "-c100", f"-d{seconds}s", "--latency", "-s", HERE / script, f"http://127.0.0.1:{port}", "--", *map(str, arguments)]
    said = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    figures.take(*map(int, re.search(r"^RESULT (.*)$", said, re.M)[1].split()))


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement")
    parser.add_argument("--bare", type=pathlib.Path, default=crema.BINARY.parent / "bench" / "bare_server")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of crema")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()

    results = {(who, what): Figures() for who in ("bare", "crema") for what in ("POST", "GET")}
    with tempfile.TemporaryDirectory() as directory:
        node = crema.Node(directory, dict(s.split("=", 1) for s in options.set)).start()
        bare_port = crema.free_port()
        bare = subprocess.Popen([options.bare, str(bare_port)])
        try:
            crema.wait_until(lambda: listens(bare_port), what="the bare server")
            for n in range(options.rounds + 1):
                # Round 0 warms up, and gives the GETs some orders to find.
                kept = results if n > 0 else {key: Figures() for key in results}
                seconds = options.seconds if n > 0 else 2
                wrk(bare_port, "post.lua", seconds, kept["bare", "POST"], n)
                wrk(node.port, "post.lua", seconds, kept["crema", "POST"], n)
                highest = crema.total(node, "orders")
                wrk(bare_port, "get.lua", seconds, kept["bare", "GET"], n, highest)
                wrk(node.port, "get.lua", seconds, kept["crema", "GET"], n, highest)
                print("warmed up" if n == 0 else f"round {n} of {options.rounds}", file=sys.stderr)
            resident, orders = node.resident_bytes(), crema.total(node, "orders")
            node.stop()
        finally:
            node.kill9()
            bare.terminate()
            bare.wait()

    print(f"{'':14}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'errors':>8}")
    for (who, what), f in results.items():
        print(f"{who + ' ' + what:14}{f.median('per_second'):12.0f}{f.median('p50_ms'):10.2f}{f.median('p99_ms'):10.2f}{f.errors:8}")
    ratio = {what: results["crema", what].median("per_second") / results["bare", what].median("per_second") for what in ("POST", "GET")}
    p99 = results["crema", "POST"].median("p99_ms")
    errors = sum(f.errors for f in results.values())
    print(f"\nPOST {ratio['POST']:.3f} of bare (goal {POST_GOAL}), GET {ratio['GET']:.3f} (goal {GET_GOAL}), "
          f"p99 of POST {p99:.1f} ms (goal {POST_P99_GOAL_MS:.0f})")
    print(f"{orders} orders, {resident / 2**20:.0f} MiB resident")
    met = ratio["POST"] >= POST_GOAL and ratio["GET"] >= GET_GOAL and p99 <= POST_P99_GOAL_MS and errors == 0
    return 0 if met or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
