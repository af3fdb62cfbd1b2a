"""spec/preorder.md over HTTP: reservations with their payment and receipt, the failing payment, cancels, the masked card number, events."""

import collections
import concurrent.futures
import datetime
import json

import pytest

from crema import all_events, nothing_under_way, total, wait_until
from resources import TIME, are_events, create, find, has_finders, is_linked_and_described, refused, resource, takes_only

SYSTEM = "preorder"
WHOLE = {"userAddress": "Seoul 1", "productId": 3, "productName": "Phone Z", "price": 1200, "cardNo": "1234-5678-9012-1234", "status": "order"}
MASKED = "1234-****-****-1234"


@pytest.fixture
def user(rng):
    """A user whom no other test uses."""
    return rng.randrange(10**6, 10**12)


def reserve(node, user=1, **fields):
    return create(node, "/preReservations", {"userId": user, **fields})[0]


def my(node, reservation):
    answer = node.get(f"/myReservations/{reservation}")
    return {k: v for k, v in answer.json().items() if k != "_links"} if answer.status_code == 200 else {}


def complete(node, reservation):
    """Waits until the receipt is there and the view shows all three."""
    wait_until(lambda: my(node, reservation).get("receiptStatus") and my(node, reservation)["reservationStatus"], what="the view")
    return reservation


def instant(text):
    assert TIME.fullmatch(text), text
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def timeless(fields):
    return {k: v for k, v in fields.items() if k not in ("createdAt", "modifiedAt", "expectedDeliveryAt")}


# ---- reservations, payments, receipts

def test_a_reservation_with_all_its_fields(node, user):
    body = resource(node.post("/preReservations", json={"userId": user, **WHOLE}), "preReservation", 201)
    assert timeless(body) == {"userId": user, **WHOLE, "cardNo": MASKED}
    assert instant(body["createdAt"]) == instant(body["modifiedAt"])


def test_a_reservation_needs_its_user_only(node, user):
    reservation, body = create(node, "/preReservations", {"userId": str(user)})
    body = resource(node.get(f"/preReservations/{reservation}"), "preReservation")
    assert timeless(body) == {"userId": user, "userAddress": None, "productId": None, "productName": None, "price": None, "cardNo": None, "status": "order"}


def test_the_callers_own_status_is_kept(node):
    assert create(node, "/preReservations", {"userId": 1, "status": "ordered by phone"})[1]["status"] == "ordered by phone"


def test_payment_and_receipt_of_a_reservation(node, user):
    reservation = reserve(node, user, **WHOLE)
    [(payment, paid)] = find(node, "payments", "findByPreReservationId", preReservationId=reservation).items()
    assert timeless(paid) == {"preReservationId": reservation, "userId": user, "productId": 3, "productName": "Phone Z", "price": 1200, "cardNo": MASKED,
                              "status": "paid"}
    assert instant(paid["createdAt"]) == instant(paid["modifiedAt"])
    assert resource(node.get(f"/payments/{payment}"), "payment") == paid
    complete(node, reservation)
    [(receipt, issued)] = find(node, "receipts", "findByPaidId", paidId=payment).items()
    assert timeless(issued) == {"paidId": payment, "preReservationId": reservation, "userId": user, "productId": 3, "productName": "Phone Z", "price": 1200,
                                "status": "issued"}
    assert resource(node.get(f"/receipts/{receipt}"), "receipt") == issued
    assert instant(issued["expectedDeliveryAt"]) == instant(paid["createdAt"]) + datetime.timedelta(days=21)
    assert my(node, reservation) == {"preReservationId": reservation, "paymentId": payment, "receiptId": receipt, "userId": user, "userAddress": "Seoul 1",
                                     "productId": 3, "productName": "Phone Z", "price": 1200, "reservationStatus": "order", "paymentStatus": "paid",
                                     "receiptStatus": "issued", "expectedDeliveryAt": issued["expectedDeliveryAt"]}


