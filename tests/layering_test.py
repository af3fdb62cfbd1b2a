#!/usr/bin/python3
"""Holds every #include to the layering of docs/ARCHITECTURE.md ("Who may include whom").

A folder at the top is a layer. For each, RULES says which of the project's folders and which libraries it may include; a folder
without a rule may hold no C++ at all. Run by ctest and by `ninja check`; the canaries at the end prove that it can fail.
"""

import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

# Libraries by the beginning of what is written between < and >.
LIBRARIES = {
    "caf/": "CAF",
    "lmdb.h": "LMDB",
    "boost/": "Boost",
    "spdlog/": "spdlog",
    "fmt/": "fmt",
    "prometheus/": "prometheus-cpp",
    "CLI/": "CLI11",
    "nlohmann/": "nlohmann/json",
    "xxhash.h": "xxHash",
    "zstd.h": "Zstandard",
    "zlib.h": "zlib",
    "absl/": "Abseil",
    "openssl/": "OpenSSL",
    "curl/": "libcurl",
    "catch2/": "Catch2",
    "sanitizer/": "the sanitizers",
}
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "net/", "linux/")
STORES = ("storage/lmdb/", "storage/memory/", "storage/faulty/")


class Rule:
    def __init__(self, folders, libraries=(), only=None, not_folders=(), posix=True):
        self.folders = tuple(f"{folder}/" for folder in folders)
        self.libraries = frozenset(libraries)
        # A library that only some files of the layer may include: name → predicate on the file's path.
        self.only = only or {}
        self.not_folders = tuple(not_folders)
        self.posix = posix


RULES = {
    "behaviors": Rule(["behaviors"], ["nlohmann/json"], posix=False),
    "storage": Rule(["behaviors/core", "storage"], ["xxHash", "Zstandard", "Abseil"], only={"LMDB": lambda path: path.startswith("storage/lmdb/")}),
    "process": Rule(["process"]),
    "telemetry": Rule(["behaviors/core", "telemetry"],
                      only={"spdlog": lambda path: path.startswith("telemetry/log") and path != "telemetry/log.hpp", "prometheus-cpp": lambda path: path.endswith(".cpp")}),
    "config": Rule(["behaviors", "config"], ["nlohmann/json"]),
    "cli": Rule(["behaviors", "config", "outbound", "cli"], ["nlohmann/json", "CLI11"]),
    # Ports only: which store is behind them is the composition root's business. And no system's own words.
    "actors": Rule(["behaviors/core", "storage", "telemetry", "actors"], ["CAF", "nlohmann/json", "xxHash"], not_folders=STORES),
    "cluster": Rule(["behaviors/core", "storage", "telemetry", "actors", "cluster"], ["CAF", "OpenSSL", "nlohmann/json", "xxHash"],
                    not_folders=STORES),
    "http": Rule(["behaviors/core", "telemetry", "http"], ["Boost", "nlohmann/json", "xxHash"],
                 only={"zlib": lambda path: path == "http/compression.cpp", "Zstandard": lambda path: path == "http/compression.cpp"}),
    "outbound": Rule(["behaviors/core", "telemetry", "outbound"], ["libcurl", "nlohmann/json"], only={"OpenSSL": lambda path: path.startswith("outbound/trust.")}),
}
FREE = ("tests", "bench")


def library_of(name):
    return next((library for prefix, library in LIBRARIES.items() if name.startswith(prefix)), None)


def judge_angle(path, rule, name):
    library = library_of(name)
    if library == "the sanitizers":  # a build under one may tell it what it cannot see
        return None
    if library is None:
        if "/" in name and not name.startswith(SYSTEM_FOLDERS):
            return "a library that tests/layering_test.py does not know"
        if not rule.posix and (name.endswith(".h") or "/" in name):
            return "only std and nlohmann/json belong here"
        return None
    if library in rule.only:
        return None if rule.only[library](path) else f"{library} is not for this file"
    return None if library in rule.libraries else f"{library} is not for this layer"


def judge_quoted(path, rule, name):
    if not name.startswith(rule.folders):
        return f"only {', '.join(rule.folders)} (written from the root) may be included here"
    if name.startswith(rule.not_folders) and rule.not_folders:
        return "a store is chosen by main.cpp only"
    own = path.split("/")[:2]
    other = name.split("/")[:2]
    # The list of systems (behaviors/systems.cpp) stands above them all; no system may look up at it or across.
    in_a_folder = path.count("/") > 1
    if own[0] == "behaviors" and in_a_folder and other[0] == "behaviors" and other[1] not in ("core", own[1]):
        return "a system knows the core and itself"
    if path.startswith("storage/") and name.startswith("storage/lmdb/") and not path.startswith("storage/lmdb/"):
        return "LMDB stays behind the port"
    return None


def violations(root):
    found = []
    for source in sorted(root.rglob("*")):
        if source.suffix not in (".cpp", ".hpp", ".h") or not source.is_file():
            continue
        path = source.relative_to(root).as_posix()
        layer = path.split("/")[0]
        if "/" not in path or layer in FREE or layer == "build" or layer.startswith("."):
            continue
        if layer not in RULES:
            found.append(f"{path}: the folder {layer}/ has no rule in tests/layering_test.py")
            continue
        text = source.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            judge = judge_quoted if match[1] == '"' else judge_angle
            why = judge(path, RULES[layer], match[2])
            if why:
                line = text.count("\n", 0, match.start(2)) + 1
                found.append(f"{path}:{line}: includes {match[2]}: {why}")
    return found


