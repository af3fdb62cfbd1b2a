"""spec/hotel.md over HTTP: rooms, bookings with their payments, what guest and host are told and see, the two settings, events."""

import collections
import concurrent.futures
import json

import pytest

from crema import all_events, all_rows, nothing_under_way, total, wait_until
from resources import TIME, are_events, create, find, has_finders, is_linked_and_described, refused, resource, takes_only

SYSTEM = "hotel"
STAY = {"startDate": 20210505, "endDate": 20210508}


@pytest.fixture
def number(rng):
    """A number that no other test uses, for a room, a guest or a host."""
    return rng.randrange(10**6, 10**12)


def book(node, room=1, **fields):
    return create(node, "/books", {"roomId": room, "price": 1000, **STAY, **fields})[0]


def page(node, booking):
    answer = node.get(f"/mypages/{booking}")
    return {k: v for k, v in answer.json().items() if k != "_links"} if answer.status_code == 200 else {}


def settled(node, booking):
    """Waits until everything that follows the booking has happened."""
    wait_until(lambda: page(node, booking).get("bookStatus"), what="the booking's row in mypages")
    nothing_under_way(node)
    return booking


def notifications(node, book_id):
    return list(find(node, "notifications", "findByBookId", bookId=book_id).values())


def told(node, book_id, count):
    """Who was told what of a booking, once there are so many notifications; no further one is under way."""
    wait_until(lambda: len(notifications(node, book_id)) >= count, what=f"{count} notifications")
    nothing_under_way(node)
    return sorted((n["to"], n["text"]) for n in notifications(node, book_id))


def is_canceled(node, booking):
    wait_until(lambda: page(node, booking).get("payStatus") == "PayCanceled", what="PayCanceled in mypages")
    return page(node, booking)["bookStatus"] == "BookCanceled"


# ---- rooms

def test_a_room_needs_its_price_only(node):
    answer = node.post("/rooms", json={"price": 1500})
    assert resource(answer, "room", 201) == {"price": 1500, "hostId": None, "name": None, "status": "Registered"}


def test_a_room_with_all_its_fields(node, number):
    room, body = create(node, "/rooms", {"price": "1500", "hostId": str(number), "name": "Sea view é"})
    assert resource(node.get(f"/rooms/{room}"), "room") == {"price": 1500, "hostId": number, "name": "Sea view é", "status": "Registered"}
    assert node.get(f"/rooms/{room}").json() == body


@pytest.mark.parametrize("body,status,named", [
    ({}, 422, "price"),
    ({"name": "x"}, 422, "price"),
    ({"price": None}, 422, "price"),
    ({"price": -1}, 422, "price"),
    ({"price": "much"}, 400, "price"),
    ({"price": 1.5}, 400, "price"),
    ({"price": 1, "hostId": 0}, 422, "hostId"),
    ({"price": 1, "name": ["x"]}, 400, "name"),
    ({"price": 1, "name": "x" * 101}, 422, "name"),
    ({"prize": 1}, 422, "price"),
])
def test_a_bad_room_is_refused(node, body, status, named):
    before = total(node, "rooms")
    refused(node.post("/rooms", json=body), status, named)
    assert total(node, "rooms") == before


def test_a_deleted_room_is_removed_and_stays_readable(node):
    room, _ = create(node, "/rooms", {"price": 1})
    for _ in range(2):
        answer = node.delete(f"/rooms/{room}")
        assert answer.status_code == 204 and answer.content == b""
    assert node.get(f"/rooms/{room}").json()["status"] == "Removed"
    assert [e["eventType"] for e in all_events(node, context="room", id=room)] == ["RoomRegistered", "RoomRemoved"]
    refused(node.delete("/rooms/99999999"), 404)


def test_rooms_up_to_a_price(make_node):
    fresh = make_node()
    for price in (900, 100, 0, 500, 501):
        create(fresh, "/rooms", {"price": price})

    def up_to(price):
        return sorted(r["price"] for r in find(fresh, "rooms", "findByPriceLessThanEqual", price=price).values())

    assert up_to(500) == [0, 100, 500]
    assert up_to(499) == [0, 100]
    assert up_to(0) == [0]
    assert up_to(10**9) == [0, 100, 500, 501, 900]
    refused(fresh.get("/rooms/search/findByPriceLessThanEqual?price=cheap"), 400, "price")


