"""docs/tutorial.md as its reader types it (tests/support/terminal.py), against the system that was built from it.

behaviors_tests is the binary of the tutorial's own tests here. `sh` blocks are how the reader builds; CMake did that. The code is extract.py's.
"""

import pytest

import extract
from crema import BINARY, REPOSITORY
from terminal import CREMA, READS, Terminal, agrees, typed_in

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"


@pytest.fixture
def terminal(tmp_path):
    assert BINARY.exists(), f"{BINARY} is not built: build crema_tutorial and tutorial_tests, and set CREMA_BIN"
    made = Terminal(tmp_path)
    (tmp_path / "build/release/tests/behaviors_tests").symlink_to(BINARY.resolve().with_name("tutorial_tests"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def text():
    return TUTORIAL.read_text(encoding="utf-8")


def test_what_is_typed_prints_what_is_shown(text, terminal):
    typed = typed_in(text)
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
        with pytest.raises(extract.PageError):
            extract.files_of(fence.format(wrong), tmp_path)
    (tmp_path / "list.cpp").write_text("a\na\n")
    with pytest.raises(extract.PageError):
        extract.files_of(fence.format(" a\n+x"), tmp_path)


def test_a_fence_that_cannot_be_read_is_an_error():
    with pytest.raises(extract.PageError):
        extract.blocks("```cpp title=x\nint a;\n```\n")
