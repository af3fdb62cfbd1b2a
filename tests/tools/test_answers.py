"""ajv: what a node answers satisfies the schemas that it publishes."""

import json

import pytest

from tools import run_node


def validate(tmp_path, *checks):
    """Each check: (what, schema, values)."""
    file = tmp_path / "checks.json"
    file.write_text(json.dumps([dict(zip(("what", "schema", "values"), c)) for c in checks]))
    run_node("validate.cjs", file)


def test_rows_satisfy_their_profile(sample, tmp_path):
    validate(tmp_path, *((name, sample.node.get(f"/profile/{name}").json(), sample.rows(name)) for name in sample.collections))


def test_ajv_can_refuse(sample, tmp_path):
    name = sample.collections[0]
    row = {**sample.rows(name)[0], "_links": "none"}
    schema = {**sample.node.get(f"/profile/{name}").json(), "additionalProperties": False}
    with pytest.raises(AssertionError, match="additional properties"):
        validate(tmp_path, (name, schema, [{**row, "surely not": 1}]))
