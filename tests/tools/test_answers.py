"""ajv: what a node answers satisfies the schemas that it publishes."""

import json

import pytest

from crema import id_of
from tools import run_node


def validate(tmp_path, *checks):
    """Each check: (what, schema, values)."""
    file = tmp_path / "checks.json"
    file.write_text(json.dumps([dict(zip(("what", "schema", "values"), c)) for c in checks]))
    run_node("validate.cjs", file)


def test_rows_satisfy_their_profile(sample, tmp_path):
    validate(tmp_path, *((name, sample.node.get(f"/profile/{name}").json(), sample.rows(name)) for name in sample.collections))


def resolved(document, part):
    while "$ref" in part:
        name = part["$ref"].split("/")[1:]
        part = document
        for step in name:
            part = part[step]
    return part


def parameters_for(sample, path, item):
    """What to put into the path and the query of a GET, from what the node has. None: there is nothing of that kind."""
    collection = path.split("/")[1]
    row = sample.rows(collection)[0] if collection in sample.collections else {}
    values = {"id": id_of(row["_links"]["self"]["href"])} if row else {}
    if path == "/actuator/traces/{id}":
        values["id"] = sample.node.get("/actuator/traces").json()["spans"][0]["traceId"]
    if path.startswith(("/actuator/faults", "/problems/")):  # not enabled; no JSON
        return None
    needed = [resolved(sample.document, p) for p in item.get("parameters", []) + item["get"].get("parameters", [])]
    return {p["name"]: {**row, **values}[p["name"]] for p in needed if p["required"]}


def test_every_answer_satisfies_the_document(sample, tmp_path):
    checks = []
    for path, item in sample.document["paths"].items():
        values = parameters_for(sample, path, item) if "get" in item else None
        if values is None:
            continue
        query = {name: value for name, value in values.items() if f"{{{name}}}" not in path}
        answer = sample.node.get(path.format(**values), params=query, headers=sample.node.as_manager)
        assert answer.status_code == 200, answer.text
        media = item["get"]["responses"]["200"]["content"][answer.headers["Content-Type"].split(";")[0]]
        if "json" in answer.headers["Content-Type"] and "ndjson" not in answer.headers["Content-Type"]:
            checks.append((path, {**media["schema"], "components": sample.document["components"]}, [answer.json()]))
        if path.endswith("/events"):
            schema = {**media["schema"]["contentSchema"], "components": sample.document["components"]}
            checks.append((path, schema, [json.loads(line) for line in answer.text.splitlines()]))
    assert len(checks) > 3 * len(sample.collections)
    validate(tmp_path, *checks)


def test_ajv_can_refuse(sample, tmp_path):
    name = sample.collections[0]
    with pytest.raises(AssertionError, match="additional properties"):
        validate(tmp_path, (name, sample.node.get(f"/profile/{name}").json(), [{**sample.rows(name)[0], "surely not": 1}]))
