"""kill -9 at random moments under load: the pre-reservation. What stands is paid and has its receipt; what is cancelled has neither."""

import datetime
import itertools

from crema import all_rows, nothing_under_way, total, wait_until
from rounds import Story, kill_9_at_random_moments

SYSTEM = "preorder"
OPEN_CHAINS = {"payment.slow.minMs": 1, "payment.slow.maxMs": 15}  # so that many are halfway when the crash comes
USERS, CANCELERS = 7, 2
CARD, MASKED = "9876-5432-1098-7654", "9876-****-****-7654"


def instant(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


class Preorder(Story):
    may_be_gone = True

    def __init__(self):
        super().__init__()
        self.numbers = itertools.count(1)  # of users: each reserves once, so that a second reservation would show
        self.canceled = []

    def people(self):
        return [self.user] * USERS + [self.canceler] * CANCELERS

    def user(self, me):
        me.send("POST", "/preReservations", {"userId": next(self.numbers), "price": me.rng.randrange(2000), "cardNo": CARD}, {201})

    def canceler(self, me):
        reservation = me.someone()
        if reservation is not None and me.delete(f"/preReservations/{reservation}", {204, 404}) == 204:
            self.canceled.append(reservation)

    def check(self, node):
        wait_until(lambda: len({total(node, c) for c in ("preReservations", "payments", "receipts")}) == 1, 60, "one of each for every reservation")
        nothing_under_way(node)
        standing, payments, receipts = (dict(all_rows(node, c)) for c in ("preReservations", "payments", "receipts"))

        # Every standing reservation has one payment and one receipt, due 21 days after the payment to the millisecond; nothing else has.
        payment_of = {p["preReservationId"]: i for i, p in payments.items()}
        receipt_of = {r["preReservationId"]: r for r in receipts.values()}
        assert standing.keys() == payment_of.keys() == receipt_of.keys() and len(standing) == len(payments) == len(receipts)
        for i, reserved in standing.items():
            paid, receipt = payments[payment_of[i]], receipt_of[i]
            assert receipt["paidId"] == payment_of[i]
            assert reserved["status"] == "order" and paid["status"] == "paid" and receipt["status"] == "issued"
            assert all(reserved[k] == paid[k] == receipt[k] for k in ("userId", "price")) and reserved["cardNo"] == paid["cardNo"] == MASKED
            assert instant(receipt["expectedDeliveryAt"]) - instant(paid["createdAt"]) == datetime.timedelta(days=21)

        # The view has every reservation that was ever answered, once; a cancelled one with all of it cancelled.
        def shown():
            rows = dict(all_rows(node, "myReservations"))
            return rows.keys() >= standing.keys() and all(
                r["paymentStatus"] == "paid" and r["receiptStatus"] == "issued" and r["reservationStatus"] == "order" if i in standing else
                r["reservationStatus"] == "reservation_cancelled" and r["paymentStatus"] in (None, "payment_cancelled")
                and r["receiptStatus"] in (None, "receipt_cancelled") for i, r in rows.items())
        wait_until(shown, 30, "the view", pause_s=0.2)
        rows = dict(all_rows(node, "myReservations"))
        assert all(r["preReservationId"] == i for i, r in rows.items())
        self.exist_once([r["userId"] for r in rows.values() if r["paymentStatus"]], lambda body: body["userId"])
        for a in self.answered("POST"):
            assert rows[a.made()]["userId"] == a.body["userId"] and rows[a.made()]["price"] == a.body["price"]
        for reservation in self.canceled:
            assert reservation not in standing and rows[reservation]["paymentStatus"] == "payment_cancelled"
        assert node.get("/actuator/deadletters").json() == []


def test_kill_9_at_random_moments(make_node, rng, rounds):
    node = make_node(OPEN_CHAINS)
    kill_9_at_random_moments(node, Preorder(), rng, rounds)
    for file in (p for p in node.directory.rglob("*") if p.is_file()):
        content = file.read_bytes()
        assert CARD.encode() not in content and CARD.replace("-", "").encode() not in content, file