class Layering(unittest.TestCase):
    def test_every_include_is_allowed(self):
        found = violations(ROOT)
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_there_is_something_to_look_at(self):
        self.assertTrue((ROOT / "behaviors" / "core" / "value.hpp").is_file())


class Canaries(unittest.TestCase):
    """A made-up tree with one include in it."""

    def found(self, path, include):
        with tempfile.TemporaryDirectory() as root:
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True)
            file.write_text(f"#pragma once\n\n  #  include {include}  // why\n", encoding="utf-8")
            return violations(pathlib.Path(root))

    def test_forbidden_includes_are_found(self):
        for path, include in [
            ("behaviors/cafeteria/order.hpp", "<caf/all.hpp>"),
            ("behaviors/cafeteria/order.hpp", "<unistd.h>"),
            ("behaviors/cafeteria/order.hpp", '"storage/store.hpp"'),
            ("behaviors/cafeteria/order.hpp", '"behaviors/hotel/room.hpp"'),
            ("behaviors/core/json.cpp", '"behaviors/cafeteria/order.hpp"'),
            ("storage/memory/store.cpp", "<lmdb.h>"),
            ("storage/lmdb/store.cpp", "<caf/all.hpp>"),
            ("behaviors/cafeteria/order.hpp", '"behaviors/systems.hpp"'),
            ("storage/memory/store.cpp", '"storage/lmdb/store.hpp"'),
            ("storage/store.hpp", '"storage/lmdb/store.hpp"'),
            ("storage/store.hpp", '"behaviors/cafeteria/order.hpp"'),
            ("actors/node.cpp", '"storage/lmdb/store.hpp"'),
            ("actors/node.cpp", "<boost/asio.hpp>"),
            ("actors/node.cpp", '"http/server.hpp"'),
            ("actors/node.cpp", '"behaviors/cafeteria/order.hpp"'),
            ("http/session.cpp", "<caf/actor.hpp>"),
            ("http/session.cpp", '"storage/store.hpp"'),
            ("http/session.cpp", "<openssl/ssl.h>"),
            ("http/session.cpp", '"actors/node.hpp"'),
            ("telemetry/log.hpp", "<spdlog/spdlog.h>"),
            ("telemetry/metrics.hpp", "<prometheus/counter.h>"),
            ("telemetry/log.cpp", "<boost/asio.hpp>"),
            ("config/registry.cpp", '"actors/node.hpp"'),
            ("config/registry.cpp", "<CLI/CLI.hpp>"),
            ("cli/cli.cpp", '"actors/node.hpp"'),
            ("cli/cli.cpp", '"storage/store.hpp"'),
            ("cli/cli.cpp", "<unheard/of.hpp>"),
            ("cli/cli.cpp", "<curl/curl.h>"),
            ("http/session.cpp", "<curl/curl.h>"),
            ("http/session.cpp", '"outbound/client.hpp"'),
            ("outbound/webhook.cpp", '"http/session.hpp"'),
            ("outbound/webhook.cpp", "<openssl/ssl.h>"),
            ("cli/cli.cpp", '"cli.hpp"'),
            ("gadgets/one.cpp", "<vector>"),
        ]:
            with self.subTest(path=path, include=include):
                self.assertEqual(len(self.found(path, include)), 1)

    def test_a_violation_names_file_line_and_include(self):
        self.assertIn("http/session.cpp:3: includes caf/actor.hpp", self.found("http/session.cpp", "<caf/actor.hpp>")[0])

    def test_allowed_includes_are_not(self):
        for path, include in [
            ("behaviors/cafeteria/order.hpp", '"behaviors/core/decider.hpp"'),
            ("behaviors/core/json.hpp", "<nlohmann/json_fwd.hpp>"),
            ("behaviors/systems.cpp", '"behaviors/cafeteria/cafeteria.hpp"'),
            ("storage/lmdb/store.cpp", "<lmdb.h>"),
            ("storage/lmdb/store.cpp", "<sys/statvfs.h>"),
            ("actors/node.cpp", '"storage/store.hpp"'),
            ("actors/node.cpp", "<caf/all.hpp>"),
            ("http/session.cpp", "<boost/beast.hpp>"),
            ("outbound/trust.cpp", "<openssl/ssl.h>"),
            ("outbound/transfer.cpp", "<curl/curl.h>"),
            ("cli/http_client.cpp", '"outbound/transfer.hpp"'),
            ("telemetry/log.cpp", "<spdlog/async.h>"),
            ("cli/cli.cpp", "<CLI/CLI.hpp>"),
            ("bench/bare.cpp", "<boost/beast.hpp>"),
            ("tests/actors/node_test.cpp", '"storage/memory/store.hpp"'),
        ]:
            with self.subTest(path=path, include=include):
                self.assertEqual(self.found(path, include), [])


if __name__ == "__main__":
    sys.exit(unittest.main())
