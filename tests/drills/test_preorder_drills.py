"""spec/preorder.md, the drills: payment and receipt stopped, payment slowed, load and a redeploy.

The load drills run in a short form; CREMA_DRILL_SECONDS=60 gives them the length of the originals.
"""

import collections
import datetime
import os

import pytest

from crema import REPOSITORY, all_events, all_rows, id_of, nothing_under_way, total, wait_until
from httpie import httpie
from restarts import InheritedNode, restart_under
from siege import Siege

SYSTEM = "preorder"
SECONDS = int(os.environ.get("CREMA_DRILL_SECONDS", "3"))


def reserve(node, user=1):
    answer = node.post("/preReservations", json={"userId": user})
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["Location"])


def shown_statuses(node):
    return [r["reservationStatus"] for _, r in all_rows(node, "myReservations")]


def instant(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def chains_are_whole(node):
    """Each reservation has its payment and its receipt, which is right about the delivery, and nothing else has; the view says so, too."""
    wait_until(lambda: len({total(node, c) for c in ("preReservations", "payments", "receipts")}) == 1, 60, "one of each for every reservation")
    nothing_under_way(node)
    reservations, payments, receipts = (dict(all_rows(node, c)) for c in ("preReservations", "payments", "receipts"))
    assert reservations.keys() == {p["preReservationId"] for p in payments.values()} == {r["preReservationId"] for r in receipts.values()}
    for receipt in receipts.values():
        paid = payments[receipt["paidId"]]
        assert paid["preReservationId"] == receipt["preReservationId"]
        assert instant(receipt["expectedDeliveryAt"]) - instant(paid["createdAt"]) == datetime.timedelta(days=21)

    def shown():
        rows = dict(all_rows(node, "myReservations"))
        standing = {i for i, r in rows.items() if r["reservationStatus"] != "reservation_cancelled"}
        return standing == reservations.keys() and all(
            (r["paymentStatus"], r["receiptStatus"]) == ("paid", "issued") if i in standing else
            r["paymentStatus"] in (None, "payment_cancelled") and r["receiptStatus"] in (None, "receipt_cancelled") for i, r in rows.items())
    wait_until(shown, 60, "the view")
    assert node.get("/actuator/deadletters").json() == []


# ---- partners

def test_payment_stopped(make_node):
    node = make_node()
    node.context("payment").stop()
    status, headers, body = httpie(node, "http://HOST/preReservations", "userId=1")
    assert status in (500, 503) and headers["content-type"].startswith("application/problem+json") and body["path"] == "/preReservations"
    for collection in ("preReservations", "payments", "receipts"):
        assert total(node, collection) == 0, collection
    node.context("payment").start()
    status, _, body = httpie(node, "http://HOST/preReservations", "userId=1")
    assert status == 201 and body["status"] == "order"
    chains_are_whole(node)
    wait_until(lambda: shown_statuses(node) == ["reservation_cancelled", "order"], what="the view")


@pytest.mark.parametrize("crash", [False, True], ids=["started", "killed and started"])
def test_receipt_stopped(make_node, crash):
    """Reservations and payments go on; each receipt comes after the start, once, and counts from the payment."""
    node = make_node()
    node.context("receipt").stop()
    reservations = [id_of(httpie(node, "http://HOST/preReservations", "userId=1")[1]["location"])] + [reserve(node) for _ in range(30)]
    assert total(node, "payments") == len(reservations) and total(node, "receipts") == 0
    if crash:
        node.kill9()
        node.start()
    if node.context("receipt").state() != "running":
        node.context("receipt").start()
    wait_until(lambda: total(node, "receipts") == len(reservations), 30, "the receipts")
    chains_are_whole(node)
    told = collections.Counter(e["preReservationId"] for e in all_events(node, type="ReceiptCreated"))
    assert told == {i: 1 for i in reservations}


@pytest.mark.parametrize("later", ["payment", "receipt", "myreservation"])
def test_a_cancel_with_a_later_step_stopped(make_node, later):
    node = make_node()
    kept, gone = reserve(node), reserve(node)
    chains_are_whole(node)
    node.context(later).stop()
    assert node.delete(f"/preReservations/{gone}").status_code == 204
    assert node.get(f"/preReservations/{gone}").status_code == 404 == node.delete(f"/preReservations/{gone}").status_code
    node.context(later).start()
    for path in (f"/payments/{gone}", f"/receipts/{gone}"):
        wait_until(lambda: node.get(path).status_code == 404, what=f"{path} is gone")
    chains_are_whole(node)
    row = node.get(f"/myReservations/{gone}").json()
    assert (row["reservationStatus"], row["paymentStatus"], row["receiptStatus"]) == ("reservation_cancelled", "payment_cancelled", "receipt_cancelled")
    assert [i for i, _ in all_rows(node, "preReservations")] == [kept]


def test_myreservation_stopped(make_node):
    node = make_node()
    node.context("myreservation").stop()
    reservations = [reserve(node) for _ in range(20)]
    assert node.delete(f"/preReservations/{reservations[3]}").status_code == 204
    assert total(node, "myReservations") == 0
    node.context("myreservation").start()
    wait_until(lambda: total(node, "myReservations") == 20, what="the view")
    chains_are_whole(node)


# ---- payment slowed

def test_payment_slowed(make_node, tmp_path):
    """400 to 620 ms against a time-out of 620 ms: what is answered 201 is paid, what is not is nowhere."""
    node = make_node(config=REPOSITORY / "config" / "preorder-slow.json")
    figures = Siege(tmp_path, node.base + "/preReservations", {"userId": 1}, concurrent=2, seconds=SECONDS).run()
    assert figures["transactions"] >= 1 and 0.35 < Siege.mean_s(figures) < 2
    node.stop()
    node.config = None
    node.start()
    chains_are_whole(node)
    assert figures["transactions"] <= total(node, "preReservations") <= figures["transactions"] + 2  # those that siege did not wait for
    wait_until(lambda: total(node, "myReservations") >= figures["transactions"] + figures["failed_transactions"], what="the view has the failed ones, too")


def test_payment_slower_than_its_time(make_node):
    node = make_node({"payment.slow.minMs": 300, "payment.slow.maxMs": 300, "payment.bulkhead.callTimeoutMs": 50})
    keys = [{"Idempotency-Key": f"key {n}"} for n in range(3)]
    assert [node.post("/preReservations", json={"userId": 1}, headers=key).status_code for key in keys] == [504] * 3
    node.stop()
    node.settings.clear()
    node.start()
    chains_are_whole(node)
    assert total(node, "preReservations") == total(node, "payments") == 0
    wait_until(lambda: shown_statuses(node) == ["reservation_cancelled"] * 3, what="the view")
    again = [node.post("/preReservations", json={"userId": 1}, headers=keys[0]) for _ in range(2)]
    assert [a.status_code for a in again] == [201, 201] and again[0].headers["Location"] == again[1].headers["Location"]
    chains_are_whole(node)
    assert total(node, "preReservations") == 1


# ---- load

def test_redeploy_under_siege(tmp_path):
    node = InheritedNode(tmp_path, system=SYSTEM).start()
    try:
        siege = Siege(tmp_path, node.base + "/preReservations", {"userId": 1}, concurrent=255, seconds=max(SECONDS, 8), connection="close").start()
        restart_under(node, siege.running, "preReservations", times=2)
        figures = siege.result()
        assert figures["availability"] == 100.0 and figures["failed_transactions"] == 0
        assert total(node, "preReservations") >= figures["successful_transactions"]
        chains_are_whole(node)
        node.stop()
    finally:
        node.kill9()


def test_siege_of_the_view(make_node, tmp_path):
    node = make_node()
    for user in range(1, 30):
        reserve(node, user)
    chains_are_whole(node)
    figures = Siege(tmp_path, node.base + "/myReservations", concurrent=1000, seconds=10 * SECONDS, repetitions=13 * SECONDS).run()
    assert figures["availability"] == 100.0 and figures["failed_transactions"] == 0 and figures["transactions"] > 100 * SECONDS
    assert reserve(node) == 30
