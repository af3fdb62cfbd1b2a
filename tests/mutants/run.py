#!/usr/bin/python3
"""Shows that the tests can fail: applies each mutant to a copy of the tree, builds, and runs the test that must fail with it.

    tests/mutants/run.py [NAME…]       all of them, or some

The copy is build/mutants; it is kept, so that a second run compiles only what a mutant touches. First the tests run without a mutant,
where they must pass. Exit code 0 only if every mutant was killed.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

import mutant

TREE = mutant.REPOSITORY / "build" / "mutants"
BUILD = TREE / "build" / "dev"
LEFT_OUT = {"build", "data", ".git", "__pycache__", ".pytest_cache"}
TEST_LIMIT_S = 900


def sync(source, target, left_out=frozenset(LEFT_OUT)):
    """Makes target what source is. A file that is the same keeps its time, so that nothing is compiled without need."""
    target.mkdir(parents=True, exist_ok=True)
    names = {entry.name for entry in source.iterdir() if entry.name not in left_out}
    for entry in target.iterdir():
        if entry.name not in names | left_out:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    for name in names:
        one, other = source / name, target / name
        if one.is_dir():
            sync(one, other, left_out)
        elif not other.is_file() or one.read_bytes() != other.read_bytes():
            shutil.copyfile(one, other)
            shutil.copymode(one, other)


def run(command, limit_s=None):
    """(exit code, or None where it took too long; what it printed)."""
    environment = {**os.environ, "CREMA_BIN": str(BUILD / "crema"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=limit_s)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace")


def build(targets, what):
    if not (BUILD / "build.ninja").exists():
        compiler = next((name for name in ("clang++-14", "clang++") if shutil.which(name)), "c++")
        code, said = run(["cmake", "-S", str(TREE), "-B", str(BUILD), "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={compiler}", "-DCMAKE_BUILD_TYPE=Debug",
                          "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g0"])
        if code != 0:
            sys.exit(said)
    code, said = run(["ninja", "-C", str(BUILD), "--quiet", *targets])
    if code != 0:
        print(said[-4000:], file=sys.stderr)
        return f"{what} does not compile"
    return None


def verdict(one):
    """None if the test failed, as it must; else what is wrong."""
    if not_applied := mutant.git_apply(one.file, TREE):
        return f"does not apply any more: {not_applied}"
    if wrong := build(one.targets, "it"):
        return wrong
    code, said = run(one.command(TREE, BUILD), TEST_LIMIT_S)
    if code == 0:
        return "SURVIVED"
    if one.pytest is not None and code not in (None, 1):  # 1: tests failed; anything else: they did not run
        return f"its tests did not run: {said[-2000:]}"
    return None


def passes_without(one):
    code, said = run(one.command(TREE, BUILD), TEST_LIMIT_S)
    return None if code == 0 else f"its test fails without it, too: {said[-4000:]}"


def main(names):
    wanted = [mutant.read(file) for file in mutant.files() if not names or file.stem in names]
    unknown = set(names) - {one.name for one in wanted}
    if unknown or not wanted:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown)) or '(there is none)'}")
    sync(mutant.REPOSITORY, TREE)
    print(f"building {len(wanted)} mutants' tests without them", flush=True)
    if wrong := build(sorted({target for one in wanted for target in one.targets}), "the tree"):
        sys.exit(wrong)
    failures = []
    for at, one in enumerate(wanted, 1):
        start = time.monotonic()
        sync(mutant.REPOSITORY, TREE)
        wrong = build(one.targets, "the tree") or passes_without(one) or verdict(one)
        failures += [one.name] if wrong else []
        print(f"[{at}/{len(wanted)}] {one.name}: {wrong or 'killed'} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{len(wanted) - len(failures)} of {len(wanted)} mutants killed" + (f"; not: {', '.join(failures)}" if failures else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    sys.exit(main(parser.parse_args().names))
