"""README.md as its reader types it (tests/support/terminal.py), against a binary that has its context "review"."""

import pytest

import extract
from crema import REPOSITORY
from terminal import Terminal, typed_in

README = REPOSITORY / "README.md"


@pytest.fixture
def terminal(tmp_path):
    made = Terminal(tmp_path)
    yield made
    made.close()


def test_what_is_typed_prints_what_is_shown(terminal):
    typed = typed_in(README.read_text(encoding="utf-8"))
    assert len(typed) > 12
    assert any("/reviews" in command for command, _ in typed)
    terminal.type("./run.sh", "")
    for command, shown in typed:
        terminal.type(command, shown)


def test_every_block_of_code_is_compiled():
    for block in extract.blocks(README.read_text(encoding="utf-8")):
        assert (block.file is not None) == (block.language in ("cpp", "diff")), block
        assert block.language in ("cpp", "diff", "console", "sh", ""), block
