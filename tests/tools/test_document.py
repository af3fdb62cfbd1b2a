"""The OpenAPI document under linters."""

import json

import pytest

from tools import HERE, run_node

QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


@pytest.fixture
def document(sample, tmp_path):
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(sample.document))
    return file


def redocly(file):
    run_node("redocly", "lint", file, "--config", HERE / "redocly.yaml", "--max-problems", "1000", env=QUIET)


def spectral(file):
    run_node("spectral", "lint", file, "--ruleset", HERE / "spectral.yaml", "--fail-severity", "warn")


def test_redocly_finds_nothing(document):
    redocly(document)


def test_spectral_finds_nothing(document):
    spectral(document)


@pytest.mark.parametrize("lint", [redocly, spectral])
def test_a_linter_can_refuse(sample, tmp_path, lint):
    broken = json.loads(json.dumps(sample.document))
    del broken["paths"]["/events"]["get"]["responses"]["200"]
    broken["paths"]["/"]["get"]["operationId"] = broken["paths"]["/events"]["get"]["operationId"]
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken))
    with pytest.raises(AssertionError, match="operationId|operation-operationId"):
        lint(file)
