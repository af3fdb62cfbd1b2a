"""One mutant: a small patch that breaks a rule of the product on purpose, and the test that must fail with it.

The file NAME.patch begins with three lines of text, an empty line, and goes on with what `git diff` writes:
  Breaks: what the patch breaks, in one sentence
  Build: the CMake targets that the test needs
  Fails: a regular expression for `ctest -R`, or `pytest PATH -k EXPRESSION`
"""

import os
import pathlib
import shlex
import subprocess
from typing import NamedTuple

DIRECTORY = pathlib.Path(__file__).resolve().parent
REPOSITORY = DIRECTORY.parents[1]
FIELDS = ("Breaks", "Build", "Fails")


class MutantError(Exception):
    """The file does not say what a mutant must say."""


class Mutant(NamedTuple):
    name: str
    file: pathlib.Path
    breaks: str
    targets: list
    pytest: list  # its arguments, or None
    ctest: str  # a regular expression, or None

    def command(self, tree, build):
        """What runs the test in this tree; it exits with 0 if and only if the test passed."""
        if self.pytest is not None:
            return ["/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(tree / self.pytest[0]), *self.pytest[1:]]
        return ["ctest", "--test-dir", str(build), "--output-on-failure", "--no-tests=error", "-R", self.ctest]


def read(file):
    head, _, diff = file.read_text(encoding="utf-8").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    if tuple(fields) != FIELDS or len(head.splitlines()) != len(FIELDS) or not all(value.strip() for value in fields.values()):
        raise MutantError(f"{file.name}: the first lines must be {', '.join(f'{field}: …' for field in FIELDS)}, then an empty line")
    if not diff.startswith("diff --git "):
        raise MutantError(f"{file.name}: behind the empty line there must be what `git diff` writes")
    words = shlex.split(fields["Fails"]) if fields["Fails"].startswith("pytest ") else None
    if words is not None and len(words) < 2:
        raise MutantError(f"{file.name}: pytest needs a path")
    return Mutant(file.stem, file, fields["Breaks"], fields["Build"].split(), words[1:] if words else None, None if words else fields["Fails"])


def files(directory=DIRECTORY):
    return sorted(directory.glob("*.patch"))


def git_apply(file, tree, *options):
    """`git apply` in a tree that need not be a repository of its own; what it said if it failed, else None."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    done = subprocess.run(["git", "apply", *options, str(file)], cwd=tree, env=environment, capture_output=True, text=True)
    return done.stderr.strip() or f"git apply: exit code {done.returncode}" if done.returncode != 0 else None
