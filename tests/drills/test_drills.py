"""spec/cafeteria.md, the drill table: what its authors ran, with their tools (HTTPie, siege), and what must be seen here.

The load drills run in a short form; CREMA_DRILL_SECONDS=60 gives them the length of the originals.
"""

import http.client
import json
import os
import re
import statistics
import threading
import time

import pytest
import requests

from crema import REPOSITORY, by_order, embedded, id_of, mypages, order_body, place, set_status, total, wait_until
from httpie import httpie
from restarts import InheritedNode, restart_under
from siege import Siege
from wrk import wrk

SECONDS = int(os.environ.get("CREMA_DRILL_SECONDS", "10"))


def order_tea(node, phone):
    return httpie(node, "http://HOST/orders", f"phoneNumber={phone}", "productName=tea", "qty=1", "amt=5000")


def chains_are_whole(node):
    """Every order has its payment, its drink and its rows, and nothing else does."""
    wait_until(lambda: len({total(node, c) for c in ("orders", "payments", "drinks", "orderinfos", "mypages")}) == 1, 60, "one of each for every order")


# ---- sale stopped

def test_sale_stopped(make_node, phone):
    node = make_node()
    node.context("sale").stop()
    status, headers, body = order_tea(node, phone)
    assert status in (500, 503)
    assert headers["content-type"].startswith("application/problem+json") and body["path"] == "/orders" and body["status"] == status
    for collection in ("orders", "payments", "drinks", "sales", "salePages"):
        assert total(node, collection) == 0, collection
    assert mypages(node, phone) == []
    node.context("sale").start()
    status, headers, body = order_tea(node, phone)
    assert status == 201 and body["status"] == "Ordered" and headers["location"].startswith(node.base + "/orders/")
    chains_are_whole(node)


# ---- drink stopped

def test_drink_stopped(make_node, phone):
    node = make_node()
    node.context("drink").stop()
    orders = [place(node, phone) for _ in range(18)]
    for _ in range(2):
        status, _, body = order_tea(node, phone)
        assert status == 201
        orders.append(id_of(body["_links"]["self"]["href"]))
    assert total(node, "drinks") == 0
    node.context("drink").start()
    for order_id in orders:
        drinks = wait_until(lambda: by_order(node, "drinks", order_id), what=f"the drink of order {order_id}")
        assert [(d["orderId"], d["status"]) for d in drinks] == [(order_id, "PaymentApproved")]
    status, headers, body = httpie(node, f"http://HOST/drinks/search/findByOrderId?orderId={orders[-1]}")
    assert status == 200 and headers["content-type"].startswith("application/hal+json")
    assert [(d["orderId"], d["status"]) for d in body["_embedded"]["drinks"]] == [(orders[-1], "PaymentApproved")]
    assert total(node, "drinks") == len(orders)


def test_drink_stopped_through_a_crash(make_node, phone):
    """What waits for a stopped context waits on disk."""
    node = make_node()
    node.context("drink").stop()
    orders = [place(node, phone) for _ in range(50)]
    set_status(node, f"/orders/{orders[0]}", "OrderCanceled")
    node.kill9()
    node.start()
    if node.context("drink").state() != "running":
        node.context("drink").start()
    chains_are_whole(node)
    assert total(node, "drinks") == 50
    wait_until(lambda: node.get(f"/payments/{orders[0]}").json()["status"] == "PaymentCanceled", what="the canceled order is settled")


# ---- the saga of the original's README, with HTTPie

