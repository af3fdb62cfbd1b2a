"""kill -9 at random moments under load: the breakfast. What is not in the stock is in orders that stand; no unit is lost or made."""

import collections
import itertools

from crema import all_events, all_rows, nothing_under_way, total, wait_until
from rounds import Story, kill_9_at_random_moments

SYSTEM = "breakfast"
OPEN_CHAINS = {"pay.slow.minMs": 1, "pay.slow.maxMs": 15}  # so that many are halfway when the crash comes
CUSTOMERS, CANCELERS, COURIERS = 5, 2, 2
SUPPLIED = {1: 10**9, 2: 10**9, 3: 200_000}  # the last one may run out
COMPLETED, CANCELLED = "Delivery Completed", "Cancelled-delivery"


class Breakfast(Story):
    def __init__(self):
        super().__init__()
        self.quantities = itertools.count(1)  # each order has a quantity of its own, so that a second order would show
        self.canceled = []

    def open(self, node):
        for name in ("Kim", "Lee", "Park"):
            assert node.post("/customers", json={"name": name}).status_code == 201
        for catalog, stock in SUPPLIED.items():
            answer = node.post("/foodCatalogs", json={"name": f"food {catalog}", "stock": stock, "price": catalog / 4})
            assert answer.headers["Location"].endswith(f"/foodCatalogs/{catalog}")

    def people(self):
        return [self.customer] * CUSTOMERS + [self.canceler] * CANCELERS + [self.courier] * COURIERS

    def customer(self, me):
        body = {"qty": next(self.quantities), "foodcaltalogid": me.rng.choice(list(SUPPLIED)), "customerid": me.rng.randrange(1, 4)}
        me.send("POST", "/orders", body, {201, 409})

    def canceler(self, me):
        order_id = me.someone()
        if order_id is not None and me.delete(f"/orders/{order_id}", {204, 409}) == 204:
            self.canceled.append(order_id)

    def courier(self, me):
        order_id = me.someone()
        if order_id is not None:
            me.send("PATCH", f"/deliveries/{order_id}", {"status": COMPLETED}, {200, 404, 409})  # not known yet; canceled

    def check(self, node):
        wait_until(lambda: len({total(node, c) for c in ("orders", "pays", "deliveries", "myOrders")}) == 1, 60, "one of each for every order")
        nothing_under_way(node)
        orders, pays, deliveries = (dict(all_rows(node, c)) for c in ("orders", "pays", "deliveries"))
        self.exist_once([o["qty"] for o in orders.values()], lambda body: body["qty"])
        for a in self.answered("POST"):
            assert {k: orders[a.made()][k] for k in a.body} == a.body

        # Each order has its payment and its delivery, in agreement with it.
        pay_of, delivery_of = {p["orderid"]: p for p in pays.values()}, {d["orderId"]: d for d in deliveries.values()}
        assert orders.keys() == pay_of.keys() == delivery_of.keys() and len(pays) == len(deliveries) == len(orders)
        standing = collections.Counter()
        for order_id, placed in orders.items():
            gone = placed["status"] == CANCELLED
            assert placed["status"] == delivery_of[order_id]["status"] in ("Delivery Start", COMPLETED, CANCELLED)
            assert pay_of[order_id]["status"] == ("Order Canceled-payment" if gone else "Paid"), (order_id, placed)
            assert pay_of[order_id]["amout"] == placed["qty"] and pay_of[order_id]["amount"] == placed["qty"] * placed["foodcaltalogid"] / 4
            standing[placed["foodcaltalogid"]] += 0 if gone else placed["qty"]

        # Stock and what stands is what was supplied, and the view says the same.
        stocks = {i: c["stock"] for i, c in all_rows(node, "foodCatalogs")}
        assert {i: stocks[i] + standing[i] for i in SUPPLIED} == SUPPLIED and min(stocks.values()) >= 0
        wait_until(lambda: sorted((r["foodCatalogId"], r["stock"]) for _, r in all_rows(node, "foodCatalogViews")) == sorted(stocks.items()), 30,
                   "the catalogue's view")
        told = [e["stock"] for e in all_events(node, type="StockChanged")]
        assert min(told, default=0) >= 0

        # What the couriers and the cancelers were answered holds.
        for a in self.answered("PATCH"):
            assert orders[int(a.path.rsplit("/", 1)[1])]["status"] == COMPLETED
        for order_id in self.canceled:
            assert orders[order_id]["status"] == CANCELLED

        def shown():
            rows = [r for _, r in all_rows(node, "myOrders")]
            return sorted(r["orderid"] for r in rows) == sorted(orders) and all(
                r["status"] == orders[r["orderid"]]["status"] and r["deliveryid"] and r["qty"] == orders[r["orderid"]]["qty"] for r in rows)
        wait_until(shown, 30, "the view", pause_s=0.2)
        assert node.get("/actuator/deadletters").json() == []


def test_kill_9_at_random_moments(make_node, rng, rounds):
    kill_9_at_random_moments(make_node(OPEN_CHAINS), Breakfast(), rng, rounds)
