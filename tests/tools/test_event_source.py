"""EventSource, as npm has it: it follows the events, and after a crash it goes on where it was, of its own accord."""

import json
import os
import subprocess
import threading

from crema import all_events, place, wait_until
from tools import HERE, TOOLS


class Follower:
    def __init__(self, url):
        self.opened, self.events = 0, []
        self.process = subprocess.Popen(["node", HERE / "follow.cjs", url], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "NODE_PATH": str(TOOLS / "node_modules")})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            told = json.loads(line)
            if told.pop("opened", False):
                self.opened += 1
            else:
                self.events.append(told)

    def offsets(self):
        return [e["data"]["offset"] for e in self.events]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def test_it_follows_over_a_crash_and_misses_and_doubles_nothing(make_node):
    node = make_node()
    place(node)
    with Follower(f"{node.base}/events") as follower:
        wait_until(lambda: follower.offsets() == [e["offset"] for e in all_events(node)], 30, "what had happened before")
        place(node)
        wait_until(lambda: follower.offsets() == [e["offset"] for e in all_events(node)], 30, "what happened meanwhile")
        node.kill9()
        node.start()
        place(node)
        wait_until(lambda: follower.opened >= 2, 30, "the second connection")
        wait_until(lambda: len(follower.events) >= len(all_events(node)), 30, "what happened after the crash")
        told = all_events(node)
    assert [e["data"] for e in follower.events] == told
