"""docs/tutorial.md as its reader types it: every `console` block, in order, in one directory, against the system that was built from it.

  - "$ " begins a command; what is below it, up to the next one, is what it must print.
  - "…" stands for anything within a line; a line that is only "…" for any lines. Nothing shown: nothing printed. Exit code 0, always.
  - A command that only reads is repeated until it prints what is shown, as some things happen in their own time; any other runs once.
  - `crema serve` goes on in a terminal of its own, and counts as started when it is ready. `kill` is over when it has ended: with 0, but for -9.
  - 127.0.0.1:8080 is a free port here, build/release/crema is CREMA_BIN, and behaviors_tests is the binary of the tutorial's own tests.

`sh` blocks are how the reader builds; CMake did that here. The code is extract.py's.
"""

import os
import pathlib
import re
import signal
import subprocess

import pytest
import requests

import extract
from crema import BINARY, REPOSITORY, START_DEADLINE_S, STOP_DEADLINE_S, free_port, wait_until

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
CREMA = "build/release/crema"
READS = re.compile(rf"curl (?!.*(-X|--json|-d))|grep |{CREMA} (events|verify)")
ANSWER_DEADLINE_S = 20


def steps(console):
    """(command, what is shown) in order."""
    found = []
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return [(command, "\n".join(shown)) for command, shown in found]


def agrees(shown, said):
    pattern = "\n".join(r"[\s\S]*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) for line in shown.splitlines())
    return re.fullmatch(pattern, said.strip()) is not None


class Terminal:
    """Where the reader types, and the node in the other one."""

    def __init__(self, directory):
        self.directory = directory
        self.address = f"127.0.0.1:{free_port()}"
        self.environment = {**os.environ, "CREMA_HTTP__LISTEN": self.address, "CREMA_URL": f"http://{self.address}"}
        self.node = None
        self.output = directory / "crema.out"
        (directory / "build/release/tests").mkdir(parents=True)
        (directory / CREMA).symlink_to(BINARY.resolve())
        (directory / "build/release/tests/behaviors_tests").symlink_to(BINARY.resolve().with_name("tutorial_tests"))

    def type(self, command, shown):
        here = [text.replace("127.0.0.1:8080", self.address) for text in (command, shown)]
        if command.startswith(f"{CREMA} serve "):
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
        return f"$ {command}\n{done.stdout}\n(exit code {done.returncode}) {done.stderr}\nThe tutorial shows:\n{shown}\nThe node said:\n{self.said()}"

    def serve(self, command, shown):
        assert self.node is None or self.node.poll() is not None, "one node runs already"
        with open(self.output, "wb") as out:
            self.node = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=self.directory, env=self.environment, stdout=out, stderr=out)
        wait_until(self.is_ready, START_DEADLINE_S, "readiness")
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


@pytest.fixture
def terminal(tmp_path):
    assert BINARY.exists(), f"{BINARY} is not built: build crema_tutorial and tutorial_tests, and set CREMA_BIN"
    made = Terminal(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def text():
    return TUTORIAL.read_text(encoding="utf-8")


def test_what_is_typed_prints_what_is_shown(text, terminal):
    typed = [step for block in extract.blocks(text) if block.language == "console" for step in steps(block.text)]
    assert len(typed) > 20
    for command, shown in typed:
        terminal.type(command, shown)


def test_every_block_is_code_or_is_typed(text):
    for block in extract.blocks(text):
        assert (block.file is not None) == (block.language in ("cpp", "diff")), block
        assert block.language in ("cpp", "diff", "console", "sh"), block
    assert [block.text for block in extract.blocks(text) if block.language == "sh"] == ["scripts/build.sh release crema behaviors_tests\n"]


# ---- what the rules above would let through is tested, too

@pytest.mark.parametrize("shown, said, is_so", [
    ('{"a":1,…}', '{"a":1,"b":2}\n', True),
    ('{"a":1,…}', '{"a":2,"b":2}', False),
    ("a.c", "abc", False),
    ("…\nlast", "one\ntwo\nlast", True),
    ("…\nlast", "one\ntwo", False),
    ("a…b", "a\nb", False),
    ("", "something", False),
])
def test_agreement(shown, said, is_so):
    assert agrees(shown, said) == is_so


def test_only_reading_commands_are_repeated():
    for command in ("curl 127.0.0.1:8080/loans", "grep x y", f"{CREMA} events --id 2", f"{CREMA} verify --data data"):
        assert READS.match(command), command
    for command in ("curl -X PATCH x", "curl --json '{}' x", "kill 1", f"{CREMA} context stop copy", f"{CREMA} serve library"):
        assert not READS.match(command), command


def test_blocks_of_one_file_are_joined(tmp_path):
    files = extract.files_of("```cpp file=a/b.hpp\none\n```\ntext\n```cpp file=a/b.hpp\ntwo\n```\n", tmp_path)
    assert files == {"a/b.hpp": "one\ntwo\n"}


def test_lines_are_added_behind_a_line_that_is_there_once(tmp_path):
    (tmp_path / "list.cpp").write_text("a\nb\n")
    fence = "```diff file=list.cpp\n{}\n```\n"
    assert extract.files_of(fence.format(" a\n+x\n+y"), tmp_path) == {"list.cpp": "a\nx\ny\nb\n"}
    for wrong in (" c\n+x", "-a", "+x\n@@"):
        with pytest.raises(extract.TutorialError):
            extract.files_of(fence.format(wrong), tmp_path)
    (tmp_path / "list.cpp").write_text("a\na\n")
    with pytest.raises(extract.TutorialError):
        extract.files_of(fence.format(" a\n+x"), tmp_path)


def test_a_fence_that_cannot_be_read_is_an_error():
    with pytest.raises(extract.TutorialError):
        extract.blocks("```cpp title=x\nint a;\n```\n")