@pytest.mark.parametrize("change,status,named", [
    ({"userId": None}, 422, "userId"),
    ({"userId": 0}, 422, "userId"),
    ({"userId": "me"}, 400, "userId"),
    ({"userId": 1.5}, 400, "userId"),
    ({"price": -1}, 422, "price"),
    ({"price": "dear"}, 400, "price"),
    ({"productId": 0}, 422, "productId"),
    ({"productName": "x" * 101}, 422, "productName"),
    ({"productName": []}, 400, "productName"),
    ({"userAddress": "x" * 256}, 422, "userAddress"),
    ({"status": "reservation_cancelled"}, 422, "status"),
    ({"status": ""}, 422, "status"),
    ({"cardNo": "1234"}, 422, "cardNo"),
    ({"cardNo": "1234-5678-9012-abcd"}, 422, "cardNo"),
    ({"cardNo": "12345678901234567890"}, 422, "cardNo"),
    ({"cardNo": {"no": 1}}, 400, "cardNo"),
    ({"cardNum": "1"}, 422, "cardNo"),
])
def test_a_bad_reservation_is_refused_and_nothing_is_kept(node, change, status, named):
    nothing_under_way(node)
    before = [total(node, c) for c in ("preReservations", "payments", "receipts", "myReservations")]
    refused(node.post("/preReservations", json={"userId": 1, **change}), status, named)
    nothing_under_way(node)
    assert [total(node, c) for c in ("preReservations", "payments", "receipts", "myReservations")] == before


def test_a_reservation_without_its_user_is_422(node):
    refused(node.post("/preReservations", json={"price": 1}), 422, "userId")


def test_a_reservation_under_a_key_is_made_and_paid_once(node, user):
    headers = {"Idempotency-Key": f"reserve-{user}"}
    first, second = (node.post("/preReservations", json={"userId": user, **WHOLE}, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201) and first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]
    wait_until(lambda: find(node, "myReservations", "findByUserId", userId=user), what="the view")
    nothing_under_way(node)
    assert len(find(node, "myReservations", "findByUserId", userId=user)) == 1


# ---- cancel

def is_cancelled(node, reservation):
    """Payment and receipt have left; the view keeps the row, cancelled."""
    for path in (f"/payments/{reservation}", f"/receipts/{reservation}"):
        wait_until(lambda: node.get(path).status_code == 404, what=f"{path} is gone")
    wait_until(lambda: my(node, reservation).get("receiptStatus") == "receipt_cancelled", what="the view")
    row = my(node, reservation)
    assert (row["reservationStatus"], row["paymentStatus"], row["receiptStatus"]) == ("reservation_cancelled", "payment_cancelled", "receipt_cancelled")
    return True


def test_a_cancel_takes_payment_and_receipt_along(node, user):
    kept, gone = complete(node, reserve(node, user)), complete(node, reserve(node, user, **WHOLE))
    before = my(node, gone)
    answer = node.delete(f"/preReservations/{gone}")
    assert answer.status_code == 204 and answer.content == b""
    refused(node.get(f"/preReservations/{gone}"), 404)
    assert is_cancelled(node, gone)
    assert {k: v for k, v in my(node, gone).items() if not k.endswith("Status")} == {k: v for k, v in before.items() if not k.endswith("Status")}
    assert list(find(node, "myReservations", "findByUserId", userId=user)) == [kept, gone]
    assert find(node, "payments", "findByPreReservationId", preReservationId=gone) == {} == find(node, "receipts", "findByPaidId", paidId=gone)
    assert my(node, kept)["reservationStatus"] == "order" and node.get(f"/receipts/{kept}").json()["status"] == "issued"


def test_a_cancel_before_the_receipt(make_node):
    """The payment is cancelled whatever its receipt has come to."""
    fresh = make_node()
    fresh.context("receipt").stop()
    reservation = reserve(fresh)
    assert fresh.delete(f"/preReservations/{reservation}").status_code == 204
    wait_until(lambda: fresh.get(f"/payments/{reservation}").status_code == 404, what="the payment is gone")
    fresh.context("receipt").start()
    nothing_under_way(fresh)
    assert fresh.get(f"/receipts/{reservation}").status_code == 404
    wait_until(lambda: my(fresh, reservation).get("paymentStatus") == "payment_cancelled", what="the view")
    assert my(fresh, reservation)["reservationStatus"] == "reservation_cancelled" and my(fresh, reservation)["receiptStatus"] in (None, "receipt_cancelled")


def test_canceling_twice_is_404_and_one_cancellation(node):
    reservation = complete(node, reserve(node))
    assert node.delete(f"/preReservations/{reservation}").status_code == 204
    refused(node.delete(f"/preReservations/{reservation}"), 404)
    assert is_cancelled(node, reservation)
    counts = collections.Counter(e["eventType"] for e in all_events(node, id=reservation))
    assert counts == {name: 1 for name in ("ReservationCreated", "ReservationCancelled", "PaymentCreated", "PaymentCancelled", "ReceiptCreated",
                                           "ReceiptCancelled")}


def test_of_many_cancels_at_once_one_wins(node):
    reservation = reserve(node)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: node.delete(f"/preReservations/{reservation}").status_code, range(16)))
    assert collections.Counter(codes) == {204: 1, 404: 15}
    assert is_cancelled(node, reservation)


def test_a_stale_if_match_keeps_the_reservation(node):
    reservation = reserve(node)
    refused(node.delete(f"/preReservations/{reservation}", headers={"If-Match": '"99"'}), 412)
    tag = node.get(f"/preReservations/{reservation}").headers["ETag"]
    assert node.delete(f"/preReservations/{reservation}", headers={"If-Match": tag}).status_code == 204


def test_a_reservation_that_is_not_there_cannot_be_cancelled(node):
    refused(node.delete("/preReservations/99999999"), 404)


def test_a_canceled_reservation_keeps_its_history(node):
    reservation = complete(node, reserve(node))
    node.delete(f"/preReservations/{reservation}")
    told = [e for e in all_events(node, context="prereservation", id=reservation)]
    assert [e["eventType"] for e in told] == ["ReservationCreated", "ReservationCancelled"]
    assert told[1]["status"] == "reservation_cancelled" and instant(told[1]["modifiedAt"]) >= instant(told[0]["createdAt"])


# ---- a payment that fails

@pytest.mark.parametrize("settings,stopped,status", [
    ({}, True, 503),
    ({"payment.slow.minMs": 400, "payment.slow.maxMs": 400, "payment.bulkhead.callTimeoutMs": 50}, False, 504),
], ids=["stopped", "too slow"])
def test_without_its_payment_there_is_no_reservation(make_node, settings, stopped, status):
    fresh = make_node(settings)
    if stopped:
        fresh.context("payment").stop()
    refused(fresh.post("/preReservations", json={"userId": 5, **WHOLE}), status)
    told = [e for e in all_events(fresh, context="prereservation")]
    assert [e["eventType"] for e in told] == ["ReservationCreated", "ReservationCancelled"] and len({e["id"] for e in told}) == 1
    reservation = told[0]["id"]
    refused(fresh.get(f"/preReservations/{reservation}"), 404)
    refused(fresh.delete(f"/preReservations/{reservation}"), 404)
    assert total(fresh, "preReservations") == 0
    wait_until(lambda: my(fresh, reservation).get("reservationStatus") == "reservation_cancelled", what="the view shows it as cancelled")
    [row] = find(fresh, "myReservations", "findByUserId", userId=5).values()
    assert row["userAddress"] == "Seoul 1" and row["paymentStatus"] in (None, "payment_cancelled")
    if stopped:
        fresh.context("payment").start()
    wait_until(lambda: total(fresh, "payments") == 0, what="no payment stands")
    nothing_under_way(fresh)
    assert total(fresh, "payments") == total(fresh, "receipts") == 0
    assert fresh.get("/actuator/deadletters").json() == []
    if stopped:
        assert complete(fresh, reserve(fresh, 5)) != reservation


# ---- the card number

CARD, DIGITS = "9876-5432-1098-7654", "9876543210987654"
CARD_MASKED = "9876-****-****-7654"


def whole_number_in(content):
    """Whether any byte sequence is the number, with whatever sign between its groups."""
    groups = [DIGITS[i:i + 4].encode() for i in range(0, 16, 4)]
    return any(sign.join(groups) in content for sign in (b"", b"-", b" ", b"%20", b"+", b"\\u002d"))


def nowhere(node):
    """No file of the node has the whole number."""
    files = [p for p in node.directory.rglob("*") if p.is_file()]
    assert any(p.name == "data.mdb" for p in files) and node.output in files and any("logs" in p.parts for p in files), files
    for file in files:
        assert not whole_number_in(file.read_bytes()), file


def test_a_whole_card_number_is_found_where_it_is(tmp_path):
    """The search of the tests below can fail."""
    assert whole_number_in(b"x" + CARD.encode()) and whole_number_in(DIGITS.encode()) and not whole_number_in(CARD_MASKED.encode())


