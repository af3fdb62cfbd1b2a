"""spec/http.md, "Operations": health through start and graceful stop, the actuator, contexts, the zombie drill."""

import re
import threading

import pytest
import requests

from crema import free_port, drink_of, order_body, place, total, wait_until


def test_health_shapes(node):
    body = node.get("/actuator/health").json()
    assert body["status"] == "UP" and body["groups"] == ["liveness", "readiness"] and isinstance(body["components"], dict) and body["components"]
    for group in ("liveness", "readiness"):
        answer = node.get(f"/actuator/health/{group}")
        assert answer.status_code == 200 and answer.json()["status"] == "UP"


def test_nothing_is_served_before_readiness(make_node):
    """From launch on, whoever is answered at all sees DOWN or UP, and UP once only."""
    node = make_node()
    for _ in range(200):
        place(node)
    node.kill9()
    node.launch()
    states = []

    def ready():
        try:
            answer = requests.get(node.base + "/actuator/health/readiness", timeout=2)
        except requests.RequestException:
            return False
        states.append((answer.status_code, answer.json()["status"]))
        return answer.status_code == 200

    wait_until(ready, 30, "readiness", pause_s=0.001)
    assert set(states[:-1]) <= {(503, "DOWN")} and states[-1] == (200, "UP")
    assert total(node, "orders") == 200


def test_a_graceful_stop_finishes_what_is_in_flight(make_node):
    node = make_node({"payment.slow.minMs": 700, "payment.slow.maxMs": 700, "http.drainIdleMs": 5000})
    watcher = requests.Session()
    assert watcher.get(node.base + "/actuator/health/readiness", timeout=20).status_code == 200
    answers = []
    poster = threading.Thread(target=lambda: answers.append(node.post("/orders", json=order_body())))
    poster.start()
    wait_until(lambda: re.search(r'"inFlight":\s*[1-9]', node.get("/actuator/circuitbreakers").text), what="the order is in flight")
    node.terminate()

    def down():
        # On a connection that was open before: the listener is closed from the first moment.
        try:
            answer = watcher.get(node.base + "/actuator/health/readiness", timeout=5)
        except requests.ConnectionError:
            return True
        assert answer.status_code == 503 or answer.headers.get("Connection", "").lower() != "close", "UP while draining"
        return answer.status_code == 503

    wait_until(down, 5, "readiness DOWN", pause_s=0.005)
    poster.join(20)
    assert [a.status_code for a in answers] == [201]
    assert answers[0].headers.get("Connection", "").lower() == "close"
    for idle in (watcher, node.session):  # else the node gives them http.drainIdleMs
        idle.close()
    assert node.wait_for_exit() == 0
    node.settings.clear()
    node.start()
    assert total(node, "orders") == 1


def test_idle_connections_do_not_hold_up_a_stop(make_node):
    node = make_node({"http.drainIdleMs": 300})
    idle = [node.connect() for _ in range(20)]
    node.stop()
    for connection in idle:
        connection.close()


def test_a_second_sigterm_is_no_harm(make_node):
    node = make_node()
    node.terminate()
    node.terminate()
    assert node.wait_for_exit() == 0


def test_info(node):
    body = node.get("/actuator/info").json()
    assert body["system"] == "cafeteria" and re.fullmatch(r"\d+\.\d+\.\d+.*", body["version"])


def test_prometheus_counts_requests_by_route_and_status(node):
    def metrics():
        answer = node.get("/actuator/prometheus")
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
        return answer.text

    def count(route, status):
        lines = [x for x in metrics().splitlines() if not x.startswith("#") and f'"{route}"' in x and f'"{status}"' in x and "_bucket" not in x]
        return sum(float(x.rsplit(" ", 1)[1]) for x in lines if re.search(r"(_total|_count)\{", x))

    before = count("/orders", 201)
    place(node)
    assert count("/orders", 201) >= before + 1
    assert node.get("/orders/99999999").status_code == 404
    assert count("/orders/{id}", 404) >= 1
    assert "/orders/99999999" not in metrics()  # one series a route, not a resource
    for part in ("_bucket{", "mailbox", "batch", "commit", "awake", "restart", "dead_letter", "outbox"):
        assert part in metrics(), part
    for line in metrics().splitlines():
        assert line.startswith("#") or re.match(r'^[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? [-+0-9.eE]+(Inf|NaN)?$', line), line


def test_circuit_breakers_are_listed(node):
    answer = node.get("/actuator/circuitbreakers")
    assert answer.status_code == 200 and "payment" in answer.text and "closed" in answer.text.lower()


def test_supervisors_are_listed(node):
    answer = node.get("/actuator/supervisors")
    assert answer.status_code == 200
    for context in ("order", "payment", "drink", "sale", "customercenter"):
        assert context in answer.text
    tree = answer.json()
    assert tree["name"] == "root" and tree["strategy"] == "one_for_one" and tree["restartsInPeriod"] == 0
    payment = next(c for c in tree["children"] if c["name"] == "payment")
    assert payment["strategy"] == "one_for_one" and payment["lifetime"] == "permanent"
    assert {"awake", "mailbox", "intensity", "periodMs", "restartsInPeriod"} <= payment.keys()
    partitions = [c for c in payment["children"] if c["name"].startswith("partition-")]
    assert len(partitions) == 16 and sum(c["awake"] for c in partitions) <= payment["awake"]


