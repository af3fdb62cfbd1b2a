"""spec/hotel.md, the drills: a partner stopped, notifications that wait, the breaker, load and a restart by the liveness probe.

The load drills run in a short form; CREMA_DRILL_SECONDS=180 gives them the length of the originals.
"""

import collections
import os
import threading
import time

import pytest

from crema import REPOSITORY, all_rows, id_of, nothing_under_way, total, wait_until
from httpie import httpie
from restarts import InheritedNode, LivenessProbe
from siege import Siege

SYSTEM = "hotel"
SECONDS = int(os.environ.get("CREMA_DRILL_SECONDS", "3"))
BOOKING = {"bookId": 1, "roomId": 1, "price": 1000, "hostId": 10, "guestId": 10, "startDate": 20200101, "endDate": 20200103}
BREAKER = REPOSITORY / "config" / "hotel-breaker.json"


def book(node, **fields):
    body = {k: v for k, v in BOOKING.items() if k != "bookId"}
    answer = node.post("/books", json={**body, **fields})
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["Location"])


def book_by_hand(node):
    return httpie(node, "http://HOST/books", "roomId=1", "price=1000", "startDate=20210505", "endDate=20210508", "guestId=3", "hostId=4")


def chains_are_whole(node):
    """Each booking has its payment and its row, in the same state, and what is to be said of it has been said once."""
    wait_until(lambda: len({total(node, c) for c in ("books", "payments", "mypages")}) == 1, 60, "one of each for every booking")
    nothing_under_way(node)
    books, payments = dict(all_rows(node, "books")), dict(all_rows(node, "payments"))
    assert books.keys() == payments.keys()
    states = {"Booked": "PayApproved", "BookCanceled": "PayCanceled"}
    assert all(states[b["status"]] == payments[i]["status"] for i, b in books.items())
    shown = {i: (b["status"], states[b["status"]]) for i, b in books.items()}
    wait_until(lambda: {i: (r["bookStatus"], r["payStatus"]) for i, r in all_rows(node, "mypages")} == shown, 60, "the view")
    assert total(node, "notifications") == sum(4 if b["status"] == "Booked" else 6 for b in books.values())
    assert node.get("/actuator/deadletters", headers=node.as_manager).json() == []


# ---- partners

def test_pay_stopped(make_node):
    node = make_node()
    node.context("pay").stop()
    status, headers, body = book_by_hand(node)
    assert status in (500, 503) and headers["content-type"].startswith("application/problem+json") and body["path"] == "/books"
    nothing_under_way(node)
    for collection in ("books", "payments", "notifications", "mypages"):
        assert total(node, collection) == 0, collection
    node.context("pay").start()
    status, _, body = book_by_hand(node)
    assert status == 201 and body["status"] == "Booked" and body["startDate"] == "2021-05-05"
    chains_are_whole(node)
    assert total(node, "books") == 1


def test_pay_too_slow(make_node):
    """Whatever is paid after its time is taken back, and nobody is told."""
    node = make_node({"pay.slow.minMs": 300, "pay.slow.maxMs": 300, "pay.bulkhead.callTimeoutMs": 50})
    assert [node.post("/books", json=BOOKING).status_code for _ in range(3)] == [504] * 3
    node.stop()
    node.settings.clear()
    node.start()
    nothing_under_way(node)
    for collection in ("books", "payments", "notifications", "mypages"):
        assert total(node, collection) == 0, collection
    book(node)
    chains_are_whole(node)


@pytest.mark.parametrize("settings", [{}, {"pay.slow.minMs": 300, "pay.slow.maxMs": 300, "pay.bulkhead.callTimeoutMs": 50}], ids=["stopped", "too slow"])
def test_a_booking_that_fails_does_not_keep_the_room(make_node, settings):
    node = make_node({"hotel.rejectOverlaps": "true", **settings})
    if not settings:
        node.context("pay").stop()
    assert node.post("/books", json=BOOKING).status_code == (504 if settings else 503)
    node.stop()
    node.settings = {"hotel.rejectOverlaps": "true"}
    node.start()
    if node.context("pay").state() != "running":
        node.context("pay").start()
    nothing_under_way(node)
    assert node.post("/books", json=BOOKING).status_code == 201
    assert node.post("/books", json=BOOKING).status_code == 409
    chains_are_whole(node)
    assert total(node, "books") == 1


def test_pay_stopped_when_a_booking_is_canceled(make_node):
    """The cancel is the guest's; the payment follows when it can."""
    node = make_node()
    kept, gone = book(node), book(node)
    chains_are_whole(node)
    node.context("pay").stop()
    assert node.delete(f"/books/{gone}").status_code == 204
    assert node.get(f"/books/{gone}").json()["status"] == "BookCanceled" and node.get(f"/payments/{gone}").json()["status"] == "PayApproved"
    node.context("pay").start()
    wait_until(lambda: node.get(f"/payments/{gone}").json()["status"] == "PayCanceled", what="PayCanceled")
    chains_are_whole(node)
    assert node.get(f"/payments/{kept}").json()["status"] == "PayApproved"