def test_cancel_after_the_barista_has_begun(make_node, phone):
    node = make_node()
    order_id = place(node, phone)
    wait_until(lambda: by_order(node, "drinks", order_id), what="the drink")
    status, headers, body = httpie(node, "PATCH", f"http://HOST/drinks/{order_id}", "status=Receipted")
    assert status == 200 and body["status"] == "Receipted" and headers["content-type"].startswith("application/json")
    status, _, body = httpie(node, "PATCH", f"http://HOST/orders/{order_id}", "status=OrderCanceled")
    assert status == 200 and body["status"] == "OrderCanceled"
    wait_until(lambda: httpie(node, f"http://HOST/orders/{order_id}")[2]["status"] == "Ordered", what="the order is Ordered again")
    assert httpie(node, f"http://HOST/payments/{order_id}")[2]["status"] == "PaymentApproved"
    assert httpie(node, f"http://HOST/drinks/{order_id}")[2]["status"] == "Receipted"
    said = "Your Order is already started. You cannot cancel!!"
    logs = lambda: node.tail(10**6) + "".join(p.read_text(errors="replace") for p in node.data.glob("logs/*"))  # noqa: E731
    wait_until(lambda: said in logs() and f"To. {phone}" in logs(), what="the customer is told")


# ---- customercenter stopped and started

def test_customercenter_stopped_and_started(make_node, phone):
    node = make_node()
    first = place(node, phone)
    wait_until(lambda: mypages(node, phone), what="mypages")
    node.context("customercenter").stop()
    orders = [first] + [place(node, phone) for _ in range(20)]
    wait_until(lambda: total(node, "drinks") == 21, what="drinks")
    set_status(node, f"/drinks/{orders[3]}", "Receipted")
    set_status(node, f"/orders/{orders[4]}", "OrderCanceled")
    assert len(mypages(node, phone)) == 1
    node.context("customercenter").start()
    expected = ["Ordered"] * 21
    expected[3], expected[4] = "Receipted", "OrderCanceled"
    wait_until(lambda: [(r["orderId"], r["status"]) for r in mypages(node, phone)] == list(zip(orders, expected)), what="views complete")
    ledger = wait_until(lambda: (lambda rows: rows if len(rows) == 22 else None)(
        embedded(node.get(f"/salePages/search/findByPhoneNumber?phoneNumber={phone}"), "salePages")), what="the ledger complete")
    assert ledger[-1]["sumAmt"] == 20 * 1000


# ---- payment slowed, with a breaker

class Probe(threading.Thread):
    """One customer after the other, alone on its connection: what each waited, by status."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.over, self.waited, self.without_retry_after = node, threading.Event(), {}, 0

    def run(self):
        session = requests.Session()
        while not self.over.is_set():
            begun = time.perf_counter()
            answer = session.post(self.node.base + "/orders", json=order_body(), timeout=30)
            self.waited.setdefault(answer.status_code, []).append(time.perf_counter() - begun)
            self.without_retry_after += answer.status_code == 503 and "Retry-After" not in answer.headers


def mean_of_all_orders(node):
    """From the node's own histogram: seconds a request to /orders took, whatever its answer. To be read before any GET of it."""
    figures = {}
    for line in node.get("/actuator/prometheus").text.splitlines():
        found = re.match(r'crema_http_request_seconds_(sum|count)\{route="/orders"\} (\S+)', line)
        if found:
            figures[found[1]] = float(found[2])
    return figures["sum"] / figures["count"]


def refusals_are_quick(node, probe, figures_mean_s):
    """What was asked of the breaker, whichever tool made the load. Whatever was refused or timed out leaves nothing behind."""
    probe.over.set()
    probe.join(30)
    for status, waited in sorted(probe.waited.items()):
        print(f"probe: {status}: {len(waited)} answers, median {statistics.median(waited) * 1000:.1f} ms, longest {max(waited) * 1000:.1f} ms")
    mean = mean_of_all_orders(node)
    print("mean of all answers, by the node itself:", mean)
    assert probe.without_retry_after == 0
    assert set(probe.waited) <= {201, 503, 504}
    assert all(a > 0.35 for a in probe.waited.get(201, [])), "payment was not slowed"
    wait_until(lambda: total(node, "orders") == total(node, "payments") == total(node, "drinks"), 60, "whole orders only")
    refused = probe.waited.get(503, [])
    if len(refused) > 1:
        assert statistics.quantiles(refused, n=100)[98] < 0.050
    assert statistics.mean(w for waited in probe.waited.values() for w in waited) < 0.7
    assert figures_mean_s < 0.7 and mean < 0.7


