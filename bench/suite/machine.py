"""What the figures were measured on: they mean nothing without it."""

import datetime
import os
import re
import subprocess

import crema

PACKAGES = {"CAF": "libcaf-dev", "Boost": "libboost1.81-dev", "LMDB": "liblmdb-dev", "wrk": "wrk"}


def cpu_model(cpuinfo):
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.M)
    return found[1] if found else "unknown"


def memory_gib(meminfo):
    return int(re.search(r"^MemTotal:\s*(\d+) kB", meminfo, re.M)[1]) / 2**20


def file_system(mounts, path):
    """The type of the mount with the longest path that holds `path`."""
    held = [(len(at), kind) for at, kind in (line.split()[1:3] for line in mounts.splitlines())
            if path == at or path.startswith(at.rstrip("/") + "/")]
    return max(held)[1] if held else "unknown"


def package_version(package):
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return said.stdout or "unknown"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def describe(directory):
    """Names and values, in the order in which they are shown."""
    versions = [crema.run("version").stdout.strip()] + [f"{name} {package_version(p)}" for name, p in PACKAGES.items()]
    return {
        "machine": f"{cpu_model(read('/proc/cpuinfo'))}, {os.cpu_count()} cores, {memory_gib(read('/proc/meminfo')):.0f} GiB, "
                   f"{file_system(read('/proc/mounts'), str(directory))}, Linux {os.uname().release}",
        "versions": ", ".join(versions),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }
