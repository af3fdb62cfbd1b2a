"""spec/http.md: X-Forwarded-* from a trusted proxy and from nobody else; traceparent."""

import re

import pytest

from crema import Node, all_events, order_body, wait_until

TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]$")
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "coffee.example", "X-Forwarded-Port": "8443", "X-Forwarded-Prefix": "/shop"}


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("proxied"), {"http.trustedProxies": "127.0.0.1"}).start()
    yield node
    node.stop()


@pytest.mark.parametrize("headers,base", [
    (FORWARDED, "https://coffee.example:8443/shop"),
    ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "coffee.example"}, "https://coffee.example"),
    ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "coffee.example", "X-Forwarded-Port": "443"}, "https://coffee.example"),
    ({"X-Forwarded-Host": "coffee.example:99"}, "http://coffee.example:99"),
    ({"X-Forwarded-Host": "first.example, second.example"}, "http://first.example"),
    ({"X-Forwarded-Proto": "HTTPS", "X-Forwarded-Host": "coffee.example"}, "https://coffee.example"),
    ({"Forwarded": "for=192.0.2.1;proto=https;host=coffee.example"}, "https://coffee.example"),
    ({"Forwarded": 'for="[2001:db8::1]:4711";Host="coffee.example:99"', "X-Forwarded-Prefix": "/shop"}, "http://coffee.example:99/shop"),
    ({"Forwarded": "for=1.1.1.1;host=made.up, for=192.0.2.1;host=coffee.example"}, "http://coffee.example"),
    ({"Forwarded": "host=made.up", "X-Forwarded-Host": "coffee.example"}, "http://coffee.example"),
])
def test_links_are_the_proxys_where_it_is_trusted(behind_proxy, headers, base):
    created = behind_proxy.post("/orders", json=order_body(), headers=headers)
    assert created.headers["Location"].startswith(f"{base}/orders/")
    assert created.json()["_links"]["self"]["href"] == created.headers["Location"]
    links = behind_proxy.get("/orders", headers=headers).json()["_links"]
    assert links["self"]["href"] == base + "/orders{?page,size,sort}"
    assert behind_proxy.get("/", headers=headers).json()["_links"]["orders"]["href"] == base + "/orders{?page,size,sort}"


def test_problems_and_the_document_carry_the_prefix(behind_proxy):
    headers = {"X-Forwarded-Prefix": "/shop"}
    body = behind_proxy.get("/orders/99999999", headers=headers).json()
    assert body["instance"] == body["path"] == "/shop/orders/99999999" and body["type"] == "/shop/problems/not-found"
    assert behind_proxy.get("/openapi.json", headers=headers).json()["servers"][0]["url"] == "/shop"
    assert behind_proxy.get("/openapi.json").json()["servers"][0]["url"] == "/"


def test_a_forwarded_header_is_not_believed_from_anybody(node):
    created = node.post("/orders", json=order_body(), headers={"Forwarded": "for=192.0.2.1;host=coffee.example;proto=https"})
    assert created.headers["Location"].startswith(f"{node.base}/orders/")
    assert node.get("/actuator/contexts", headers={"Forwarded": "for=192.0.2.1"}).status_code == 403  # a proxy on this machine speaks for others


def test_nobody_else_is_believed(node):
    created = node.post("/orders", json=order_body(), headers=FORWARDED)
    assert created.headers["Location"].startswith(f"{node.base}/orders/")
    assert "coffee.example" not in node.get("/orders", headers=FORWARDED).text


@pytest.mark.parametrize("headers", [
    {"X-Forwarded-Host": 'evil"><script>'}, {"X-Forwarded-Proto": "javascript"}, {"X-Forwarded-Port": "99999"}, {"X-Forwarded-Prefix": "//evil.example"},
    {"X-Forwarded-Host": "a b"},
])
def test_forwarded_nonsense_never_reaches_a_link(behind_proxy, headers):
    answer = behind_proxy.get("/orders", headers=headers)
    assert answer.status_code in (200, 400)
    for part in ("evil", "script", "javascript", "99999", "a b"):
        assert f"{part}" not in str(answer.json().get("_links", {}).get("self", ""))


# ---- tracing

def test_every_answer_has_a_traceparent(node):
    for path in ("/", "/orders", "/orders/99999999", "/nowhere", "/actuator/health", "/openapi.json"):
        assert TRACEPARENT.match(node.get(path).headers["traceparent"]), path
    assert node.get("/orders").headers["traceparent"] != node.get("/orders").headers["traceparent"]


def test_a_traceparent_that_was_sent_is_taken_up(node):
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    sent = f"00-{trace_id}-00f067aa0ba902b7-01"
    for answer in (node.post("/orders", json=order_body(), headers={"traceparent": sent}), node.get("/orders/99999999", headers={"traceparent": sent})):
        assert TRACEPARENT.match(answer.headers["traceparent"])[1] == trace_id
    assert answer.json()["traceId"] == trace_id


@pytest.mark.parametrize("sent", ["nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                  "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01"])
def test_an_invalid_traceparent_begins_a_new_trace(node, sent):
    answer = node.get("/orders", headers={"traceparent": sent})
    assert answer.status_code == 200
    assert TRACEPARENT.match(answer.headers["traceparent"])
    assert answer.headers["traceparent"].split("-")[1] not in sent.lower()


def test_the_whole_chain_of_an_order_carries_its_trace(node):
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    answer = node.post("/orders", json=order_body(), headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"})
    assert answer.status_code == 201

    def types():
        return {e["eventType"] for e in all_events(node) if e["traceId"] == trace_id}

    wait_until(lambda: {"SaleCounted", "PaymentApproved", "Ordered", "DrinkOrdered"} <= types(), what="the events of the chain")
    spans = wait_until(lambda: node.get(f"/actuator/traces/{trace_id}").status_code == 200 and node.get(f"/actuator/traces/{trace_id}").json(), what="spans")
    assert all(span["traceId"] == trace_id for span in spans["spans"])
