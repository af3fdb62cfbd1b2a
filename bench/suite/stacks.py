"""Stacks of `perf script`: folded, and each sample given to the part of the program that spends it."""

import collections
import re

OURS = {"actors": "actors", "storage": "storage", "http": "http", "telemetry": "telemetry"}
ALLOCATOR = re.compile(r"^(je_|malloc|free|calloc|realloc|operator new|operator delete|arena_|tcache_|large_|extent_|edata_|pages_)")
LMDB = re.compile(r"^(mdb_|mdb)")


def plain_name(symbol):
    """A C++ symbol without return type, arguments and template arguments: `crema::actors::entity::handle`."""
    name = symbol.replace("(anonymous namespace)", "{anonymous}")
    while True:
        shorter = re.sub(r"<[^<>]*>", "", name)
        if shorter == name:
            break
        name = shorter
    name = name.split("(", 1)[0].strip()
    return name if name.startswith("operator ") else name.rsplit(" ", 1)[-1]


def part_of(name, library):
    """The part that a frame belongs to; None for one that works for its caller (std, libc)."""
    if library.startswith("[") and "vdso" not in library:
        return "kernel"
    if "jemalloc" in library or ALLOCATOR.match(name):
        return "allocator"
    if "liblmdb" in library or LMDB.match(name):
        return "LMDB"
    if name.startswith("boost::"):
        return "Boost/Asio"
    if name.startswith("caf::") or "libcaf" in library:
        return "CAF"
    if name.startswith("crema::"):
        return OURS.get(name.split("::")[1], "behaviors")
    return None


def parse(script):
    """[(frames from the inside out, as (plain name, library))] of the text of `perf script -F comm,ip,sym,dso`."""
    stacks, frames = [], []
    for line in script.splitlines():
        found = re.match(r"^\s+[0-9a-f]+ (.+) \(([^()]*)\)$", line)
        if found:
            frames.append((plain_name(re.sub(r"\+0x[0-9a-f]+$", "", found[1])), found[2].rsplit("/", 1)[-1]))
        elif not line.strip() and frames:
            stacks.append(frames)
            frames = []
    return stacks + ([frames] if frames else [])


def spent_by(frames):
    """The part to which a sample's time belongs: of the innermost frame that belongs to one."""
    return next((part for part in (part_of(*frame) for frame in frames) if part), "other")


def shares(stacks):
    """{part: share of all samples}, the largest first."""
    counted = collections.Counter(spent_by(frames) for frames in stacks)
    return {part: count / len(stacks) for part, count in counted.most_common()}


def fold(stacks, least=0.0005):
    """[(frames from the outside in, samples)]. Frames without a name are left out; a stack ends where less than `least` of all go further."""
    named = [tuple(name for name, _ in reversed(frames) if name != "[unknown]") for frames in stacks]
    through = collections.Counter(names[:depth] for names in named for depth in range(1, len(names) + 1))
    wanted = least * len(stacks)
    counted = collections.Counter(
        names[: next((depth for depth in range(len(names)) if through[names[: depth + 1]] < wanted), len(names))] for names in named)
    return [[list(names), count] for names, count in sorted(counted.items())]
