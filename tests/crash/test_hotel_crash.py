"""kill -9 at random moments under load: the hotel. A payment stands exactly where its booking stands, and everybody is told once."""

import collections
import datetime
import itertools

from crema import all_rows, nothing_under_way, total, wait_until
from rounds import Story, kill_9_at_random_moments

SYSTEM = "hotel"
OPEN_CHAINS = {"pay.slow.minMs": 1, "pay.slow.maxMs": 15}  # so that many are halfway when the crash comes
GUESTS, CANCELERS = 7, 2
ROOMS, DAYS = 40, 500
ASKED_AGAIN_MAX = 40
STATES = {"Booked": "PayApproved", "BookCanceled": "PayCanceled"}


class Hotel(Story):
    """With overlapping stays refused: a booking that did not come about must not keep its room."""

    def __init__(self):
        super().__init__()
        self.numbers = itertools.count(1)  # of guests: each books once, so that a second booking would show
        self.canceled = []

    def people(self):
        return [self.guest] * GUESTS + [self.canceler] * CANCELERS

    def guest(self, me):
        start = datetime.date(2021, 1, 1) + datetime.timedelta(days=me.rng.randrange(DAYS))
        body = {"roomId": me.rng.randrange(1, ROOMS + 1), "price": me.rng.randrange(1000), "hostId": me.rng.randrange(1, 5), "guestId": next(self.numbers),
                "startDate": start.isoformat(), "endDate": (start + datetime.timedelta(days=me.rng.randrange(1, 4))).isoformat()}
        me.send("POST", "/books", body, {201, 409})

    def canceler(self, me):
        booking = me.someone()
        if booking is not None and me.delete(f"/books/{booking}", {204}) == 204:
            self.canceled.append(booking)

    def finish(self, node, rng):
        """Whoever never got an answer asks again, and is refused only where somebody else has the room."""
        for a in [a for a in self.asked if a.status is None][:ASKED_AGAIN_MAX]:
            books = dict(all_rows(node, "books"))
            taken = any(overlap(b, a.body) and b["guestId"] != a.body["guestId"] for b in books.values() if b["status"] == "Booked")
            reply = a.ask(node.session, node.base)
            assert a.status == (409 if taken else 201), reply.text

    def check(self, node):
        nothing_under_way(node)
        wait_until(lambda: len({total(node, c) for c in ("books", "payments", "mypages")}) == 1, 60, "one of each for every booking")
        books, payments = dict(all_rows(node, "books")), dict(all_rows(node, "payments"))
        self.exist_once([b["guestId"] for b in books.values()], lambda body: body["guestId"])
        for a in self.answered("POST"):
            assert {k: books[a.made()][k] for k in a.body} == a.body
        for booking in self.canceled:
            assert books[booking]["status"] == "BookCanceled"

        # A payment stands exactly where its booking stands.
        assert books.keys() == payments.keys() and {b["bookId"]: i for i, b in books.items()} == {p["bookId"]: i for i, p in payments.items()}
        for i, b in books.items():
            assert payments[i]["status"] == STATES[b["status"]], (i, b, payments[i])
            assert all(payments[i][k] == b[k] for k in ("roomId", "guestId", "hostId", "price", "startDate", "endDate"))

        # No stay overlaps another.
        by_room = collections.defaultdict(list)
        for b in books.values():
            if b["status"] == "Booked":
                by_room[b["roomId"]].append((b["startDate"], b["endDate"]))
        for stays in by_room.values():
            assert all(one[1] <= next_one[0] for one, next_one in itertools.pairwise(sorted(stays))), stays

        # Everybody is told of everything, once.
        said = [(n["bookId"], n["to"], n["text"]) for _, n in all_rows(node, "notifications")]
        assert len(said) == len(set(said))
        count = collections.Counter(book_id for book_id, _, _ in said)
        assert count == {b["bookId"]: 4 if b["status"] == "Booked" else 6 for b in books.values()}
        guests = {b["bookId"]: (f"guest {b['guestId']}", f"host {b['hostId']}") for b in books.values()}
        assert all(to in guests[book_id] for book_id, to, _ in said)

        def shown():
            rows = dict(all_rows(node, "mypages"))
            return rows.keys() == books.keys() and all(
                (r["bookStatus"], r["payStatus"]) == (books[i]["status"], payments[i]["status"]) and r["guestId"] == books[i]["guestId"]
                for i, r in rows.items())
        wait_until(shown, 30, "the view", pause_s=0.2)
        assert node.get("/actuator/deadletters").json() == []


def overlap(one, other):
    return one["roomId"] == other["roomId"] and one["startDate"] < other["endDate"] and other["startDate"] < one["endDate"]


def test_kill_9_at_random_moments(make_node, rng, rounds):
    kill_9_at_random_moments(make_node({"hotel.rejectOverlaps": "true", **OPEN_CHAINS}), Hotel(), rng, rounds)