@pytest.mark.parametrize("sent", [CARD, DIGITS, int(DIGITS), CARD.replace("-", " ")], ids=["dashes", "digits", "number", "blanks"])
def test_a_card_number_is_answered_masked(node, user, sent):
    answer = node.post("/preReservations", json={"userId": user, "cardNo": sent})
    reservation = complete(node, resource(answer, "preReservation", 201) and int(answer.headers["Location"].rsplit("/", 1)[1]))
    assert answer.json()["cardNo"] == CARD_MASKED
    assert node.get(f"/payments/{reservation}").json()["cardNo"] == CARD_MASKED
    for path in ("/preReservations?size=1000", "/payments?size=1000", "/receipts?size=1000", "/myReservations?size=1000", f"/preReservations/{reservation}",
                 "/actuator/traces", "/actuator/deadletters", "/events"):
        assert not whole_number_in(node.get(path).content), path


def test_the_whole_card_number_is_nowhere(make_node):
    """In no answer and no file: not of what succeeded, failed, was refused, cancelled, repeated, stopped, crashed."""
    fresh = make_node({"log.level": "debug", "payment.slow.minMs": 1, "payment.slow.maxMs": 5})
    body = {"userId": 5, "cardNo": CARD}
    answers = [fresh.post("/preReservations", json=body, headers={"Idempotency-Key": "card"}) for _ in range(2)]
    answers.append(fresh.post("/preReservations", json={**body, "cardNo": DIGITS}))
    assert [a.status_code for a in answers] == [201] * 3
    complete(fresh, 2)
    assert fresh.delete("/preReservations/1").status_code == 204
    assert is_cancelled(fresh, 1)

    bad = [
        {"cardNo": CARD},
        {**body, "price": -1},
        {**body, "cardNo": CARD + "-1234-5678"},
        {**body, "cardNo": CARD + "x"},
        {**body, "cardNo": [CARD]},
        {**body, "cardNo": {"no": DIGITS}},
        {**body, "color": CARD},
        {"userId": 5, "cardNumber": DIGITS},
        {"userId": CARD},
        {**body, "price": CARD},
        {**body, "status": "reservation_cancelled"},
    ]
    for sent in bad:
        answers.append(fresh.post("/preReservations", json=sent))
        assert answers[-1].status_code in (400, 422), sent
    raw = {"Content-Type": "application/json"}
    twice = fresh.post("/preReservations", data=f'{{"userId":5,"cardNo":"{CARD}","cardNo":"{DIGITS}"}}', headers=raw)
    assert not whole_number_in(twice.content)
    answers.append(fresh.post("/preReservations", data=f'{{"userId":5,"cardNo":"{CARD}"', headers=raw))
    answers.append(fresh.post("/preReservations", data=f'{{"userId":5,"cardNo":{DIGITS}e}}', headers=raw))
    answers.append(fresh.post("/preReservations", data=f"cardNo={CARD}", headers={"Content-Type": "text/plain"}))
    answers.append(fresh.post("/preReservations", json={**body, "price": 2}, headers={"Idempotency-Key": "card"}))
    assert all(a.status_code >= 400 for a in answers[3:]), [a.status_code for a in answers]

    fresh.context("payment").stop()
    answers.append(fresh.post("/preReservations", json=body, headers={"Idempotency-Key": "card-2"}))
    assert answers[-1].status_code == 503
    nowhere(fresh)
    fresh.context("payment").start()
    answers.append(fresh.post("/preReservations", json=body, headers={"Idempotency-Key": "card-2"}))
    assert answers[-1].status_code == 201
    fresh.context("prereservation").stop()
    answers.append(fresh.post("/preReservations", json=body))
    assert answers[-1].status_code == 503
    fresh.context("prereservation").start()
    nothing_under_way(fresh)

    for answer in answers:
        assert not whole_number_in(answer.content), (answer.request.body, answer.text)
        assert not any(whole_number_in(text.encode()) for text in answer.headers.values())
    assert CARD_MASKED in fresh.get("/events").text
    for path in ("/events", "/preReservations", "/payments", "/receipts", "/myReservations", "/actuator/traces", "/actuator/deadletters"):
        assert not whole_number_in(fresh.get(path).content), path
    for answer in answers:
        assert not whole_number_in(fresh.get(f"/actuator/traces/{answer.headers['traceparent'].split('-')[1]}").content)
    nowhere(fresh)
    fresh.kill9()
    nowhere(fresh)
    fresh.start()
    assert fresh.post("/preReservations", json=body, headers={"Idempotency-Key": "card"}).json() == answers[0].json()
    fresh.stop()
    nowhere(fresh)


