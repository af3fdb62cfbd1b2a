"""spec/http.md, "Errors": each row of the table, and the body that all of them share."""

import concurrent.futures
import json
import re

import pytest
import requests

from crema import drink_of, order_body, place, set_status, total, wait_until

MEMBERS = {"type", "title", "status", "detail", "instance", "timestamp", "error", "message", "path", "traceId"}
REASONS = {400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 412: "Precondition Failed", 413: "Payload Too Large",
           414: "URI Too Long", 415: "Unsupported Media Type", 422: "Unprocessable", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
           500: "Internal Server Error", 503: "Service Unavailable", 504: "Gateway Timeout"}
LEAKS = re.compile(r"(/work|/usr|/home|/tmp|\.cpp|\.hpp|std::|boost|caf::|0x[0-9a-f]{6}|[Ss]tack ?trace|terminate called)")


def is_problem(answer, status, path=None):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0].strip() == "application/problem+json"
    body = answer.json()
    assert MEMBERS <= body.keys()
    assert body["status"] == status
    assert REASONS[status] in body["error"] or (status == 413 and "Too Large" in body["error"])
    assert re.fullmatch(r"[0-9a-f]{32}", body["traceId"])
    assert body["traceId"] in answer.headers["traceparent"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", body["timestamp"])
    assert body["title"] and body["detail"] and body["message"]
    if path:
        assert body["path"] == path and body["instance"].endswith(path)
    assert not LEAKS.search(answer.text), answer.text
    return body


def post(node, data, content_type="application/json", **headers):
    return node.post("/orders", data=data, headers={"Content-Type": content_type, **headers})


def with_field(**fields):
    return {**order_body(), **fields}


# ---- 400

@pytest.mark.parametrize("data", [
    b"", b"{", b"nonsense", b'{"phoneNumber":"1"', b'{"a":1}}', b"[]", b"1", b'"text"', b"null", b"{'single':1}",
    b'{"phoneNumber":"\xff\xfe","productName":"c","qty":1,"amt":1}', b"\xef\xbb", b"{\"a\":NaN}",
], ids=repr)
def test_a_body_that_is_not_a_json_object_is_400(node, data):
    is_problem(post(node, data), 400, "/orders")


def test_a_body_nested_too_deep_is_400_at_once(node):
    is_problem(post(node, b'{"a":' + b"[" * 33 + b"]" * 33 + b"}"), 400)
    is_problem(post(node, b'{"a":' * 10000), 400)


@pytest.mark.parametrize("field,value", [("qty", "two"), ("qty", {}), ("qty", []), ("qty", True), ("amt", "1,5"), ("amt", 1.5), ("productName", {"a": 1}),
                                         ("phoneNumber", ["1"])])
def test_a_wrong_type_is_400_and_names_the_field(node, field, value):
    body = is_problem(node.post("/orders", json=with_field(**{field: value})), 400)
    assert field in body["detail"]


# ---- 422

@pytest.mark.parametrize("field", ["phoneNumber", "productName", "qty", "amt"])
def test_a_missing_field_is_422_and_is_named(node, field):
    data = order_body()
    del data[field]
    assert field in is_problem(node.post("/orders", json=data), 422)["detail"]
    assert field in is_problem(node.post("/orders", json=with_field(**{field: None})), 422)["detail"]


@pytest.mark.parametrize("field,good,bad", [
    ("phoneNumber", "1" * 32, "1" * 33), ("phoneNumber", "1", ""), ("productName", "c" * 100, "c" * 101), ("productName", "c", ""),
    ("productName", "é" * 100, "é" * 101), ("qty", 1, 0), ("qty", 1000000, 1000001), ("amt", 0, -1), ("amt", 10**12, 10**12 + 1),
])
def test_each_limit_at_its_edge(node, field, good, bad):
    assert node.post("/orders", json=with_field(**{field: good})).status_code == 201
    assert field in is_problem(node.post("/orders", json=with_field(**{field: bad})), 422)["detail"]


@pytest.mark.parametrize("value", [10**30, -(10**30), 2**63])
def test_numbers_that_no_machine_word_holds_are_refused(node, value):
    answer = node.post("/orders", json=with_field(amt=value))
    assert answer.status_code in (400, 422)


def test_an_unknown_field_is_422_and_the_nearest_is_suggested(node):
    data = order_body()
    data["phoneNumbr"] = data.pop("phoneNumber")
    detail = is_problem(node.post("/orders", json=data), 422)["detail"]
    assert "phoneNumbr" in detail and "phoneNumber" in detail
    assert "nothingLikeIt" in is_problem(node.post("/orders", json=with_field(nothingLikeIt=1)), 422)["detail"]


@pytest.mark.parametrize("status", ["Canceled", "orderCanceled", "Made", ""])
def test_an_unknown_status_is_422(node, status):
    order_id = place(node)
    is_problem(set_status(node, f"/orders/{order_id}", status), 422, f"/orders/{order_id}")
    assert node.get(f"/orders/{order_id}").json()["status"] == "Ordered"


def test_a_refused_order_leaves_nothing(make_node):
    fresh = make_node()
    for data in (with_field(qty=0), with_field(amt="x"), {}):
        assert fresh.post("/orders", json=data).status_code in (400, 422)
    assert total(fresh, "orders") == total(fresh, "payments") == total(fresh, "sales") == 0


# ---- 404, 409, 412, 415

def test_no_such_path_and_no_such_resource_are_404(node):
    is_problem(node.get("/nowhere"), 404, "/nowhere")
    is_problem(node.get("/orders/77777777"), 404, "/orders/77777777")
    is_problem(set_status(node, "/orders/77777777", "OrderCanceled"), 404)
    is_problem(set_status(node, "/drinks/77777777", "Receipted"), 404)


def test_a_transition_that_the_state_does_not_allow_is_409(node):
    order_id = place(node)
    drink = drink_of(node, order_id)
    is_problem(set_status(node, f"/drinks/{drink}", "Made"), 409, f"/drinks/{drink}")
    assert set_status(node, f"/drinks/{drink}", "Receipted").status_code == 200
    assert set_status(node, f"/drinks/{drink}", "Receipted").status_code == 200  # twice is once
    assert set_status(node, f"/drinks/{drink}", "Made").status_code == 200
    is_problem(set_status(node, f"/drinks/{drink}", "Receipted"), 409)


def test_a_stale_if_match_is_412(node):
    order_id = place(node)
    is_problem(set_status(node, f"/orders/{order_id}", "OrderCanceled", headers={"If-Match": '"99"'}), 412)
    assert node.get(f"/orders/{order_id}").json()["status"] == "Ordered"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json;charset=latin1"])
def test_a_body_that_is_not_declared_as_json_is_415(node, content_type):
    is_problem(post(node, b'{"phoneNumber":"1"}', content_type), 415, "/orders")


def test_a_body_without_a_content_type_is_415(node):
    answer = node.session.post(node.base + "/orders", data=b"{}", headers={"Content-Type": None}, timeout=20)
    is_problem(answer, 415)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/hal+json", "application/merge-patch+json"])
def test_every_way_to_say_json_is_taken(node, content_type):
    assert post(node, json.dumps(order_body()).encode(), content_type).status_code == 201


# ---- 413, 414, 431: each at its edge

def padded(size):
    body = json.dumps(order_body()).encode()
    return body + b" " * (size - len(body))


def test_a_body_of_64_kib_is_taken_and_one_byte_more_is_413(node):
    assert post(node, padded(65536)).status_code == 201
    is_problem(post(node, padded(65537)), 413, "/orders")


def test_a_chunked_body_over_the_limit_is_413(node):
    answer = requests.post(node.base + "/orders", data=(b" " * 1024 for _ in range(70)), headers={"Content-Type": "application/json"}, timeout=20)
    is_problem(answer, 413)


def test_headers_of_8_kib_are_taken_and_more_is_431(node):
    def get(size):
        with node.connect() as s:
            head = b"GET /orders?size=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Filler: "
            s.sendall(head + b"x" * (size - len(head) - 4) + b"\r\n\r\n")
            return s.makefile("rb").readline().split()[1]

    assert get(8192) == b"200"
    assert get(8192 + 512) == b"431"
    is_problem(node.get("/orders", headers={"X-Filler": "x" * 9000}), 431)


def test_a_target_too_long_is_414(make_node):
    short = make_node({"http.uriBytesMax": 200})
    path = "/orders/search/findByPhoneNumber?phoneNumber="
    assert short.get(path + "1" * (200 - len(path))).status_code in (200, 400)  # 400: the argument itself is too long for the field
    is_problem(short.get(path + "1" * (201 - len(path))), 414)


# ---- 422 for a key, 429

def test_one_key_for_two_bodies_is_422(node, phone):
    key = {"Idempotency-Key": f"two-bodies-{phone}"}
    assert node.post("/orders", json=order_body(phone), headers=key).status_code == 201
    is_problem(node.post("/orders", json=order_body(phone, qty=3), headers=key), 422)


def test_over_the_rate_limit_is_429_with_headers(make_node):
    limited = make_node({"http.rateLimitPerSecond": 20, "http.rateLimitBurst": 20})
    answers = [limited.get("/orders") for _ in range(200)]
    refused = [a for a in answers if a.status_code == 429]
    assert refused and any(a.status_code == 200 for a in answers)
    is_problem(refused[0], 429)
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert any(name.lower().startswith("ratelimit") for name in refused[0].headers)
    assert limited.get("/actuator/health/liveness").status_code in (200, 429)


# ---- 500, 503, 504: a partner

def nothing_remains(node):
    return [total(node, c) for c in ("orders", "payments", "drinks", "sales")] == [0, 0, 0, 0]


@pytest.mark.parametrize("partner", ["payment", "sale"])
def test_a_stopped_partner_is_503_and_nothing_is_kept(make_node, partner):
    fresh = make_node()
    fresh.context(partner).stop()
    answer = fresh.post("/orders", json=order_body())
    assert answer.status_code in (500, 503)
    is_problem(answer, answer.status_code, "/orders")
    assert nothing_remains(fresh)
    fresh.context(partner).start()
    assert fresh.post("/orders", json=order_body()).status_code == 201


def test_a_stopped_context_refuses_its_own_commands_with_503(make_node):
    fresh = make_node()
    order_id = place(fresh)
    drink = drink_of(fresh, order_id)
    fresh.context("drink").stop()
    is_problem(set_status(fresh, f"/drinks/{drink}", "Receipted"), 503)
    fresh.context("drink").start()
    assert set_status(fresh, f"/drinks/{drink}", "Receipted").status_code == 200


def test_a_partner_that_times_out_is_504_and_nothing_remains(make_node):
    slow = make_node({"payment.slow.minMs": 600, "payment.slow.maxMs": 600, "payment.bulkhead.callTimeoutMs": 200})
    is_problem(slow.post("/orders", json=order_body()), 504, "/orders")
    # The late success of the timed-out step is taken back as well.
    wait_until(lambda: nothing_remains(slow), 10, "nothing of the order")
    slow.restart()  # a graceful stop settles what is under way
    wait_until(lambda: nothing_remains(slow), 10, "nothing of the order after a restart")


def test_an_overloaded_partner_is_503_with_retry_after(make_node):
    full = make_node({"payment.slow.minMs": 500, "payment.slow.maxMs": 500, "payment.bulkhead.maxConcurrent": 1, "payment.bulkhead.maxQueued": 0})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: full.post("/orders", json=order_body()), range(8)))
    refused = [a for a in answers if a.status_code != 201]
    assert len(refused) == 7
    for answer in refused:
        is_problem(answer, 503, "/orders")
        assert int(answer.headers["Retry-After"]) >= 1
    assert total(full, "orders") == total(full, "payments") == 1


def test_no_error_shows_another_customers_data(node, phone):
    order_id = place(node, phone)
    drink = drink_of(node, order_id)
    for answer in (set_status(node, f"/drinks/{drink}", "Made"), set_status(node, f"/orders/{order_id}", "Nope"),
                   set_status(node, f"/orders/{order_id}", "OrderCanceled", headers={"If-Match": '"99"'})):
        assert phone not in answer.text
