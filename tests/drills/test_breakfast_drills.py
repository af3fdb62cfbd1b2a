"""spec/breakfast.md, the drills: partners stopped, the saga forth and back, races for the stock, the zombie, load and a redeploy.

The load drills run in a short form; CREMA_DRILL_SECONDS=60 gives them the length of the originals.
"""

import collections
import concurrent.futures
import os

import pytest

from crema import all_events, all_rows, id_of, nothing_under_way, set_status, total, wait_until
from httpie import httpie
from restarts import InheritedNode, answers_of
from siege import Siege
from wrk import wrk

SYSTEM = "breakfast"
SECONDS = int(os.environ.get("CREMA_DRILL_SECONDS", "3"))


def opened(node, stock=100):
    """A catalogue with so much stock, and two customers."""
    for name in ("Kim", "Lee"):
        assert node.post("/customers", json={"name": name}).status_code == 201
    assert node.post("/foodCatalogs", json={"name": "egg", "stock": stock, "price": 1000}).status_code == 201
    return node


def order_body(qty=1, customer=1):
    return {"qty": qty, "foodcaltalogid": 1, "customerid": customer}


def order(node, qty=1):
    answer = node.post("/orders", json=order_body(qty))
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["Location"])


def stock(node):
    return node.get("/foodCatalogs/1").json()["stock"]


def chains_are_whole(node, supplied=100):
    """Each order has its payment, its delivery and its row, in the same state; what is not in the stock is in orders that stand."""
    wait_until(lambda: len({total(node, c) for c in ("orders", "pays", "deliveries", "myOrders")}) == 1, 60, "one of each for every order")
    nothing_under_way(node)
    orders = dict(all_rows(node, "orders"))
    rows = {c: dict(all_rows(node, c)) for c in ("pays", "deliveries")}
    standing = 0
    for order_id, placed in orders.items():
        gone = placed["status"] == "Cancelled-delivery"
        pay, delivery = rows["pays"][order_id], rows["deliveries"][order_id]
        assert pay["status"] == ("Order Canceled-payment" if gone else "Paid") and pay["amout"] == placed["qty"]
        assert delivery["status"] == placed["status"], (order_id, placed, delivery)
        standing += 0 if gone else placed["qty"]
    assert stock(node) + standing == supplied
    wait_until(lambda: node.get("/foodCatalogViews/1").json()["stock"] == stock(node), what="the catalogue's view")
    wait_until(lambda: all(r["status"] == orders[i]["status"] and r["deliveryid"] for i, r in all_rows(node, "myOrders")), what="myOrders")
    assert node.get("/actuator/deadletters", headers=node.as_manager).json() == []


def never_below_zero(node):
    """The stock as every step told it."""
    told = [e["stock"] for e in all_events(node, context="foodCatalog")]
    assert told and min(told) >= 0
    return told


# ---- partners

@pytest.mark.parametrize("partner", ["customer", "foodCatalog", "pay"])
def test_a_partner_stopped(make_node, partner):
    node = opened(make_node())
    node.context(partner).stop()
    status, headers, body = httpie(node, "http://HOST/orders", "qty=20", "foodcaltalogid=1", "customerid=1")
    assert status in (500, 503) and headers["content-type"].startswith("application/problem+json") and body["path"] == "/orders"
    node.context(partner).start()
    nothing_under_way(node)
    wait_until(lambda: stock(node) == 100, what="the stock as before")
    for collection in ("orders", "pays", "deliveries", "myOrders"):
        assert total(node, collection) == 0, collection
    status, _, body = httpie(node, "http://HOST/orders", "qty=20", "foodcaltalogid=1", "customerid=1")
    assert status == 201 and body["qty"] == 20
    chains_are_whole(node)
    assert stock(node) == 80


def test_pay_too_slow(make_node):
    """Stock and payment are given back, whenever the payment came."""
    node = opened(make_node({"pay.slow.minMs": 300, "pay.slow.maxMs": 300, "pay.bulkhead.callTimeoutMs": 50}))
    assert [node.post("/orders", json=order_body(10)).status_code for _ in range(3)] == [504] * 3
    wait_until(lambda: stock(node) == 100, what="the stock is given back")
    node.stop()
    node.settings.clear()
    node.start()
    chains_are_whole(node)
    assert total(node, "pays") == 0 and stock(node) == 100
    order(node, 10)
    chains_are_whole(node)


@pytest.mark.parametrize("crash", [False, True], ids=["started", "killed and started"])
def test_delivery_stopped(make_node, crash):
    """Orders go on; Shipped follows."""
    node = opened(make_node())
    node.context("delivery").stop()
    orders = [order(node) for _ in range(30)]
    assert stock(node) == 70 and total(node, "deliveries") == 0
    assert {o["status"] for _, o in all_rows(node, "orders")} == {None}
    if crash:
        node.kill9()
        node.start()
    if node.context("delivery").state() != "running":
        node.context("delivery").start()
    wait_until(lambda: {o["status"] for _, o in all_rows(node, "orders")} == {"Delivery Start"}, 30, "every order is on its way")
    chains_are_whole(node)
    shipped = collections.Counter(e["orderId"] for e in all_events(node, type="Shipped"))
    assert shipped == {order_id: 1 for order_id in orders}


# ---- the saga forth and back

def test_an_order_forth_and_back(make_node):
    node = opened(make_node())
    status, headers, _ = httpie(node, "http://HOST/orders", "qty=20", "foodcaltalogid=1", "customerid=1")
    assert status == 201 and stock(node) == 80
    order_id = id_of(headers["location"])
    wait_until(lambda: node.get(f"/orders/{order_id}").json()["status"] == "Delivery Start", what="it is on its way")
    assert httpie(node, "DELETE", f"http://HOST/orders/{order_id}")[0] == 204
    wait_until(lambda: stock(node) == 100, what="the stock is given back")
    assert httpie(node, "DELETE", f"http://HOST/orders/{order_id}")[0] == 204
    chains_are_whole(node)
    assert stock(node) == 100


@pytest.mark.parametrize("later", ["pay", "foodCatalog", "customer"])
def test_a_cancel_with_a_later_step_stopped(make_node, later):
    """The cancel is done with the delivery; the rest follows when it can."""
    node = opened(make_node())
    kept, gone = order(node, 3), order(node, 5)
    chains_are_whole(node)
    node.context(later).stop()
    assert node.delete(f"/orders/{gone}").status_code == 204
    assert node.get(f"/orders/{gone}").json()["status"] == "Cancelled-delivery"
    if later != "customer":
        assert stock(node) == 92
    node.context(later).start()
    wait_until(lambda: stock(node) == 97, what="the stock is given back")
    chains_are_whole(node)
    assert node.get(f"/pays/{kept}").json()["status"] == "Paid"


def test_a_cancel_with_the_delivery_stopped(make_node):
    """Nobody can say whether it has arrived: refused, and the order stays as it is."""
    node = opened(make_node())
    order_id = order(node, 5)
    chains_are_whole(node)
    node.context("delivery").stop()
    assert node.delete(f"/orders/{order_id}").status_code in (500, 503)
    assert node.get(f"/orders/{order_id}").json()["status"] == "Delivery Start" and stock(node) == 95
    node.context("delivery").start()
    chains_are_whole(node)
    assert node.get(f"/orders/{order_id}").json()["status"] == "Delivery Start"
    assert node.delete(f"/orders/{order_id}").status_code == 204
    chains_are_whole(node)
    assert stock(node) == 100