@pytest.mark.parametrize("crash", [False, True], ids=["started", "killed and started"])
def test_alarm_stopped(make_node, crash):
    """Bookings go on; each notification comes after the start, once."""
    node = make_node()
    node.context("alarm").stop()
    bookings = [id_of(book_by_hand(node)[1]["location"]) for _ in range(2)] + [book(node) for _ in range(30)]
    for booking in bookings[::10]:
        assert node.delete(f"/books/{booking}").status_code == 204
    wait_until(lambda: total(node, "mypages") == len(bookings), what="the view")
    assert total(node, "notifications") == 0
    if crash:
        node.kill9()
        node.start()
    if node.context("alarm").state() != "running":
        node.context("alarm").start()
    wait_until(lambda: total(node, "notifications") == 4 * len(bookings) + 2 * len(bookings[::10]), what="every notification")
    chains_are_whole(node)
    each = collections.Counter((n["bookId"], n["to"], n["text"]) for _, n in all_rows(node, "notifications"))
    assert set(each.values()) == {1}


def test_mypage_stopped(make_node):
    node = make_node()
    node.context("mypage").stop()
    bookings = [book(node) for _ in range(20)]
    assert node.delete(f"/books/{bookings[7]}").status_code == 204
    assert total(node, "mypages") == 0
    node.context("mypage").start()
    chains_are_whole(node)
    assert [r["bookStatus"] for _, r in all_rows(node, "mypages")].count("BookCanceled") == 1


# ---- the breaker: 1 pending request, ejection after 2 consecutive errors for 10 s

def breaker(node):
    return node.get("/actuator/circuitbreakers").json()["circuitBreakers"]["pay"]


def test_beyond_one_pending_request_bookings_are_refused_at_once(make_node):
    node = make_node({"pay.slow.minMs": 900, "pay.slow.maxMs": 900, "pay.bulkhead.callTimeoutMs": 10000}, config=BREAKER)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(node.post("/books", json=BOOKING).status_code)) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: (breaker(node)["inFlight"], breaker(node)["queued"]) == (1, 1), what="one in flight, one pending")
    refused = node.post("/books", json=BOOKING)
    assert answers == [], "the first booking was over too early to tell"
    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) >= 1
    for thread in threads:
        thread.join(20)
    assert answers == [201, 201]
    chains_are_whole(node)
    assert total(node, "books") == 2


def test_two_errors_in_a_row_open_the_circuit_for_ten_seconds(make_node):
    """Half of all payments come too late, so two in a row are soon found; once they are in time, the first one closes the circuit again.

    The payments are slowed by a fault in place of the settings, with their figures: it can be ended while the circuit is open.
    """
    node = make_node({"pay.slow.minMs": 0, "pay.slow.maxMs": 0, "faults.enabled": "true", "http.managementToken": "t"}, config=BREAKER)
    slow = {"target": "pay", "kind": "slow", "delayMinMs": 1, "delayMaxMs": 400}
    assert node.post("/actuator/faults", json=slow, headers=node.as_manager).status_code == 201
    statuses = []

    def another(until):
        statuses.append(node.post("/books", json=BOOKING).status_code)
        return statuses[-1] == until

    wait_until(lambda: another(503), 60, "the circuit opens", pause_s=0)
    opened = time.monotonic()
    assert statuses[-3:-1] == [504, 504] and set(statuses[:-1]) <= {201, 504} and (504, 504) not in zip(statuses[:-3], statuses[1:-2])
    assert breaker(node)["state"] == "OPEN"
    refused = node.post("/books", json=BOOKING)
    assert refused.status_code == 503 and 1 <= int(refused.headers["Retry-After"]) <= 10
    assert node.delete("/actuator/faults", headers=node.as_manager).status_code == 200
    tried = len(statuses)
    wait_until(lambda: another(201), 30, "a booking passes again", pause_s=0.1)
    assert 9 < time.monotonic() - opened < 20
    assert set(statuses[tried:-1]) == {503}
    made = statuses.count(201)
    print(collections.Counter(statuses))
    node.stop()
    node.config = None
    node.start()
    chains_are_whole(node)
    assert total(node, "books") == made


# ---- load

def test_siege_of_bookings(make_node, tmp_path):
    """They saw 99.98 %, 63 tps, 3.88 s mean."""
    node = make_node()
    figures = Siege(tmp_path, node.base + "/books", BOOKING, concurrent=255, seconds=SECONDS).run()
    assert figures["availability"] == 100.0 and figures["failed_transactions"] == 0 and figures["transactions"] > 63 * SECONDS
    assert total(node, "books") >= figures["successful_transactions"]
    chains_are_whole(node)


def test_the_liveness_probe_restarts_the_node_under_load(tmp_path):
    """No booking is lost and no guest sees it."""
    node = InheritedNode(tmp_path, {"faults.enabled": "true", "http.managementToken": "t"}, system=SYSTEM).start()
    try:
        probe = LivenessProbe(node, node.replace)
        probe.start()
        siege = Siege(tmp_path, node.base + "/books", BOOKING, concurrent=50, seconds=max(SECONDS, 6), connection="close").start()
        wait_until(lambda: total(node, "books") > 50, what="bookings")
        assert node.get("/isHealthy").status_code == 200
        assert node.get("/makeZombie", headers=node.as_manager).status_code == 200
        wait_until(lambda: probe.restarts == 1, 60, "the restart")
        assert siege.running(), "the load was over before the restart"
        before = total(node, "books")
        wait_until(lambda: total(node, "books") > before, what="further bookings")
        figures = siege.result()
        probe.end()
        assert figures["availability"] == 100.0 and figures["failed_transactions"] == 0 and probe.restarts == 1
        assert node.get("/isHealthy").status_code == 200
        assert total(node, "books") >= figures["successful_transactions"]
        chains_are_whole(node)
        node.stop()
    finally:
        node.kill9()
