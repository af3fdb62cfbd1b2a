"""kill -9 at random moments under load, and what must be true afterwards.

    pytest tests/crash --rounds 200

Customers post orders under idempotency keys, cancel some of them, a barista patches drinks. The node is killed, started again, and
each customer who got no answer asks again under the same key. In the end every order that was answered exists once, with one
payment and one drink, its month counted once; every key answers as it did; and `crema verify` is clean.
"""

import collections
import dataclasses
import random
import threading

import requests

from crema import all_rows, id_of, order_body, run, wait_until

CUSTOMERS, CANCELERS, BARISTAS = 6, 1, 2
PHONES = ["01011111111", "01022222222", "01033333333"]
PROGRESS = ["PaymentApproved", "Receipted", "Made"]
REPLAYED_MAX = 3000


@dataclasses.dataclass
class Asked:
    """One order as its customer knows it. The key is the product's name as well, so that a second order would show."""

    key: str
    body: dict
    location: str = ""
    answer: dict | None = None

    def ask(self, session, base):
        reply = session.post(base + "/orders", json=self.body, headers={"Idempotency-Key": self.key}, timeout=30)
        if reply.status_code == 201:
            if self.location:
                assert (reply.headers["Location"], reply.json()) == (self.location, self.answer), f"key {self.key} has another answer now"
            self.location, self.answer = reply.headers["Location"], reply.json()
        return reply.status_code


class Load:
    """The people of one round. They stop at the first broken connection: that is the crash."""

    def __init__(self, node, rng, round_number, known):
        self.node, self.round, self.known = node, round_number, known
        self.over = threading.Event()
        self.asked, self.canceled, self.patched = [], [], []
        self.odd = collections.Counter()
        work = [self.customer] * CUSTOMERS + [self.canceler] * CANCELERS + [self.barista] * BARISTAS
        self.threads = [threading.Thread(target=self.live, args=(act, n, random.Random(rng.random()))) for n, act in enumerate(work)]
        for thread in self.threads:
            thread.start()

    def live(self, act, number, rng):
        session = requests.Session()
        count = 0
        while not self.over.is_set():
            count += 1
            try:
                act(session, rng, f"r{self.round}-p{number}-{count}")
            except requests.RequestException:
                return

    def customer(self, session, rng, key):
        asked = Asked(key, order_body(rng.choice(PHONES), key, rng.randrange(1, 5), rng.randrange(10000)))
        self.asked.append(asked)
        status = asked.ask(session, self.node.base)
        if status == 201:
            self.known.append(id_of(asked.location))
        else:
            self.odd[f"POST {status}"] += 1

    def someone(self, rng):
        if not self.known:
            threading.Event().wait(0.01)  # nobody has ordered yet
            return None
        recent = max(0, len(self.known) - 300)
        return self.known[rng.randrange(recent, len(self.known))]

    def canceler(self, session, rng, _):
        order_id = self.someone(rng)
        if order_id is None:
            return
        reply = session.patch(f"{self.node.base}/orders/{order_id}", json={"status": "OrderCanceled"}, timeout=30)
        if reply.status_code == 200:
            self.canceled.append(order_id)
        else:
            self.odd[f"cancel {reply.status_code}"] += 1

    def barista(self, session, rng, _):
        drink_id = self.someone(rng)
        if drink_id is None:
            return
        status = rng.choice(PROGRESS[1:])
        reply = session.patch(f"{self.node.base}/drinks/{drink_id}", json={"status": status}, timeout=30)
        if reply.status_code == 200:
            self.patched.append((drink_id, status))
        elif reply.status_code not in (404, 409):  # not known yet; made too early; canceled
            self.odd[f"barista {reply.status_code}"] += 1

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


def settled(node):
    """Nothing is under way any more, and the views have all of it."""
    def quiet():
        if any(c.get("outbox", 0) for c in node.get("/actuator/contexts").json()):
            return False
        counts = {c: node.get(f"/{c}?size=1").json()["page"]["totalElements"] for c in ("orders", "payments", "drinks", "mypages", "orderinfos")}
        return len(set(counts.values())) == 1
    wait_until(quiet, 60, "everything is settled")


def month_of(row):
    return row["createTime"][:7].replace("-", "")


def cancels_are_settled(node):
    """No order is canceled whose payment is not: the saga has come to its end for each."""
    orders, payments = dict(all_rows(node, "orders")), dict(all_rows(node, "payments"))
    return all((o["status"] == "OrderCanceled") == (payments[i]["status"] == "PaymentCanceled") for i, o in orders.items())


def check(node, asked, canceled, patched):
    settled(node)
    wait_until(lambda: cancels_are_settled(node), 30, "every cancel is settled", pause_s=0.2)
    orders, payments, drinks = (dict(all_rows(node, c)) for c in ("orders", "payments", "drinks"))

    # Every order that was answered exists, once; none exists twice, and none that nobody asked for.
    by_key = collections.Counter(o["productName"] for o in orders.values())
    assert not [k for k, n in by_key.items() if n != 1]
    answered = {a.key: a for a in asked if a.location}
    assert not answered.keys() - by_key.keys(), "answered orders are lost"
    assert not by_key.keys() - {a.key for a in asked}
    for a in answered.values():
        order = orders[id_of(a.location)]
        assert {k: order[k] for k in a.body} == a.body

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
    for drink_id, status in patched:
        assert PROGRESS.index(status) <= PROGRESS.index(drinks[drink_id]["status"]), (drink_id, status)
    for order_id in canceled:
        assert orders[order_id]["status"] == "OrderCanceled" or drink_of[order_id]["status"] in PROGRESS[1:]
    assert node.get("/actuator/deadletters").json() == []


def test_kill_9_at_random_moments(make_node, rng, request):
    rounds = request.config.getoption("--rounds")
    node = make_node()
    asked, canceled, patched, known = [], [], [], []
    for number in range(1, rounds + 1):
        load = Load(node, rng, number, known)
        moment = rng.uniform(0.02, 1.0)
        threading.Event().wait(moment)  # the moment of the crash; nothing is waited for
        node.kill9()
        load.end()
        node.start()
        asked += load.asked
        canceled += load.canceled
        patched += load.patched
        lost = [a for a in load.asked if not a.location]
        print(f"round {number}: killed after {moment:.3f} s, {len(load.asked)} orders asked for, {len(lost)} without an answer, {dict(load.odd)}")
        assert not load.odd, "refusals before the crash"
        # Who got no answer finds the whole order or none, and may ask again: both kinds of customer are simulated.
        for a in lost[: len(lost) // 2 + 1]:
            assert a.ask(node.session, node.base) == 201
            known.append(id_of(a.location))
        for a in load.asked[-20:]:
            if a.location:
                assert node.get(a.location).status_code == 200
    check(node, asked, canceled, patched)

    answered = [a for a in asked if a.location]
    print(f"{len(answered)} orders answered, {len(asked) - len(answered)} never, {len(set(canceled))} canceled, {len(patched)} patches")
    for a in rng.sample(answered, min(REPLAYED_MAX, len(answered))):
        assert a.ask(node.session, node.base) == 201  # the answer is compared in there
    check(node, asked, canceled, patched)

    node.stop()
    verified = run("verify", "--data", node.data, timeout=120)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    node.start()
    check(node, asked, canceled, patched)