def test_deliveries_and_cancels_race(make_node):
    """Of the delivery's completion and the cancel one wins, and everything agrees with it."""
    node = opened(make_node())
    orders = [order(node) for _ in range(50)]
    chains_are_whole(node)
    acts = {"complete": lambda i: set_status(node, f"/deliveries/{i}", "Delivery Completed"), "cancel": lambda i: node.delete(f"/orders/{i}")}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        asked = [(i, name, pool.submit(act, i)) for i in orders for name, act in acts.items()]
        codes = {(i, name): f.result().status_code for i, name, f in asked}
    chains_are_whole(node)
    for order_id in orders:
        won = codes[order_id, "complete"], codes[order_id, "cancel"]
        assert won in ((200, 409), (409, 204)), (order_id, won)
        assert node.get(f"/orders/{order_id}").json()["status"] == ("Delivery Completed" if won[0] == 200 else "Cancelled-delivery")


# ---- races for the stock

def test_two_hundred_orders_for_a_hundred_units(make_node):
    node = opened(make_node())
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(lambda _: node.post("/orders", json=order_body()).status_code, range(200)))
    assert collections.Counter(codes) == {201: 100, 409: 100}
    assert stock(node) == 0
    chains_are_whole(node)
    assert min(never_below_zero(node)) == 0


def test_orders_race_while_stock_comes_back(make_node):
    """Orders and cancels at once: never below zero, and nothing is lost on the way."""
    node = opened(make_node(), stock=20)

    def buy_and_return(n):
        answer = node.post("/orders", json=order_body(1 + n % 5))
        if answer.status_code == 201 and n % 2:
            assert node.delete(f"/orders/{id_of(answer.headers['Location'])}").status_code == 204
        return answer.status_code

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        codes = collections.Counter(pool.map(buy_and_return, range(300)))
    print(codes)
    assert set(codes) == {201, 409}
    chains_are_whole(node, 20)
    never_below_zero(node)


def test_orders_until_the_stock_runs_out(make_node, tmp_path):
    """The load is wrk's: siege 4.0.7 often never ends after many refusals."""
    orders = 100 * SECONDS
    node = opened(make_node(), stock=50 * orders + 49)
    figures = wrk(tmp_path, node.base + "/orders", order_body(50, customer=2), SECONDS)
    assert figures["broken"] == 0 and figures["answers"] - figures["refused"] == orders
    assert stock(node) == 49
    assert node.post("/orders", json=order_body(50, customer=2)).status_code == 409
    chains_are_whole(node, 50 * orders + 49)
    assert total(node, "orders") == orders
    assert min(never_below_zero(node)) == 49


# ---- the zombie

def test_a_zombie_is_healed_by_a_restart(make_node):
    node = opened(make_node({"faults.enabled": "true", "http.managementToken": "t"}))
    assert node.get("/isHealthy").status_code == 200
    before = [order(node) for _ in range(10)]
    assert node.get("/makeZombie", headers=node.as_manager).status_code == 200
    assert node.get("/isHealthy").status_code == 500
    liveness = node.get("/actuator/health/liveness")
    assert liveness.status_code == 503 and liveness.json()["status"] == "DOWN"
    node.restart()
    assert node.get("/isHealthy").status_code == 200
    assert node.get("/actuator/health/liveness").status_code == 200
    assert sorted(i for i, _ in all_rows(node, "orders")) == before
    order(node)
    chains_are_whole(node)
    assert stock(node) == 89


# ---- load

def test_redeploy_under_siege(tmp_path):
    """They saw 70.82 % without a readiness probe, 100 % with one."""
    node = InheritedNode(tmp_path, system=SYSTEM).start()
    try:
        opened(node)
        order(node)
        siege = Siege(tmp_path, node.base + "/orders", concurrent=2, seconds=max(SECONDS, 8), connection="close").start()
        for _ in range(3):
            wait_until(lambda: answers_of(node, "/orders") > 20 or not siege.running(), 30, "answers under load")
            assert siege.running(), "the load was over before the restarts"
            node.replace()
        wait_until(lambda: answers_of(node, "/orders") > 20, 30, "answers of the last generation")
        figures = siege.result()
        assert figures["availability"] == 100.0 and figures["failed_transactions"] == 0
        chains_are_whole(node)
        node.stop()
    finally:
        node.kill9()
