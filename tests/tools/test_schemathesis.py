"""schemathesis: the node under what is generated from its own OpenAPI document."""

import json
import os

import pytest

from samples import SYSTEMS
from tools import HERE, TOOLS, run_tool

# What a valid request can meet besides what schemathesis expects: 412, because If-Match is about the present state.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 410, 412, 429, "5xx"]
"""
RULE = """
[[operations]]
include-operation-id = "{}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 410, 412, 422, 429, "5xx"]
"""


@pytest.fixture
def own(make_sample, sample):
    """A node for this test alone: what it does to the rows is no sample."""
    return make_sample(sample.node.system)


def schemathesis(node, document, tmp_path, *arguments):
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIGURATION + "".join(RULE.format(operation) for operation in SYSTEMS[node.system].rules))
    run_tool(
        TOOLS / "python" / "bin" / "schemathesis", "--config-file", config, "run", document, "--url", node.base, "--checks", "all", "--seed", "1",
        "--no-color", "--request-timeout", "10", "--warnings", "off", "--generation-database", "none",
        "--header", f"Authorization: {node.as_manager['Authorization']}", *arguments,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}, cwd=node.directory)


def test_schemathesis_finds_nothing(own, tmp_path):
    # Not what would stop contexts in the middle of the others' tests, or write wherever it likes.
    schemathesis(own.node, f"{own.node.base}/openapi.json", tmp_path, "--max-examples", "8", "--exclude-path-regex", "^/actuator/(contexts/|backup)")


def test_schemathesis_can_find_something(sample, tmp_path):
    untrue = json.loads(json.dumps(sample.document))
    untrue["components"]["schemas"]["linksOnly"]["required"].append("noSuchMember")
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(untrue))
    with pytest.raises(AssertionError, match="noSuchMember"):
        schemathesis(sample.node, file, tmp_path, "--include-path", "/profile", "--phases", "fuzzing", "--max-examples", "1")
