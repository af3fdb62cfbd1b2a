"""What a caller was told stands, and what did not happen is not told: dead letters that are sent again, refusals before their ground is
on disk, undos that fail. Each with the real binary and its injected faults."""

import concurrent.futures
import time

import requests

from crema import all_events, nothing_under_way, order_body, run, total, wait_until

TOKEN = {"Authorization": "Bearer drill", "Content-Type": "application/json"}
SETTINGS = {"faults.enabled": "true", "http.managementToken": "drill"}


def add(node, **fields):
    answer = node.post("/actuator/faults", json=fields, headers=TOKEN)
    assert answer.status_code == 201, answer.text
    return f"/actuator/faults/{answer.json()['id']}"


def letters(node):
    return node.get("/actuator/deadletters", headers=TOKEN).json()


def test_a_dead_ask_is_not_sent_again(make_node):
    node = make_node(SETTINGS)
    add(node, target="payment", kind="throw", count=5)
    key = {"Idempotency-Key": "one order"}
    body = order_body(phone="01012345678", amt=1000)
    assert node.post("/orders", json=body, headers=key).status_code == 500
    assert node.post("/orders", json=body, headers=key).status_code == 201
    nothing_under_way(node)
    before = [(e["eventType"], e["id"]) for e in all_events(node)]
    ask = next(letter for letter in letters(node) if letter["kind"] == "ask")
    assert ask["state"] == "given up" and ask["message"] == "approve_payment"
    refused = node.post(f"/actuator/deadletters/{ask['id']}/replay", headers=TOKEN)
    assert refused.status_code == 409 and "it is an ask" in refused.json()["detail"]
    told = run("deadletters", "replay", ask["id"], "--url", node.base, "--token", "drill")
    assert told.returncode == 1 and "it is an ask" in told.stderr
    assert "given up" in run("deadletters", "list", "--url", node.base, "--token", "drill").stdout
    assert [(e["eventType"], e["id"]) for e in all_events(node)] == before
    assert (total(node, "orders"), total(node, "payments"), total(node, "drinks")) == (1, 1, 1)


def test_a_dead_request_is_sent_again_under_its_key_only(make_node):
    node = make_node(SETTINGS)
    add(node, target="order", kind="throw", count=10)
    body = order_body()
    for headers in ({"Idempotency-Key": "mine"}, {}):
        assert node.post("/orders", json=body, headers=headers).status_code == 500
    by_state = {letter["state"]: letter["id"] for letter in letters(node)}
    refused = node.post(f"/actuator/deadletters/{by_state['given up']}/replay", headers=TOKEN)
    assert refused.status_code == 409 and "Idempotency-Key" in refused.json()["detail"]
    replayed = node.post(f"/actuator/deadletters/{by_state['replayable']}/replay", headers=TOKEN)
    assert replayed.status_code == 200, replayed.text
    again = node.post("/orders", json=body, headers={"Idempotency-Key": "mine"})
    assert again.status_code == 201
    assert total(node, "orders") == 1 and [letter["state"] for letter in letters(node)] == ["given up"]


def test_a_refusal_waits_for_what_it_rests_on(make_node):
    node = make_node(SETTINGS, system="breakfast")
    assert node.post("/customers", json={"name": "Kim"}).status_code == 201
    assert node.post("/foodCatalogs", json={"name": "egg", "stock": 1, "price": 1000}).status_code == 201
    add(node, target="journal", kind="slow", delayMinMs=3000, delayMaxMs=3000)
    one = {"qty": 1, "foodcaltalogid": 1, "customerid": 1}
    told = []

    def ask():
        try:
            answer = requests.post(node.base + "/orders", json=one, timeout=10)
            told.append(answer.status_code)
        except requests.RequestException:
            pass

    with concurrent.futures.ThreadPoolExecutor() as pool:
        both = [pool.submit(ask) for _ in range(2)]
        wait_until(lambda: "crema_requests_in_flight 2" in node.get("/actuator/prometheus").text, what="two orders under way")
        time.sleep(0.3)  # a hundred times what the refusal took when it did not wait
        assert told == []
        node.kill9()
        concurrent.futures.wait(both)
    assert told == []
    node.start()
    assert node.get("/foodCatalogs/1").json()["stock"] == 1


def test_an_undo_that_fails_is_shown_and_holds_readiness(make_node):
    """An order ends while its payment is on its way, and the payment's handler throws when it is to be taken back."""
    node = make_node({**SETTINGS, "runtime.undoRetryMaxMs": "500", "payment.bulkhead.callTimeoutMs": "8000", "runtime.askTimeLimitMs": "8000",
                      "runtime.requestTimeLimitMs": "9000"})
    slow = add(node, target="payment", kind="slow", delayMinMs=2000, delayMaxMs=2000, count=1)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        order = pool.submit(requests.post, node.base + "/orders", json=order_body(), timeout=20)
        wait_until(lambda: node.get(slow, headers=TOKEN).json()["fired"] == 1, what="a payment on its way")
        throws = add(node, target="payment", kind="throw")
        assert node.post("/actuator/contexts/order/stop", headers=TOKEN).status_code == 200
    assert order.result().status_code == 500 and "is being undone" in order.result().json()["detail"]

    def undos():
        contexts = node.get("/actuator/supervisors").json()["children"]
        return next(c.get("undos", []) for c in contexts if c["name"] == "payment")

    wait_until(lambda: undos() and undos()[0]["tries"] >= 7, what="an undo tried often")
    shown = undos()[0]
    assert shown["aggregate"] == "payment/1" and shown["undo"] == "void_payment" and "threw" in shown["lastError"]
    assert not node.is_ready()
    health = node.get("/actuator/health")
    assert health.status_code == 503 and health.json()["components"]["undos"] == {"status": "DOWN", "failing": 1}
    assert "! undo of payment/1 (void_payment) failed" in run("supervisors", "--url", node.base).stdout
    assert "its undo (void_payment) failed" in node.get("/payments/1/trace").text
    assert "crema_undos_failing 1" in node.get("/actuator/prometheus").text
    assert letters(node) == []
    assert node.delete(throws, headers=TOKEN).status_code == 204
    wait_until(node.is_ready, what="readiness")
    wait_until(lambda: total(node, "payments") == 0, what="the payment taken back")
    assert undos() == []