# ---- bookings

def test_a_booking_comes_with_its_payment(node, number):
    answer = node.post("/books", json={"roomId": number, "price": 1000, "hostId": 10, "guestId": number, **STAY})
    body = resource(answer, "book", 201)
    booking = body["bookId"]
    assert answer.headers["Location"] == f"{node.base}/books/{booking}"
    assert body == {"bookId": booking, "roomId": number, "price": 1000, "hostId": 10, "guestId": number, "startDate": "2021-05-05",
                    "endDate": "2021-05-08", "status": "Booked"}
    paid = find(node, "payments", "findByBookId", bookId=booking)
    assert list(paid.values()) == [{"bookId": booking, "roomId": number, "guestId": number, "hostId": 10, "price": 1000, "startDate": "2021-05-05",
                                    "endDate": "2021-05-08", "status": "PayApproved"}]
    assert resource(node.get(f"/payments/{next(iter(paid))}"), "payment") == next(iter(paid.values()))
    settled(node, booking)
    assert page(node, booking) == {"bookId": booking, "roomId": number, "guestId": number, "hostId": 10, "price": 1000, "startDate": "2021-05-05",
                                   "endDate": "2021-05-08", "bookStatus": "Booked", "payStatus": "PayApproved"}


def test_a_booking_keeps_the_book_id_that_its_caller_sent(node, number):
    booking, body = create(node, "/books", {"bookId": number, "roomId": 1, "price": 1, **STAY})
    assert body["bookId"] == number != booking
    assert [p["bookId"] for p in find(node, "payments", "findByBookId", bookId=number).values()] == [number]
    settled(node, booking)
    assert page(node, booking)["bookId"] == number


def test_the_room_need_not_exist_and_may_be_booked_again_and_again(node, number):
    bookings = [book(node, number) for _ in range(3)]
    assert list(find(node, "books", "findByRoomId", roomId=number)) == bookings


@pytest.mark.parametrize("start,end", [(20210505, 20210508), ("20210505", "20210508"), ("2021-05-05", "2021-05-08"), (20210505, "2021-05-08")])
def test_dates_come_as_numbers_and_texts_and_are_answered_as_iso(node, start, end):
    _, body = create(node, "/books", {"roomId": 1, "price": 1, "startDate": start, "endDate": end})
    assert (body["startDate"], body["endDate"]) == ("2021-05-05", "2021-05-08")


def test_bookings_by_date(make_node):
    fresh = make_node()
    for day in (20210901, 20201231, "2021-03-04"):
        book(fresh, startDate=day, endDate=20220101)
    rows = fresh.get("/books?sort=startDate,desc").json()["_embedded"]["books"]
    assert [r["startDate"] for r in rows] == ["2021-09-01", "2021-03-04", "2020-12-31"]
    assert fresh.get("/profile/books", headers={"Accept": "application/schema+json"}).json()["properties"]["startDate"]["format"] == "date"


def test_a_leap_day_and_a_turn_of_the_year_are_dates(node):
    _, body = create(node, "/books", {"roomId": 1, "price": 1, "startDate": 20240229, "endDate": "20240301"})
    assert (body["startDate"], body["endDate"]) == ("2024-02-29", "2024-03-01")
    assert create(node, "/books", {"roomId": 1, "price": 1, "startDate": 20201231, "endDate": 20210101})[1]["endDate"] == "2021-01-01"


@pytest.mark.parametrize("field", ["startDate", "endDate"])
@pytest.mark.parametrize("value,status", [
    (20210230, 422), ("20210229", 422), ("2021-13-01", 422), ("2021-00-10", 422), (20210532, 422),
    ("tomorrow", 400), ("05.05.2021", 400), (True, 400), ([], 400), ({}, 400), (2021.5, 400), ("", 400), (None, 422),
])
def test_what_is_no_date_is_refused_and_named(node, field, value, status):
    before = total(node, "books"), total(node, "payments")
    refused(node.post("/books", json={"roomId": 1, "price": 1, **STAY, field: value}), status, field)
    assert (total(node, "books"), total(node, "payments")) == before


@pytest.mark.parametrize("change,status,named", [
    ({"roomId": None}, 422, "roomId"),
    ({"roomId": 0}, 422, "roomId"),
    ({"roomId": "first"}, 400, "roomId"),
    ({"price": None}, 422, "price"),
    ({"price": -1}, 422, "price"),
    ({"price": 10**13}, 422, "price"),
    ({"price": 0.5}, 400, "price"),
    ({"bookId": 0}, 422, "bookId"),
    ({"guestId": -3}, 422, "guestId"),
    ({"hostId": "me"}, 400, "hostId"),
    ({"endDate": 20210505}, 422, "endDate"),
    ({"endDate": 20210504}, 422, "endDate"),
    ({"gestId": 3}, 422, "guestId"),
])
def test_a_bad_booking_is_refused_and_nothing_is_kept(node, change, status, named):
    before = total(node, "books"), total(node, "payments")
    refused(node.post("/books", json={"roomId": 1, "price": 1, **STAY, **change}), status, named)
    assert (total(node, "books"), total(node, "payments")) == before


@pytest.mark.parametrize("missing", ["roomId", "price", "startDate", "endDate"])
def test_a_booking_without_a_required_field_is_422(node, missing):
    body = {"roomId": 1, "price": 1, **STAY}
    del body[missing]
    refused(node.post("/books", json=body), 422, missing)


# ---- what guest and host are told and see

def test_guest_and_host_are_each_told_of_booking_and_payment(node, number):
    booking = book(node, guestId=number, hostId=number + 1)
    said = told(node, booking, 4)
    assert [to for to, _ in said] == [f"guest {number}"] * 2 + [f"host {number + 1}"] * 2
    assert len(set(said)) == 4 and all(text.startswith("Hello") for _, text in said)
    for row in notifications(node, booking):
        assert set(row) == {"bookId", "to", "text", "createTime"} and row["bookId"] == booking and TIME.fullmatch(row["createTime"])
    [identity] = [i for i, r in find(node, "notifications", "findByBookId", bookId=booking).items() if (r["to"], r["text"]) == said[0]]
    assert (lambda r: (r["to"], r["text"]))(resource(node.get(f"/notifications/{identity}"), "notification")) == said[0]
    wait_until(lambda: all(f"To. {to} {text}" in node.tail(10**6) for to, text in said), what="lines in the log")
    assert all(node.tail(10**6).count(f"To. {to} {text}") == 1 for to, text in said)


def test_guest_3_is_told(make_node):
    """The line that the log adapter writes."""
    fresh = make_node({"alarm.prefix": "Dear customer,"})
    booking = book(fresh, guestId=3, hostId=4)
    said = told(fresh, booking, 4)
    assert all(text.startswith("Dear customer,") for _, text in said)
    wait_until(lambda: fresh.tail(10**6).count("To. guest 3 Dear customer,") == 2, what="both lines to the guest")
    wait_until(lambda: fresh.tail(10**6).count("To. host 4 Dear customer,") == 2, what="both lines to the host")


def test_who_has_no_number_is_told_as_guest_or_host(node):
    booking = book(node)
    assert [to for to, _ in told(node, booking, 4)] == ["guest", "guest", "host", "host"]


def test_finders_of_the_page(node, number):
    mine = [settled(node, book(node, guestId=number, hostId=number + 1)) for _ in range(2)]
    other = settled(node, book(node, guestId=number + 2, hostId=number + 1))
    assert list(find(node, "mypages", "findByGuestId", guestId=number)) == mine
    assert list(find(node, "mypages", "findByHostId", hostId=number + 1)) == [*mine, other]


# ---- cancel

def test_a_cancel_takes_the_payment_back_and_tells_the_guest(node, number):
    booking = settled(node, book(node, guestId=number, hostId=number + 1))
    before = told(node, booking, 4)
    answer = node.delete(f"/books/{booking}")
    assert answer.status_code == 204 and answer.content == b""
    assert node.get(f"/books/{booking}").json()["status"] == "BookCanceled"
    wait_until(lambda: node.get(f"/payments/{booking}").json()["status"] == "PayCanceled", what="PayCanceled")
    assert is_canceled(node, booking)
    after = told(node, booking, 5)
    further = [line for line in after if line not in before]
    assert further and all(to == f"guest {number}" and text.startswith("Hello") for to, text in further)
    assert len(after) == len(before) + len(further)
    assert [b["bookStatus"] for b in find(node, "mypages", "findByHostId", hostId=number + 1).values()] == ["BookCanceled"]
    chain = {e["eventType"]: e["traceId"] for e in all_events(node, id=booking) if e["context"] in ("book", "pay")}
    assert chain["BookCanceled"] == chain["PaymentCanceled"]


