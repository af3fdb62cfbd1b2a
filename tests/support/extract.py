#!/usr/bin/python3
"""Writes the code of a page (docs/tutorial.md, README.md) to a directory, as its reader would have it after the last step.

    extract.py PAGE REPOSITORY DIRECTORY

A fence names its file behind the language, where GitHub does not show it:
  ```cpp file=PATH   the file's text; a later block of the same path goes on where the former ended
  ```diff file=PATH  lines to add to a file of the repository: each "+" line goes behind the " " line above it
"""

import pathlib
import re
import sys
from typing import NamedTuple

FENCE = re.compile(r"^```(\w*)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class PageError(Exception):
    """The text and the repository do not go together."""


class Block(NamedTuple):
    language: str
    file: str  # or None
    text: str


def blocks(page):
    fences = len(re.findall(r"^```", page, re.MULTILINE))
    found = [Block(*match.groups()) for match in FENCE.finditer(page)]
    if fences != 2 * len(found):
        raise PageError(f"{fences} fences, but {len(found)} blocks that could be read")
    return found


def add_lines(path, text, diff):
    lines, at = text.splitlines(), 0
    for change in diff.splitlines():
        kind, line = change[:1], change[1:]
        if kind == "+":
            at += 1
            lines.insert(at, line)
        elif kind == " ":
            if lines.count(line) != 1:
                raise PageError(f"{path}: '{line.strip()}' is there {lines.count(line)} times; the page adds its line behind it")
            at = lines.index(line)
        else:
            raise PageError(f"{path}: only lines to add, behind lines that are there: {change}")
    return "\n".join(lines) + "\n"


def files_of(page, repository):
    files = {}
    for block in blocks(page):
        if block.file is None:
            continue
        if block.language == "diff":
            before = files.get(block.file) or (repository / block.file).read_text(encoding="utf-8")
            files[block.file] = add_lines(block.file, before, block.text)
        else:
            files[block.file] = files.get(block.file, "") + block.text
    return files


def main(page, repository, directory):
    for path, text in files_of(pathlib.Path(page).read_text(encoding="utf-8"), pathlib.Path(repository)).items():
        file = pathlib.Path(directory, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except PageError as why:
        sys.exit(f"{sys.argv[1]}: {why}")