def test_payment_slowed_with_a_breaker(make_node, tmp_path):
    """400 to 620 ms against a time-out of 610 ms: few fail as long as nothing queues, so the circuit may stay closed."""
    node = make_node(config=REPOSITORY / "config" / "cafeteria-breaker.json")
    probe = Probe(node)
    siege = Siege(tmp_path, node.base + "/orders", order_body(), seconds=SECONDS).start()
    probe.start()
    figures = siege.result()
    refusals_are_quick(node, probe, Siege.mean_s(figures))


def test_payment_slower_still_opens_the_circuit(make_node, tmp_path):
    """Most calls time out. The load is wrk's: siege 4.0.7 often never ends after many refusals."""
    node = make_node({"payment.slow.minMs": 560, "payment.slow.maxMs": 700}, config=REPOSITORY / "config" / "cafeteria-breaker.json")
    probe = Probe(node)
    probe.start()
    figures = wrk(tmp_path, node.base + "/orders", order_body(), SECONDS)
    assert figures["broken"] == 0
    assert probe.waited.get(503), "the circuit never opened"
    refusals_are_quick(node, probe, figures["mean_s"])


# ---- load, and restarts under load

@pytest.mark.parametrize("connection", ["keep-alive", "close"])
def test_plain_siege(make_node, tmp_path, connection):
    node = make_node()
    figures = Siege(tmp_path, node.base + "/orders", order_body(), seconds=SECONDS, connection=connection).run()
    assert figures["availability"] == 100.0 and figures["failed_transactions"] == 0
    assert figures["transactions"] > 100 * SECONDS
    assert total(node, "orders") >= figures["successful_transactions"]
    chains_are_whole(node)


@pytest.fixture
def inherited(tmp_path):
    node = InheritedNode(tmp_path).start()
    yield node
    node.kill9()


def test_graceful_restart_under_siege(inherited, tmp_path):
    siege = Siege(tmp_path, inherited.base + "/orders", order_body(), seconds=max(SECONDS, 10), connection="close").start()
    restart_under(inherited, siege.running)
    figures = siege.result()
    assert figures["availability"] == 100.0 and figures["failed_transactions"] == 0
    assert total(inherited, "orders") >= figures["successful_transactions"]
    chains_are_whole(inherited)
    inherited.stop()


class KeepAliveCustomer(threading.Thread):
    """Orders on one connection until the answer says close. Repeats nothing: every error counts.

    In siege's place: siege 4.0.7 sends its next request on the connection that an answer with `Connection: close` has ended, and
    counts a failure for each, whatever the server.
    """

    def __init__(self, node, over):
        super().__init__(daemon=True)
        self.node, self.over, self.answers, self.errors, self.connections = node, over, [], [], 0

    def run(self):
        body, headers = json.dumps(order_body()), {"Content-Type": "application/json"}
        connection = None
        while not self.over.is_set():
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=30)
                self.connections += 1
            try:
                connection.request("POST", "/orders", body, headers)
                answer = connection.getresponse()
                answer.read()
                self.answers.append(answer.status)
                if answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(repr(error))
                connection = None


def test_graceful_restart_under_kept_alive_connections(inherited):
    over = threading.Event()
    customers = [KeepAliveCustomer(inherited, over) for _ in range(100)]
    for customer in customers:
        customer.start()
    restart_under(inherited, lambda: True)
    over.set()
    for customer in customers:
        customer.join(30)
    assert [error for customer in customers for error in customer.errors] == []
    answers = [status for customer in customers for status in customer.answers]
    assert set(answers) == {201}
    assert total(inherited, "orders") == len(answers)
    assert all(customer.connections <= 4 for customer in customers)  # one for each generation: nothing else closed them
    chains_are_whole(inherited)
    inherited.stop()