def test_a_cancel_by_its_booking_finds_the_payment_of_that_booking(node, number):
    """Two bookings under one bookId: only the canceled one's payment is canceled."""
    first, second = book(node, bookId=number), book(node, bookId=number)
    assert node.delete(f"/books/{second}").status_code == 204
    assert is_canceled(node, second)
    nothing_under_way(node)
    assert [p["status"] for p in find(node, "payments", "findByBookId", bookId=number).values()] == ["PayApproved", "PayCanceled"]
    assert page(node, first)["payStatus"] == "PayApproved" and node.get(f"/books/{first}").json()["status"] == "Booked"


def test_canceling_twice_is_204_and_one_cancellation(node, number):
    booking = settled(node, book(node, guestId=number))
    assert [node.delete(f"/books/{booking}").status_code for _ in range(2)] == [204, 204]
    assert is_canceled(node, booking)
    nothing_under_way(node)
    said = told(node, booking, 5)
    assert node.delete(f"/books/{booking}").status_code == 204
    nothing_under_way(node)
    assert told(node, booking, 5) == said
    counts = collections.Counter(e["eventType"] for e in all_events(node, id=booking) if e["context"] in ("book", "pay"))
    assert counts == {"Booked": 1, "BookCanceled": 1, "PaymentApproved": 1, "PaymentCanceled": 1}


def test_many_cancels_at_once_are_one(node):
    booking = book(node)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: node.delete(f"/books/{booking}").status_code, range(16)))
    assert codes == [204] * 16
    assert is_canceled(node, booking)
    assert sum(e["eventType"] == "BookCanceled" for e in all_events(node, id=booking, context="book")) == 1


def test_a_stale_if_match_keeps_the_booking(node):
    booking = book(node)
    refused(node.delete(f"/books/{booking}", headers={"If-Match": '"99"'}), 412)
    assert node.get(f"/books/{booking}").json()["status"] == "Booked"
    assert node.delete(f"/books/{booking}", headers={"If-Match": node.get(f"/books/{booking}").headers["ETag"]}).status_code == 204


def test_a_booking_that_is_not_there_cannot_be_canceled(node):
    refused(node.delete("/books/99999999"), 404)


# ---- settings

def test_with_require_room_only_a_registered_room_can_be_booked(make_node):
    fresh = make_node({"hotel.requireRoom": "true"})
    room, _ = create(fresh, "/rooms", {"price": 1})
    refused(fresh.post("/books", json={"roomId": room + 1, "price": 1, **STAY}), 422, "room")
    assert total(fresh, "books") == total(fresh, "payments") == 0
    book(fresh, room)
    assert fresh.delete(f"/rooms/{room}").status_code == 204
    refused(fresh.post("/books", json={"roomId": room, "price": 1, **STAY}), 422, "room")
    assert total(fresh, "books") == total(fresh, "payments") == 1


def test_with_reject_overlaps_no_stay_overlaps_another(make_node):
    fresh = make_node({"hotel.rejectOverlaps": "true"})

    def ask(start, end, room=1):
        return fresh.post("/books", json={"roomId": room, "price": 1, "startDate": start, "endDate": end})

    assert ask(20210510, 20210515).status_code == 201
    for start, end in [(20210510, 20210515), (20210509, 20210511), (20210514, 20210520), (20210511, 20210512), (20210501, 20210531)]:
        refused(ask(start, end), 409)
    assert total(fresh, "books") == total(fresh, "payments") == 1
    assert ask(20210515, 20210516).status_code == 201  # arrives on the day when the other leaves
    assert ask(20210509, 20210510).status_code == 201
    assert ask(20210510, 20210515, room=2).status_code == 201
    assert fresh.delete("/books/1").status_code == 204
    wait_until(lambda: ask(20210510, 20210515).status_code == 201, what="the room is free again")
    refused(ask(20210510, 20210515), 409)
    nothing_under_way(fresh)
    assert total(fresh, "books") == total(fresh, "payments") == 5


