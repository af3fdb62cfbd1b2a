"""spec/http.md: which representation is sent, who may keep it, and how a reader asks whether it is still right."""

import json

import pytest

from crema import order_body, place, set_status

HAL, JSON = {"Accept": "application/hal+json"}, {"Accept": "application/json"}


def listed(answer, name):
    return {member.strip() for member in answer.headers.get(name, "").split(",") if member.strip()}


def test_each_representation_has_an_etag_of_its_own(node):
    path = f"/orders/{place(node)}"
    hal, plain = node.get(path, headers=HAL), node.get(path, headers=JSON)
    assert hal.headers["ETag"] != plain.headers["ETag"]
    for headers, own, others in ((HAL, hal, plain), (JSON, plain, hal)):
        assert node.get(path, headers={**headers, "If-None-Match": own.headers["ETag"]}).status_code == 304
        assert node.get(path, headers={**headers, "If-None-Match": others.headers["ETag"]}).status_code == 200


def test_a_change_may_be_made_upon_any_representation_of_the_version(node):
    for read in (HAL, JSON, {**HAL, "Accept-Encoding": "gzip"}):
        path = f"/orders/{place(node)}"
        tag = node.get(path, headers=read).headers["ETag"]
        assert set_status(node, path, "OrderCanceled", headers={"If-Match": tag}).status_code == 200
        assert set_status(node, path, "OrderCanceled", headers={"If-Match": tag}).status_code == 412


def test_if_none_match_star_refuses_to_change_what_is_there(node):
    path = f"/orders/{place(node)}"
    assert set_status(node, path, "OrderCanceled", headers={"If-None-Match": "*"}).status_code == 412
    assert node.get(path).json()["status"] == "Ordered"
    assert set_status(node, path, "OrderCanceled", headers={"If-None-Match": '"1"'}).status_code == 412
    assert set_status(node, path, "OrderCanceled", headers={"If-None-Match": '"99"'}).status_code == 200


def test_if_match_on_a_reading(node):
    path = f"/orders/{place(node)}"
    tag = node.get(path).headers["ETag"]
    for wanted in (tag, "*", f'"9",,{tag}', '"1"'):
        assert node.get(path, headers={"If-Match": wanted}).status_code == 200, wanted
    for wanted in ('"9"', f"W/{tag}"):
        refused = node.get(path, headers={"If-Match": wanted})
        assert refused.status_code == 412 and refused.headers["Content-Type"] == "application/problem+json", wanted
    assert node.get("/orders/99999999", headers={"If-Match": tag}).status_code == 404


@pytest.mark.parametrize("path", ["/", "/orders", "/orders?size=1&sort=qty,desc", "/orders/search/findByPhoneNumber?phoneNumber=1", "/mypages/1",
                                  "/mypages/search/findByPhoneNumber?phoneNumber=1", "/profile/orders", "/openapi.json", "/problems/conflict"])
def test_whatever_may_be_kept_can_be_asked_about(node, path):
    place(node)
    got = node.get(path)
    assert got.status_code == 200 and "no-cache" in listed(got, "Cache-Control")
    again = node.get(path, headers={"If-None-Match": got.headers["ETag"]})
    assert again.status_code == 304 and again.content == b""
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again.headers.get(name) == got.headers.get(name), name
    head = node.request("HEAD", path)
    for name in ("ETag", "Cache-Control", "Vary", "Content-Length"):
        assert head.headers.get(name) == got.headers.get(name), name


def test_a_collection_that_changed_has_another_etag(node):
    first = node.get("/orders").headers["ETag"]
    place(node)
    assert node.get("/orders", headers={"If-None-Match": first}).status_code == 200


@pytest.mark.parametrize("path", ["/orders", "/orders/1", "/", "/events", "/mypages/1"])
def test_what_depends_on_accept_says_so_and_is_its_readers_own(node, path):
    place(node)
    got = node.get(path)
    assert "Accept" in listed(got, "Vary")
    assert listed(got, "Cache-Control") in ({"private", "no-cache"}, {"no-store"})


@pytest.mark.parametrize("path", ["/actuator/health", "/actuator/health/liveness", "/actuator/health/readiness", "/actuator/prometheus", "/actuator/info",
                                  "/actuator/supervisors", "/actuator/circuitbreakers", "/actuator/contexts", "/actuator/traces", "/nothing", "/orders/99999999"])
def test_operations_and_problems_are_kept_by_nobody(node, path):
    answer = node.get(path)
    assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers


def test_answers_to_commands_are_kept_by_nobody(node):
    created = node.post("/orders", json=order_body())
    assert created.headers["Cache-Control"] == "no-store" and created.headers["ETag"]
    assert set_status(node, created.headers["Location"], "OrderCanceled").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["image/png", "application/hal+json;q=0, application/json;q=0", "nonsense", ",,"])
def test_nothing_acceptable_is_answered_with_the_default(node, accept):
    answer = node.get("/orders", headers={"Accept": accept})
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("application/hal+json")
    assert node.get("/events", headers={"Accept": accept}).headers["Content-Type"].startswith("application/x-ndjson")


def test_a_json_patch_is_415_and_what_is_taken_is_told(node):
    path = f"/orders/{place(node)}"
    patch = json.dumps([{"op": "replace", "path": "/status", "value": "OrderCanceled"}])
    refused = node.patch(path, data=patch, headers={"Content-Type": "application/json-patch+json"})
    taken = {"application/merge-patch+json", "application/json"}
    assert refused.status_code == 415 and listed(refused, "Accept-Patch") == taken
    assert listed(node.request("OPTIONS", path), "Accept-Patch") == taken
    assert listed(node.delete(path), "Accept-Patch") == taken
    assert "Accept-Patch" not in node.request("OPTIONS", "/orders").headers
    merge = node.patch(path, data='{"status":"OrderCanceled"}', headers={"Content-Type": "application/merge-patch+json"})
    assert merge.status_code == 200


def test_a_connection_that_stays_says_for_how_long(make_node):
    answer = make_node({"http.keepAliveIdleMs": 7000}).get("/orders")
    assert answer.headers["Keep-Alive"] == "timeout=7"


# ---- content codings

LONG = "/orders?size=100"


def test_long_answers_are_compressed_where_that_is_asked_for(node):
    for _ in range(10):
        place(node)
    plain = node.get(LONG, headers={"Accept-Encoding": "identity"})
    zipped = node.get(LONG, headers={"Accept-Encoding": "gzip"})  # requests unpacks it
    assert zipped.headers["Content-Encoding"] == "gzip" and zipped.json() == plain.json()
    assert int(zipped.headers["Content-Length"]) * 3 < len(plain.content)
    assert zipped.headers["ETag"] not in ("", plain.headers["ETag"]) and "Accept-Encoding" in listed(plain, "Vary")
    assert "Content-Encoding" not in plain.headers
    squeezed = node.get(LONG, headers={"Accept-Encoding": "gzip;q=0.5, zstd"}, stream=True)
    assert squeezed.headers["Content-Encoding"] == "zstd" and squeezed.raw.read(4) == b"\x28\xb5\x2f\xfd"
    head = node.request("HEAD", LONG, headers={"Accept-Encoding": "gzip"})
    assert [head.headers[n] for n in ("Content-Encoding", "Content-Length", "ETag")] == [zipped.headers[n] for n in ("Content-Encoding", "Content-Length", "ETag")]
    for tag, status in ((zipped.headers["ETag"], 304), (plain.headers["ETag"], 200)):
        assert node.get(LONG, headers={"Accept-Encoding": "gzip", "If-None-Match": tag}).status_code == status


@pytest.mark.parametrize("accept", ["", "identity", "br", "gzip;q=0", "*;q=0"])
def test_who_does_not_ask_gets_it_plain(node, accept):
    place(node)
    assert "Content-Encoding" not in node.get("/openapi.json", headers={"Accept-Encoding": accept}).headers


def test_short_answers_and_streams_are_never_compressed(node):
    path = f"/orders/{place(node)}"
    for target in (path, f"{path}/events", "/events"):
        assert "Content-Encoding" not in node.get(target, headers={"Accept-Encoding": "gzip, zstd"}).headers


def test_metrics_are_compressed_too(node):
    assert node.get("/actuator/prometheus", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"


def test_compression_can_be_switched_off_and_begins_at_its_limit(make_node):
    off = make_node({"http.compressBytesMin": 0})
    answer = off.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers and "Accept-Encoding" not in listed(answer, "Vary")
    size = len(answer.content)
    for limit, coded in ((size, True), (size + 1, False)):
        answer = make_node({"http.compressBytesMin": limit}).get("/openapi.json", headers={"Accept-Encoding": "gzip"})
        assert ("Content-Encoding" in answer.headers) == coded, limit
