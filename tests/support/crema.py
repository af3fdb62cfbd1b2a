"""The real binary under test: started on a free port in its own data directory, stopped, killed, restarted, asked.

Environment: CREMA_BIN names the binary (default build/release/crema), CREMA_SEED repeats a run's random choices.
Nothing here sleeps for a result: wait_until waits on a condition with a deadline.
"""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

import requests

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("CREMA_BIN", REPOSITORY / "build" / "release" / "crema"))
START_DEADLINE_S = 30
STOP_DEADLINE_S = 40
ANSWER_DEADLINE_S = 20


def wait_until(condition, deadline_s=10.0, what="the condition", pause_s=0.02):
    """The first true value of condition(), asked again and again; AssertionError after the deadline."""
    end = time.monotonic() + deadline_s
    never = threading.Event()
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not come true within {deadline_s} s"
        never.wait(pause_s)


def make_random():
    """A seeded source of random choices; prints its seed, which pytest shows with a failure."""
    seed = int(os.environ.get("CREMA_SEED") or random.SystemRandom().randrange(2**32))
    print(f"CREMA_SEED={seed}")
    return random.Random(seed)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*arguments, timeout=60, **options):
    """`crema ARGUMENTS`, to its end."""
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options)


class Context:
    def __init__(self, node, name):
        self.node, self.name = node, name

    def _switch(self, action, state):
        answer = self.node.post(f"/actuator/contexts/{self.name}/{action}", headers=self.node.as_manager)
        assert answer.status_code == 200, answer.text
        wait_until(lambda: self.state() == state, what=f"{self.name} {state}")

    def stop(self):
        self._switch("stop", "stopped")

    def start(self):
        self._switch("start", "running")

    def state(self):
        return next(c["state"] for c in self.node.get("/actuator/contexts", headers=self.node.as_manager).json() if c["name"] == self.name)


class Node:
    """One `crema serve`. Its data directory and port outlive a restart."""

    def __init__(self, directory, settings=None, config=None, system="cafeteria", environment=None):
        assert BINARY.exists(), f"{BINARY} is not built: build it or set CREMA_BIN"
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.output = self.directory / "crema.out"
        self.settings, self.config, self.system = dict(settings or {}), config, system
        self.environment = dict(environment or {})
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process = None
        self._local = threading.local()

    # ---- life

    def command(self):
        line = [str(BINARY), "serve", self.system, "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        if self.config:
            line += ["--config", str(self.config)]
        for name, value in {"http.drainDelayMs": 0, **self.settings}.items():
            line += ["--set", f"{name}={value}"]
        return line

    def launch(self):
        assert self.process is None
        with open(self.output, "ab") as out:
            self.process = subprocess.Popen(self.command(), stdout=out, stderr=out, env={**os.environ, **self.environment})
        return self

    def start(self):
        self.launch()
        try:
            wait_until(self.is_ready_or_dead, START_DEADLINE_S, "readiness")
        except AssertionError:
            self.kill9()
            raise
        return self

    def is_ready_or_dead(self):
        assert self.process.poll() is None, f"crema ended with {self.process.returncode}:\n{self.tail()}"
        return self.is_ready()

    def is_ready(self):
        try:
            return requests.get(self.base + "/actuator/health/readiness", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def wait_for_exit(self, deadline_s=STOP_DEADLINE_S):
        code = self.process.wait(deadline_s)
        self.process = None
        return code

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Gracefully: exit code 0. This thread's own connection is closed first: an idle one is given time to send a last request."""
        self.session.close()
        self.terminate()
        code = self.wait_for_exit()
        assert code == 0, f"crema ended with {code}:\n{self.tail()}"

    def kill9(self):
        if self.process is not None:
            self.process.kill()
            self.wait_for_exit()

    def restart(self):
        self.stop()
        return self.start()

    def tail(self, lines=40):
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-lines:]) if self.output.exists() else ""

    def resident_bytes(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    # ---- talk

    @property
    def as_manager(self):
        """The headers that management asks for."""
        token = self.settings.get("http.managementToken")
        return {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}

    @property
    def session(self):
        """One a thread: requests' sessions are not meant to be shared."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        return self._local.session

    def request(self, method, path, **options):
        options.setdefault("timeout", ANSWER_DEADLINE_S)
        url = path if path.startswith("http") else self.base + path
        return self.session.request(method, url, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def patch(self, path, **options):
        return self.request("PATCH", path, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def context(self, name):
        return Context(self, name)

    def connect(self):
        """A bare connection, for what an HTTP client would not send."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_DEADLINE_S)

    def lines(self, path, **options):
        """The lines of a stream, as they come. Ends with the stream; fails when nothing comes in time."""
        with self.request("GET", path, stream=True, **options) as answer:
            assert answer.status_code == 200, answer.text
            for line in answer.iter_lines(chunk_size=1):
                yield line.decode()


# ---- the cafeteria

def order_body(phone="01012345678", product="coffee", qty=2, amt=1000):
    return {"phoneNumber": phone, "productName": product, "qty": qty, "amt": amt}


def place(node, phone="01012345678", headers=None, **fields):
    """Places an order that must succeed. Returns its number."""
    answer = node.post("/orders", json=order_body(phone, **fields), headers=headers)
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["Location"])


def id_of(url):
    return int(url.rstrip("/").rsplit("/", 1)[1])


def embedded(answer, collection):
    assert answer.status_code == 200, answer.text
    return answer.json()["_embedded"][collection]


def by_order(node, collection, order_id):
    return embedded(node.get(f"/{collection}/search/findByOrderId?orderId={order_id}"), collection)


def drink_of(node, order_id, deadline_s=10):
    """The drink of the order, as soon as the barista knows it."""
    found = wait_until(lambda: by_order(node, "drinks", order_id), deadline_s, f"the drink of order {order_id}")
    assert len(found) == 1
    return id_of(found[0]["_links"]["self"]["href"])


def set_status(node, path, status, **options):
    return node.patch(path, json={"status": status}, **options)


def mypages(node, phone, **parameters):
    answer = node.get("/mypages/search/findByPhoneNumber", params={"phoneNumber": phone, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


def sum_of(node, phone, month):
    """sumAmt of the month, or None where there is no such sale."""
    answer = node.get("/sales/search/findByPhoneNumberAndYyyymm", params={"phoneNumber": phone, "yyyymm": month})
    found = embedded(answer, "sales")
    assert len(found) <= 1
    return found[0]["sumAmt"] if found else None


def nothing_under_way(node):
    """Waits until no durable message waits for its receiver."""
    wait_until(lambda: not any(c.get("outbox", 0) for c in node.get("/actuator/contexts", headers=node.as_manager).json()), 60, "nothing is under way")


def total(node, collection):
    return node.get(f"/{collection}?size=1").json()["page"]["totalElements"]


def all_rows(node, collection):
    """Every row as (id, fields), by following the next links."""
    url, rows = f"/{collection}?size=1000", []
    while url:
        page = node.get(url).json()
        rows += [(id_of(r["_links"]["self"]["href"]), r) for r in page["_embedded"][collection]]
        url = page["_links"].get("next", {}).get("href")
    return rows


def all_events(node, **parameters):
    answer = node.get("/events", params=parameters, headers={"Accept": "application/x-ndjson"})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines() if line]