def test_traces(node):
    trace_id = node.post("/orders", json=order_body()).headers["traceparent"].split("-")[1]
    wait_until(lambda: trace_id in node.get("/actuator/traces").text, what="the trace in the ring")
    assert node.get(f"/actuator/traces/{trace_id}").status_code == 200
    assert node.get(f"/actuator/traces/{'0' * 32}").status_code == 404


def test_contexts_can_be_stopped_and_started(make_node):
    node = make_node()
    names = [c["name"] for c in node.get("/actuator/contexts").json()]
    assert names[:5] == ["order", "payment", "drink", "sale", "customercenter"]
    assert {c["state"] for c in node.get("/actuator/contexts").json()} == {"running"}
    drink = node.context("drink")
    drink.stop()
    assert node.post("/actuator/contexts/drink/stop", json={}).status_code in (200, 409)
    order_id = place(node)
    assert node.get("/drinks/search/findByOrderId", params={"orderId": order_id}).json()["_embedded"]["drinks"] == []
    drink.start()
    drink_of(node, order_id)
    assert node.post("/actuator/contexts/nothing/stop", json={}).status_code == 404
    assert node.get("/actuator/contexts/drink/stop").status_code == 405


def test_a_stopped_context_is_still_stopped_for_the_customers_reads(make_node):
    """Stopping a context stops its work; what is on disk can be read."""
    node = make_node()
    order_id = place(node)
    node.context("order").stop()
    assert node.get(f"/orders/{order_id}").status_code == 200
    assert node.post("/orders", json=order_body()).status_code == 503
    node.context("order").start()
    place(node)


def test_dead_letters_are_listed(node):
    answer = node.get("/actuator/deadletters")
    assert answer.status_code == 200 and answer.json() == []
    assert node.request("DELETE", "/actuator/deadletters/1").status_code == 404


def test_management_asks_for_its_token_where_one_is_set(make_node):
    node = make_node({"http.managementToken": "a-secret-of-the-house"})
    assert node.get("/actuator/health").status_code == 200
    refused = node.post("/actuator/contexts/drink/stop", json={})
    assert refused.status_code == 401 and "Bearer" in refused.headers["WWW-Authenticate"]
    assert node.post("/actuator/contexts/drink/stop", json={}, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert node.post("/actuator/contexts/drink/stop", json={}, headers={"Authorization": "Bearer a-secret-of-the-house"}).status_code == 200
    assert "a-secret-of-the-house" not in node.output.read_text()


@pytest.mark.parametrize("headers, status", [
    ({"X-Forwarded-For": "10.0.0.1"}, 403),  # a proxy on this machine is no reason to let its clients in
    ({"Host": "rebound.example"}, 403),
    ({"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}, 403),
    ({"Content-Type": "text/plain"}, 415),  # as a page may send it without asking first
])
def test_management_without_a_token_is_for_programs_of_this_machine_only(node, headers, status):
    refused = node.post("/actuator/contexts/drink/stop", headers={**node.as_manager, **headers})
    assert refused.status_code == status, refused.text
    assert node.context("drink").state() == "running"


def test_a_backup_is_a_node_of_its_own(make_node, tmp_path):
    node = make_node()
    order_id = place(node)
    target = tmp_path / "copy" / "data"
    target.parent.mkdir()
    assert node.post("/actuator/backup", json={"directory": str(target)}).status_code == 200
    place(node)
    copy = make_node(name="copy")
    assert total(copy, "orders") == 1
    assert copy.get(f"/orders/{order_id}").json()["phoneNumber"] == node.get(f"/orders/{order_id}").json()["phoneNumber"]


def test_the_zombie_drill_exists_only_where_faults_are_enabled(node, make_node):
    assert node.get("/isHealthy").status_code == node.get("/makeZombie").status_code == 404
    drill = make_node({"faults.enabled": "true", "http.managementToken": "t"})
    assert drill.get("/isHealthy").status_code == 200
    assert drill.get("/makeZombie").status_code == 401
    assert drill.get("/makeZombie", headers=drill.as_manager).status_code == 200
    assert drill.get("/isHealthy").status_code == 500
    assert drill.get("/actuator/health/liveness").status_code == 503


def test_a_misspelt_setting_stops_the_start_with_one_line(make_node):
    node = make_node({"payment.bulkhead.callTimeoutM": 1}, started=False)
    node.launch()
    assert node.wait_for_exit(10) != 0
    said = [line for line in node.tail().splitlines() if line]
    assert len(said) == 1 and "callTimeoutM" in said[0] and "payment.bulkhead.callTimeoutMs" in said[0]


def test_an_out_of_range_setting_stops_the_start_with_one_line(make_node):
    node = make_node({"payment.bulkhead.callTimeoutMs": 60001}, started=False)
    node.launch()
    assert node.wait_for_exit(10) != 0
    said = [line for line in node.tail().splitlines() if line]
    assert len(said) == 1 and "payment.bulkhead.callTimeoutMs" in said[0] and "60000" in said[0]


def test_a_second_node_on_the_same_data_is_refused(make_node):
    first = make_node(name="shared")
    second = make_node(name="shared", started=False)
    second.port = free_port()
    second.launch()
    assert second.wait_for_exit(15) != 0
    place(first)


def test_a_taken_port_is_one_clear_line(make_node):
    first = make_node()
    second = make_node(started=False)
    second.port = first.port
    second.launch()
    assert second.wait_for_exit(15) != 0
    assert str(first.port) in second.tail()
