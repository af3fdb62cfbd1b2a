"""A page's `console` blocks as its reader types them: in order, in one directory, against the binary under test.

  - "$ " begins a command; what is below it, up to the next one, is what it must print.
  - "…" stands for anything within a line; a line that is only "…" for any lines. Nothing shown: nothing printed. Exit code 0, always.
  - A command that only reads is repeated until it prints what is shown, as some things happen in their own time; any other runs once.
  - `crema serve` and `./run.sh` go on in a terminal of their own, and count as started when the node is ready. `kill` is over when it has
    ended: with 0, but for -9.
  - 127.0.0.1:8080 is a free port here, and build/release/crema is CREMA_BIN.
"""

import json
import os
import re
import signal
import subprocess

import requests

import extract
from crema import BINARY, START_DEADLINE_S, STOP_DEADLINE_S, free_port, wait_until

CREMA = "build/release/crema"
RUN = "#!/bin/sh\nexec build/release/crema serve ${1:-cafeteria}\n"  # what ./run.sh comes to, once everything is built
READS = re.compile(rf"curl (?!.*(-X|--json|-d))|grep |{CREMA} (events|verify)")
ANSWER_DEADLINE_S = 20


def typed_in(page):
    """(command, what is shown) of a whole page, in order."""
    return [step for block in extract.blocks(page) if block.language == "console" for step in steps(block.text)]


def steps(console):
    """(command, what is shown) in order."""
    found = []
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return [(command, "\n".join(shown).strip()) for command, shown in found]


def agrees(shown, said):
    pattern = "\n".join(r"[\s\S]*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) for line in shown.splitlines())
    return re.fullmatch(pattern, said.strip()) is not None


class Terminal:
    """Where the reader types, and the node in the other one."""

    def __init__(self, directory):
        self.directory = directory
        self.address = f"127.0.0.1:{free_port()}"
        self.environment = {**os.environ, "CREMA_HTTP__LISTEN": self.address, "CREMA_URL": f"http://{self.address}", "HTTPIE_CONFIG_DIR": str(directory)}
        self.node = None
        self.output = directory / "crema.out"
        (directory / "build/release/tests").mkdir(parents=True)
        (directory / CREMA).symlink_to(BINARY.resolve())
        (directory / "run.sh").write_text(RUN)
        (directory / "run.sh").chmod(0o755)
        # A person's terminal is not there: HTTPie would wait for a body from it, and would not tell a refusal by its exit code.
        (directory / "config.json").write_text(json.dumps({"default_options": ["--ignore-stdin", "--check-status", "--pretty=none"]}))

    def type(self, command, shown):
        here = [text.replace("127.0.0.1:8080", self.address) for text in (command, shown)]
        if command.startswith((f"{CREMA} serve ", "./run.sh")):
            self.serve(*here)
        else:
            differs = self.read(*here) if READS.match(command) else self.run(*here)
            assert differs is None, differs
        if command.startswith("kill "):
            assert self.node.wait(STOP_DEADLINE_S) == (-signal.SIGKILL if "-9" in command else 0), self.said()

    def read(self, command, shown):
        """As run(), when it has had its time."""
        try:
            wait_until(lambda: self.run(command, shown) is None, ANSWER_DEADLINE_S)
        except AssertionError:
            return self.run(command, shown)
        return None

    def run(self, command, shown):
        """None if it printed what is shown, else what is wrong."""
        done = subprocess.run(["bash", "-c", command], cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=60)
        if done.returncode == 0 and agrees(shown, done.stdout):
            return None
        return f"$ {command}\n{done.stdout}\n(exit code {done.returncode}) {done.stderr}\nThe page shows:\n{shown}\nThe node said:\n{self.said()}"

    def serve(self, command, shown):
        assert self.node is None or self.node.poll() is not None, "one node runs already"
        with open(self.output, "wb") as out:
            self.node = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=self.directory, env=self.environment, stdout=out, stderr=out)
        wait_until(self.is_ready, START_DEADLINE_S, "readiness")
        if shown:
            wait_until(lambda: any(agrees(shown, line) for line in self.said().splitlines()), ANSWER_DEADLINE_S, f"'{shown}' in the node's terminal")

    def is_ready(self):
        assert self.node.poll() is None, f"crema ended with {self.node.returncode}:\n{self.said()}"
        try:
            return requests.get(f"http://{self.address}/actuator/health/readiness", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def said(self):
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def close(self):
        if self.node is not None and self.node.poll() is None:
            self.node.kill()
            self.node.wait(STOP_DEADLINE_S)