# ---- finders, verbs, documents

def test_finders(node, user):
    mine = [complete(node, reserve(node, user)) for _ in range(2)]
    complete(node, reserve(node, user + 1))
    assert list(find(node, "myReservations", "findByUserId", userId=user)) == mine
    assert list(find(node, "payments", "findByPreReservationId", preReservationId=mine[1])) == [mine[1]]
    assert list(find(node, "receipts", "findByPaidId", paidId=mine[0])) == [mine[0]]


@pytest.mark.parametrize("collection,finders", [
    ("myReservations", {"findByUserId": {"userId": 999999}}),
    ("payments", {"findByPreReservationId": {"preReservationId": 999999}}),
    ("receipts", {"findByPaidId": {"paidId": 999999}}),
])
def test_search(node, collection, finders):
    has_finders(node, collection, finders)


def test_verbs(node):
    reservation = complete(node, reserve(node))
    takes_only(node, "/preReservations", "POST")
    takes_only(node, f"/preReservations/{reservation}", "DELETE")
    for collection in ("payments", "receipts", "myReservations"):
        takes_only(node, f"/{collection}")
        takes_only(node, f"/{collection}/{reservation}")


def test_documents(node):
    is_linked_and_described(node, ["preReservations", "payments", "receipts", "myReservations"])


def test_contexts(node):
    assert [c["name"] for c in node.get("/actuator/contexts").json()] == ["prereservation", "payment", "receipt", "myreservation"]


# ---- events

def test_events_of_the_whole_flow(make_node):
    fresh = make_node()
    reservation = complete(fresh, reserve(fresh, 7, **WHOLE))
    fresh.delete(f"/preReservations/{reservation}")
    assert is_cancelled(fresh, reservation)
    events = all_events(fresh)
    are_events(events)
    by_type = {e["eventType"]: e for e in events}
    assert len(by_type) == len(events)
    told = [e["eventType"] for e in events]
    assert set(told) == {"ReservationCreated", "ReservationCancelled", "PaymentCreated", "PaymentCancelled", "ReceiptCreated", "ReceiptCancelled"}
    for cause, effect in [("PaymentCreated", "ReceiptCreated"), ("ReservationCancelled", "PaymentCancelled"), ("PaymentCancelled", "ReceiptCancelled")]:
        assert told.index(cause) < told.index(effect) and by_type[cause]["traceId"] == by_type[effect]["traceId"]
    assert by_type["ReservationCreated"]["cardNo"] == MASKED and by_type["ReservationCreated"]["userId"] == 7
    assert by_type["ReceiptCreated"]["expectedDeliveryAt"] == by_type["ReceiptCancelled"]["expectedDeliveryAt"]
    assert [by_type[f"{x}Cancelled"]["status"] for x in ("Reservation", "Payment", "Receipt")] == [
        "reservation_cancelled", "payment_cancelled", "receipt_cancelled"]
    assert not any(name in e for e in events for name in ("voided", "unpaid", "cancelled"))
    history = fresh.get(f"/payments/{reservation}/events", headers={"Accept": "application/x-ndjson"})
    assert history.status_code == 200  # a cancelled payment is gone; its history can be read
    assert [json.loads(line)["eventType"] for line in history.text.splitlines()] == ["PaymentCreated", "PaymentCancelled"]


def test_all_of_it_is_there_after_kill_9(make_node):
    fresh = make_node()
    kept, gone = complete(fresh, reserve(fresh, 1, **WHOLE)), complete(fresh, reserve(fresh, 1, **WHOLE))
    fresh.delete(f"/preReservations/{gone}")
    assert is_cancelled(fresh, gone)
    paths = [f"/{c}/{kept}" for c in ("preReservations", "payments", "receipts")] + ["/myReservations"]
    before = [fresh.get(p).json() for p in paths]
    fresh.kill9()
    fresh.start()
    nothing_under_way(fresh)
    assert [fresh.get(p).json() for p in paths] == before
    for path in (f"/preReservations/{gone}", f"/payments/{gone}", f"/receipts/{gone}"):
        refused(fresh.get(path), 404)
