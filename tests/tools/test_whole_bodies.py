"""What was read can be written back."""

import json

import pytest

from crema import wait_until
from samples import SYSTEMS
from tools import run_node


def schema_of(document, operation):
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]


def test_ketting_changes_what_it_has_read(sample):
    node, changes = sample.node, SYSTEMS[sample.node.system].changes
    for _, path, _ in changes:
        wait_until(lambda: node.get(path).ok, what=path)
    run_node("write_back.cjs", node.base + "/", json.dumps(changes))


def test_an_entity_that_is_not_stored_yet_has_nulls_and_empty_links(sample):
    """As Spring's EntityModel and the generated front ends of the original services send it."""
    for path, item in sample.document["paths"].items():
        if "post" not in item or path.startswith("/actuator"):
            continue
        schema = schema_of(sample.document, item["post"])
        nulls = {name: None for name, property in schema["properties"].items() if property.get("readOnly")}
        answer = sample.node.post(path, json={**nulls, **schema["examples"][0], "_links": {}})
        assert answer.status_code == 201, answer.text


def test_what_is_not_so_is_refused(sample):
    for path, item in sample.document["paths"].items():
        if "post" not in item or path.startswith("/actuator"):
            continue
        body = schema_of(sample.document, item["post"])["examples"][0]
        for extra, field in (({"id": 7}, "id"), ({"noSuchField": None}, "noSuchField")):
            answer = sample.node.post(path, json={**body, **extra})
            assert answer.status_code == 422 and answer.json()["field"] == field, answer.text
