"""wrk on one thread, and what it reports."""

import dataclasses
import json
import pathlib
import re
import signal
import subprocess

from suite.figures import MeasuredWrongly

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "requests.lua"
ENDLESS_S = 7200


@dataclasses.dataclass(frozen=True)
class Load:
    """Figures of one run. errors: answers of 400 and more, and connections that failed."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    errors: int

    @property
    def per_second(self):
        return self.requests / self.seconds


def parse(said):
    found = re.search(r"^RESULT (\{.*\})$", said, re.M)
    if found is None:
        raise MeasuredWrongly(f"wrk gave no result: {said.strip()[-200:]}")
    return Load(**json.loads(found[1]))


class Wrk:
    """One wrk at work. what: "post", or "get", HIGHEST, or "finder", PHONES."""

    def __init__(self, port, *what, seed=1, connections=100, seconds=ENDLESS_S, timeout_s=10):
        line = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={timeout_s}s", "--latency", "-s", SCRIPT,
                f"http://127.0.0.1:{port}", "--", seed, *what]
        self.process = subprocess.Popen([str(part) for part in line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def running(self):
        return self.process.poll() is None

    def result(self):
        said, _ = self.process.communicate()
        return parse(said)

    def stop(self):
        """Ends it before its time; it reports what it has."""
        self.process.send_signal(signal.SIGINT)
        return self.result()

    def kill(self):
        """Ends it where it is still at work; what it measured is lost."""
        if self.running():
            self.process.kill()
            self.process.communicate()


def faultless(load):
    if load.errors or not load.requests:
        raise MeasuredWrongly(f"{load.errors} errors beside {load.requests} answers")
    return load


def measure(port, *what, **options):
    """One run to its end, in which nothing may fail."""
    return faultless(Wrk(port, *what, **options).result())
