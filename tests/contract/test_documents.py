"""spec/http.md: /openapi.json against the OpenAPI 3.1 schema, /profile as JSON Schemas that the resources themselves satisfy."""

import json
import pathlib
import re

import jsonschema
import pytest

from crema import drink_of, mypages, order_body, place, wait_until

SCHEMA = json.loads((pathlib.Path(__file__).parent / "schema" / "openapi-3.1.json").read_text())
COLLECTIONS = ["orders", "payments", "drinks", "sales", "salePages", "orderinfos", "mypages"]


@pytest.fixture(scope="module")
def document(node):
    answer = node.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_the_meta_schema_can_fail():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate({"openapi": "3.1.0", "info": {"title": "x"}, "paths": {}})


def test_openapi_is_valid(document):
    assert document["openapi"].startswith("3.1.")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_its_schemas_are_json_schemas_and_its_references_resolve(document):
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        assert reference.startswith("#/"), reference
        at = document
        for part in reference[2:].split("/"):
            at = at[part.replace("~1", "/").replace("~0", "~")]


def test_every_collection_finder_and_verb_is_in_it(document):
    paths = document["paths"]
    for collection in COLLECTIONS:
        assert "get" in paths[f"/{collection}"], collection
        assert "get" in paths[f"/{collection}/{{id}}"], collection
    assert "post" in paths["/orders"] and "post" not in paths["/payments"]
    assert "patch" in paths["/orders/{id}"] and "patch" in paths["/drinks/{id}"]
    assert "delete" not in paths["/orders/{id}"]
    assert "get" in paths["/mypages/search/findByPhoneNumber"]
    names = {p["name"] for p in paths["/sales/search/findByPhoneNumberAndYyyymm"]["get"]["parameters"] if "name" in p}
    assert {"phoneNumber", "yyyymm"} <= names
    assert "/events" in paths


def test_every_operation_has_its_own_id_and_answers(document):
    ids = []
    for path, item in document["paths"].items():
        for verb in ("get", "post", "put", "patch", "delete"):
            if verb in item:
                assert item[verb]["responses"], (verb, path)
                ids.append(item[verb].get("operationId"))
    assert None not in ids and len(ids) == len(set(ids))


def test_profile_links_every_collection(node):
    links = node.get("/profile").json()["_links"]
    for collection in COLLECTIONS:
        assert links[collection]["href"] == f"{node.base}/profile/{collection}"


def profile(node, collection):
    answer = node.get(f"/profile/{collection}")
    assert answer.status_code == 200
    schema = answer.json()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_a_resource_satisfies_its_profile(node, phone):
    order_id = place(node, phone)
    drink_of(node, order_id)
    wait_until(lambda: mypages(node, phone), what="mypages")
    for collection in COLLECTIONS:
        rows = wait_until(lambda: node.get(f"/{collection}").json()["_embedded"][collection], what=collection)
        for row in rows:
            fields = {k: v for k, v in row.items() if k != "_links"}
            profile(node, collection).validate(fields)


def test_a_profile_can_fail(node):
    good = {**order_body(), "createTime": "2021-02-25T04:28:24.716+0000", "status": "Ordered"}
    schema = profile(node, "orders")
    schema.validate(good)
    for bad in ({**good, "qty": 0}, {**good, "status": "Nope"}, {**good, "phoneNumber": "1" * 33}, {**good, "amt": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            schema.validate(bad)


def test_an_unknown_profile_is_404(node):
    assert node.get("/profile/nothing").status_code == 404


def test_hidden_fields_are_in_no_document(node, document):
    assert not re.search(r'"(cancelAttempt|voided|progress)"', json.dumps(document))
