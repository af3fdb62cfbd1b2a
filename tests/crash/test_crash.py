"""kill -9 at random moments under load: the cafeteria.

    pytest tests/crash --rounds 200

Customers post orders, cancel some of them, a barista patches drinks. In the end every order that was answered exists once, with one
payment and one drink, its month counted once.
"""

import collections

from crema import all_rows, order_body, total, wait_until
from rounds import Story, kill_9_at_random_moments

CUSTOMERS, CANCELERS, BARISTAS = 6, 1, 2
PHONES = ["01011111111", "01022222222", "01033333333"]
PROGRESS = ["PaymentApproved", "Receipted", "Made"]


def month_of(row):
    return row["createTime"][:7].replace("-", "")


class Cafeteria(Story):
    def __init__(self):
        super().__init__()
        self.canceled, self.patched = [], []

    def people(self):
        return [self.customer] * CUSTOMERS + [self.canceler] * CANCELERS + [self.barista] * BARISTAS

    def customer(self, me):
        # The product's name is as unlike any other as the key is, so that a second order would show.
        name = f"r{me.load.round}-p{me.number}-{me.count}"
        me.send("POST", "/orders", order_body(me.rng.choice(PHONES), name, me.rng.randrange(1, 5), me.rng.randrange(10000)), {201})

    def canceler(self, me):
        order_id = me.someone()
        if order_id is not None and me.send("PATCH", f"/orders/{order_id}", {"status": "OrderCanceled"}, {200}).answer:
            self.canceled.append(order_id)

    def barista(self, me):
        drink_id, status = me.someone(), me.rng.choice(PROGRESS[1:])
        # Refused: not known yet; made too early; canceled.
        if drink_id is not None and me.send("PATCH", f"/drinks/{drink_id}", {"status": status}, {200, 404, 409}).answer:
            self.patched.append((drink_id, status))

    def check(self, node):
        settled(node)
        wait_until(lambda: cancels_are_settled(node), 30, "every cancel is settled", pause_s=0.2)
        orders, payments, drinks = (dict(all_rows(node, c)) for c in ("orders", "payments", "drinks"))

        # Every order that was answered exists, once; none exists twice, and none that nobody asked for.
        self.exist_once([o["productName"] for o in orders.values()], lambda body: body["productName"])
        for a in self.answered("POST"):
            assert {k: orders[a.made()][k] for k in a.body} == a.body

        # One payment and one drink for each, in agreement with it.
        assert sorted(p["orderId"] for p in payments.values()) == sorted(orders) == sorted(d["orderId"] for d in drinks.values())
        drink_of = {d["orderId"]: d for d in drinks.values()}
        standing, pages = collections.Counter(), {r["orderId"]: r for _, r in all_rows(node, "mypages")}
        infos = {r["orderId"]: r for _, r in all_rows(node, "orderinfos")}
        for payment in payments.values():
            order, drink = orders[payment["orderId"]], drink_of[payment["orderId"]]
            gone = order["status"] == "OrderCanceled"
            assert (payment["status"] == "PaymentCanceled") == gone == (drink["status"] == "DrinkCanceled"), payment
            assert payment["amt"] == order["amt"]
            standing[payment["phoneNumber"], month_of(payment)] += 0 if gone else payment["amt"]
            shown = "OrderCanceled" if gone else {"PaymentApproved": "Ordered"}.get(drink["status"], drink["status"])
            assert pages[payment["orderId"]]["status"] == shown
            assert infos[payment["orderId"]]["status"] == drink["status"]

        # The sums of sales are the sums of standing payments, and the ledger says how they came about.
        sales = {(s["phoneNumber"], s["yyyymm"]): s["sumAmt"] for _, s in all_rows(node, "sales")}
        assert sales == dict(standing)
        ledger = collections.Counter()
        for _, row in sorted(all_rows(node, "salePages")):
            of = row["phoneNumber"], row["yyyymm"]
            ledger[of] += row["amt"]
            assert ledger[of] == row["sumAmt"]
        assert ledger == standing

        # What the barista and the cancelers were answered holds.
        for drink_id, status in self.patched:
            assert PROGRESS.index(status) <= PROGRESS.index(drinks[drink_id]["status"]), (drink_id, status)
        for order_id in self.canceled:
            assert orders[order_id]["status"] == "OrderCanceled" or drink_of[order_id]["status"] in PROGRESS[1:]
        assert node.get("/actuator/deadletters").json() == []


def settled(node):
    """Nothing is under way any more, and the views have all of it."""
    def quiet():
        if any(c.get("outbox", 0) for c in node.get("/actuator/contexts").json()):
            return False
        return len({total(node, c) for c in ("orders", "payments", "drinks", "mypages", "orderinfos")}) == 1
    wait_until(quiet, 60, "everything is settled")


def cancels_are_settled(node):
    """No order is canceled whose payment is not: the saga has come to its end for each."""
    orders, payments = dict(all_rows(node, "orders")), dict(all_rows(node, "payments"))
    return all((o["status"] == "OrderCanceled") == (payments[i]["status"] == "PaymentCanceled") for i, o in orders.items())


def test_kill_9_at_random_moments(make_node, rng, cafeteria_rounds):
    kill_9_at_random_moments(make_node(), Cafeteria(), rng, cafeteria_rounds)
