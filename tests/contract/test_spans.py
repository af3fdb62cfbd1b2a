"""Spans over HTTP: traceparent in and out, the request's own span, what is kept, and the export to a collector."""

import http.server
import json
import threading

import pytest

from crema import nothing_under_way, order_body, place, set_status, wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


def spans_of(node, trace_id):
    answer = node.get(f"/actuator/traces/{trace_id}")
    return answer.json()["spans"] if answer.status_code == 200 else []


def settled_spans(node, trace_id, kinds):
    def read():
        spans = spans_of(node, trace_id)
        return spans if kinds <= {s["kind"] for s in spans} else None

    return wait_until(read, what=f"spans of {kinds}")


def one(spans, kind, name):
    found = [s for s in spans if (s["kind"], s["name"]) == (kind, name)]
    assert len(found) == 1, (kind, name, found)
    return found[0]


def test_an_order_from_the_callers_span_down_to_the_notification(node, phone):
    place(node, phone, headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
    nothing_under_way(node)
    spans = settled_spans(node, TRACE, {"request", "wait", "handle", "ask", "commit", "view", "notify"})
    request, order, payment = (one(spans, *which) for which in
                               (("request", "POST /orders"), ("handle", "place_order"), ("handle", "approve_payment")))
    asked, counted = one(spans, "ask", "approve_payment"), one(spans, "ask", "count_sale")
    links = [(asked, order), (payment, asked), (counted, payment), (one(spans, "handle", "count_sale"), counted),
             (one(spans, "handle", "make_drink"), payment), (one(spans, "commit", "place_order"), order), (order, request),
             (one(spans, "wait", "place_order"), request), (one(spans, "notify", "notification"), order)]
    assert request["parentSpanId"] == CALLER and request["note"] == "status=201"
    for child, parent in links:
        assert child["parentSpanId"] == parent["spanId"], (child, parent)
        assert child["startUs"] >= parent["startUs"], (child, parent)
    for inner, outer in ((asked, order), (payment, asked), (one(spans, "commit", "place_order"), request)):
        assert inner["startUs"] + inner["durationUs"] <= outer["startUs"] + outer["durationUs"]
    assert len({s["spanId"] for s in spans}) == len(spans)


def test_a_cancel_is_a_trace_of_its_own(node, phone):
    order_id = place(node, phone)
    nothing_under_way(node)
    answer = set_status(node, f"/orders/{order_id}", "OrderCanceled")
    trace_id, root = answer.headers["traceparent"].split("-")[1:3]
    nothing_under_way(node)
    spans = settled_spans(node, trace_id, {"request", "notify"})
    request = one(spans, "request", "PATCH /orders/{id}")
    assert request["spanId"] == root and "parentSpanId" not in request
    parents = {("cancel_drink", "cancel_order"), ("cancel_payment", "cancel_drink"), ("uncount_sale", "cancel_payment")}
    for message, sender in parents:
        assert one(spans, "handle", message)["parentSpanId"] == one(spans, "handle", sender)["spanId"]


def test_the_actuator_leaves_no_span(node):
    answer = node.get("/actuator/health")
    assert spans_of(node, answer.headers["traceparent"].split("-")[1]) == []


def test_whoever_says_not_sampled_is_believed_unless_it_fails(make_node):
    node = make_node({"trace.slowMs": 0})
    quiet = {"traceparent": f"00-{TRACE}-{CALLER}-00"}
    answer = node.post("/orders", json=order_body(), headers=quiet)
    assert answer.headers["traceparent"].endswith("-00")
    node.context("payment").stop()
    assert node.post("/orders", json=order_body(), headers=quiet).status_code == 503
    spans = settled_spans(node, TRACE, {"request"})
    assert one(spans, "request", "POST /orders")["failed"] and one(spans, "ask", "approve_payment")["failed"]
    assert all(s["failed"] for s in spans)


def test_sampling_is_a_share_of_the_requests(make_node):
    node = make_node({"trace.samplePercent": 0, "trace.slowMs": 0})
    answer = node.post("/orders", json=order_body())
    assert answer.headers["traceparent"].endswith("-00")
    nothing_under_way(node)
    assert node.get("/actuator/traces").json()["spans"] == []


# ---- export

class Collector:
    """Keeps what is posted to it; answers with the next status, the last one for ever."""

    def __init__(self, statuses):
        self.statuses, self.posts, self.lock = list(statuses), [], threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer.lock:
                    status = outer.statuses[0] if len(outer.statuses) == 1 else outer.statuses.pop(0)
                    outer.posts.append((self.path, self.headers["Content-Type"], status, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self):
        with self.lock:
            return [s for _, _, status, body in self.posts if status == 200
                    for r in body["resourceSpans"] for s in r["scopeSpans"][0]["spans"]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def make_collector():
    made = []

    def make(statuses):
        made.append(Collector(statuses))
        return made[-1]

    yield make
    for c in made:
        c.close()


def test_spans_reach_the_collector_also_one_that_is_busy_first(make_node, make_collector):
    collector = make_collector([503, 200])
    node = make_node({"trace.otlp.url": collector.url, "trace.otlp.intervalMs": 20, "trace.otlp.retryMinMs": 5})
    answer = node.post("/orders", json=order_body())
    trace_id = answer.headers["traceparent"].split("-")[1]

    def complete():
        names = {s["name"] for s in collector.spans() if s["traceId"] == trace_id}
        return {"POST /orders", "handle place_order", "ask approve_payment", "handle make_drink", "notify notification"} <= names

    wait_until(complete, what="the whole trace at the collector")
    path, media, _, body = collector.posts[0]
    assert path == "/v1/traces" and media == "application/json"
    attributes = {a["key"]: a["value"]["stringValue"] for a in body["resourceSpans"][0]["resource"]["attributes"]}
    assert attributes["service.name"] == "crema" and attributes["crema.system"] == "cafeteria"
    ids = [s["spanId"] for s in collector.spans()]
    assert len(ids) == len(set(ids))
    assert "crema_spans_exported_total" in node.get("/actuator/prometheus").text


def test_what_is_left_reaches_the_collector_at_the_end(make_node, make_collector):
    collector = make_collector([200])
    node = make_node({"trace.otlp.url": collector.url, "trace.otlp.intervalMs": 3600000})
    place(node)
    nothing_under_way(node)
    node.stop()
    assert "handle place_order" in {s["name"] for s in collector.spans()}


def test_a_collector_that_is_not_there_holds_up_no_order(make_node):
    node = make_node({"trace.otlp.url": "http://127.0.0.1:9/v1/traces", "trace.otlp.intervalMs": 10, "trace.otlp.retryMinMs": 1})
    for _ in range(50):
        place(node)
    failed = "crema_span_posts_failed_total "
    wait_until(lambda: any(line.startswith(failed) and float(line.split()[1]) > 0 for line in node.get("/actuator/prometheus").text.splitlines()),
               what="POSTs that failed")
    node.stop()


def test_a_request_is_told_of_by_opentelemetrys_conventions(make_node, make_collector):
    collector = make_collector([200])
    base = collector.url.removesuffix("/v1/traces")
    node = make_node({"trace.otlp.intervalMs": 50},
                     environment={"OTEL_EXPORTER_OTLP_ENDPOINT": base, "OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "team=blue"})
    sent = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "vendor=1", "User-Agent": "tester/1"}
    place(node, headers=sent)
    assert node.get("/nowhere?a=1&token=secret", headers=sent).status_code == 404

    def requests():
        found = {s["name"]: s for s in collector.spans() if s["kind"] == 2}
        return found if {"POST /orders", "GET"} <= set(found) else None

    spans = wait_until(requests, what="two requests' spans")
    attributes = {name: {a["key"]: next(iter(a["value"].values())) for a in s["attributes"]} for name, s in spans.items()}
    assert attributes["POST /orders"].items() >= {
        "http.request.method": "POST", "http.route": "/orders", "http.response.status_code": "201", "url.path": "/orders",
        "url.scheme": "http", "server.address": "127.0.0.1", "server.port": str(node.port), "client.address": "127.0.0.1",
        "network.protocol.version": "1.1", "user_agent.original": "tester/1"}.items()
    assert attributes["GET"].items() >= {"url.path": "/nowhere", "url.query": "a=1&token=REDACTED"}.items()
    assert "http.route" not in attributes["GET"]
    assert all(s["traceState"] == "vendor=1" for s in spans.values())
    resource = collector.posts[0][3]["resourceSpans"][0]["resource"]["attributes"]
    named = {a["key"]: a["value"]["stringValue"] for a in resource}
    assert named["service.name"] == "shop" and named["team"] == "blue" and named["crema.system"] == "cafeteria"