def test_with_reject_overlaps_one_of_many_bookings_at_once_wins(make_node):
    fresh = make_node({"hotel.rejectOverlaps": "true"})
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: fresh.post("/books", json={"roomId": 7, "price": 1, **STAY}).status_code, range(64)))
    assert collections.Counter(codes) == {201: 1, 409: 63}
    assert total(fresh, "books") == total(fresh, "payments") == 1


# ---- idempotency, finders, verbs, documents

def test_a_booking_under_a_key_is_made_once(node, number):
    headers = {"Idempotency-Key": f"book-{number}"}
    body = {"roomId": number, "price": 1, **STAY}
    first, second = (node.post("/books", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() and first.headers["Location"] == second.headers["Location"]
    assert len(find(node, "books", "findByRoomId", roomId=number)) == 1
    refused(node.post("/books", json={**body, "price": 2}, headers=headers), 422)


@pytest.mark.parametrize("collection,finders", [
    ("rooms", {"findByPriceLessThanEqual": {"price": -1}}),
    ("books", {"findByRoomId": {"roomId": 999999}}),
    ("payments", {"findByBookId": {"bookId": 999999}}),
    ("notifications", {"findByBookId": {"bookId": 999999}}),
    ("mypages", {"findByGuestId": {"guestId": 999999}, "findByHostId": {"hostId": 999999}}),
])
def test_search(node, collection, finders):
    has_finders(node, collection, finders)


def test_verbs(node):
    room, _ = create(node, "/rooms", {"price": 1})
    booking = settled(node, book(node))
    said = min(i for i, _ in all_rows(node, "notifications"))
    for path in ("/rooms", "/books"):
        takes_only(node, path, "POST")
    for path in (f"/rooms/{room}", f"/books/{booking}"):
        takes_only(node, path, "DELETE")
    for path in ("/payments", f"/payments/{booking}", "/notifications", f"/notifications/{said}", "/mypages", f"/mypages/{booking}"):
        takes_only(node, path)


def test_documents(node):
    is_linked_and_described(node, ["rooms", "books", "payments", "notifications", "mypages"])


def test_contexts(node):
    names = [c["name"] for c in node.get("/actuator/contexts").json()]
    assert names[:5] == ["room", "book", "pay", "mypage", "alarm"]


# ---- events

def test_events_of_the_whole_flow(make_node):
    fresh = make_node()
    room, _ = create(fresh, "/rooms", {"price": 1500, "hostId": 10})
    booking = settled(fresh, book(fresh, room, guestId=3, hostId=10))
    fresh.delete(f"/books/{booking}")
    assert is_canceled(fresh, booking)
    fresh.delete(f"/rooms/{room}")
    nothing_under_way(fresh)
    events = all_events(fresh)
    are_events(events)
    counts = collections.Counter(e["eventType"] for e in events)
    assert counts.pop("Notified") == total(fresh, "notifications") >= 5
    assert counts == {"RoomRegistered": 1, "Booked": 1, "PaymentApproved": 1, "BookCanceled": 1, "PaymentCanceled": 1, "RoomRemoved": 1}
    booked = next(e for e in events if e["eventType"] == "Booked")
    assert {k: booked[k] for k in ("id", "bookId", "roomId", "price", "hostId", "guestId", "startDate", "endDate", "status", "context")} == {
        "id": booking, "bookId": booking, "roomId": room, "price": 1000, "hostId": 10, "guestId": 3, "startDate": "2021-05-05",
        "endDate": "2021-05-08", "status": "Booked", "context": "book"}
    assert not any(name in e for e in events for name in ("voided", "inCalendar"))
    history = fresh.get(f"/books/{booking}/events", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert [json.loads(line)["eventType"] for line in history] == ["Booked", "BookCanceled"]


def test_all_of_it_is_there_after_kill_9(make_node):
    fresh = make_node()
    kept, gone = (settled(fresh, book(fresh, guestId=3, hostId=4)) for _ in range(2))
    fresh.delete(f"/books/{gone}")
    assert is_canceled(fresh, gone)
    nothing_under_way(fresh)
    paths = [f"/{c}/{i}" for c in ("books", "payments", "mypages") for i in (kept, gone)] + ["/notifications?size=100"]
    before = [fresh.get(p).json() for p in paths]
    fresh.kill9()
    fresh.start()
    nothing_under_way(fresh)
    assert [fresh.get(p).json() for p in paths] == before
