"""A node behind a socket that outlives it, restarts under load, and the liveness probe of an orchestrator."""

import re
import signal
import sys
import threading

import requests

from crema import REPOSITORY, Node, total, wait_until

SOCKET_PARENT = REPOSITORY / "tests" / "drills" / "socket_parent.py"


class InheritedNode(Node):
    """A node behind socket_parent.py, which is the process that this object starts and stops."""

    def command(self):
        return [sys.executable, str(SOCKET_PARENT), f"127.0.0.1:{self.port}", "--", *super().command()]

    def generation(self):
        return self.output.read_text(errors="replace").count(": pid ")

    def replace(self):
        before = self.generation()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.generation() == before + 1, 60, "the next generation")
        wait_until(self.is_ready_or_dead, 60, "readiness of the next generation")


def restart_under(node, still_running, collection="orders", times=3, further=100):
    """Replaces the node so many times while so many further resources come in."""
    for _ in range(times):
        before = total(node, collection)
        wait_until(lambda: total(node, collection) > before + further or not still_running(), 30, f"{collection} under load")
        assert still_running(), "the load was over before the restarts"
        node.replace()


def answers_of(node, route):
    """How many requests of a route this generation of the node has answered."""
    found = re.search(r'crema_http_request_seconds_count\{route="%s"\} (\d+)' % re.escape(route), node.get("/actuator/prometheus").text)
    return int(found[1]) if found else 0


class LivenessProbe(threading.Thread):
    """Asks for the liveness again and again, and heals a node that is not alive, as an orchestrator does."""

    def __init__(self, node, heal):
        super().__init__(daemon=True)
        self.node, self.heal, self.over, self.restarts, self.failed = node, heal, threading.Event(), 0, None

    def run(self):
        session = requests.Session()
        try:
            while not self.over.wait(0.05):
                if session.get(self.node.base + "/actuator/health/liveness", timeout=10).status_code != 200:
                    session.close()
                    self.heal()
                    self.restarts += 1
        except BaseException as error:
            self.failed = error
            raise

    def end(self):
        self.over.set()
        self.join(60)
        assert self.failed is None and not self.is_alive(), self.failed
