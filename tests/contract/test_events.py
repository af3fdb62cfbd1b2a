"""spec/http.md: GET /events as NDJSON and SSE, with follow, filters and resume; the history of one aggregate."""

import json
import re

import pytest

from crema import Node, all_events, drink_of, nothing_under_way, place, run, set_status, wait_until

NDJSON = {"Accept": "application/x-ndjson"}
SSE = {"Accept": "text/event-stream"}


class Sse:
    """Server-sent events from a stream, one at a time; comments and what is no event are skipped."""

    def __init__(self, node, path, **headers):
        self.answer = node.get(path, headers={**SSE, **headers}, stream=True)
        assert self.answer.status_code == 200, self.answer.text
        assert self.answer.headers["Content-Type"].startswith("text/event-stream")
        self.history = self.answer.headers["Crema-History"]
        assert re.fullmatch("[0-9a-f]{16}", self.history)
        self.lines = self.answer.iter_lines(chunk_size=1)

    def next(self):
        event = {}
        for raw in self.lines:
            line = raw.decode()
            if line.startswith(":"):
                continue
            if not line:
                if "data" in event:
                    return event
                event = {}  # "retry:" alone is no event
                continue
            name, _, text = line.partition(":")
            event[name] = text.removeprefix(" ")
        raise AssertionError("the stream ended")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answer.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A node with two orders; the first is receipted, the second canceled. All messages are delivered."""
    node = Node(tmp_path_factory.mktemp("events")).start()
    first, second = place(node, "01011111111"), place(node, "01022222222", amt=500)
    set_status(node, f"/drinks/{drink_of(node, first)}", "Receipted")
    drink_of(node, second)
    set_status(node, f"/orders/{second}", "OrderCanceled")
    wait_until(lambda: any(e["eventType"] == "SaleUncounted" for e in all_events(node)), what="SaleUncounted")
    yield node
    node.stop()


def test_each_line_is_one_event(told):
    answer = told.get("/events", headers=NDJSON)
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    events = [json.loads(line) for line in answer.text.splitlines()]
    for e in events:
        assert {"eventType", "timestamp", "offset", "traceId", "context"} <= e.keys()
        assert re.fullmatch(r"\d{14}", e["timestamp"])
        assert re.fullmatch(r"[0-9a-f]{32}", e["traceId"])
    offsets = [e["offset"] for e in events]
    assert offsets == sorted(set(offsets)) and offsets[0] >= 1
    counts = {t: sum(e["eventType"] == t for e in events) for t in {e["eventType"] for e in events}}
    assert counts == {"Ordered": 2, "PaymentApproved": 2, "SaleCounted": 2, "DrinkOrdered": 2, "Receipted": 1, "OrderCanceled": 1, "DrinkCanceled": 1,
                      "PaymentCanceled": 1, "SaleUncounted": 1}


def test_an_event_carries_the_aggregates_fields_and_no_hidden_ones(told):
    ordered = next(e for e in all_events(told) if e["eventType"] == "Ordered")
    assert ordered["phoneNumber"] == "01011111111" and ordered["productName"] == "coffee" and ordered["qty"] == 2 and ordered["amt"] == 1000
    assert ordered["status"] == "Ordered" and ordered["context"] == "order"
    assert not any(name in e for e in all_events(told) for name in ("voided", "cancelAttempt", "progress"))


def test_filters(told):
    everything = all_events(told)
    assert all_events(told, type="Ordered") == [e for e in everything if e["eventType"] == "Ordered"]
    assert all_events(told, context="drink") == [e for e in everything if e["context"] == "drink"]
    assert {e["context"] for e in all_events(told, id=2)} >= {"order", "payment", "drink"}
    assert [e["eventType"] for e in all_events(told, context="order", id=2)] == ["Ordered", "OrderCanceled"]
    middle = everything[len(everything) // 2]["offset"]
    assert all_events(told, **{"from": middle}) == [e for e in everything if e["offset"] >= middle]
    assert all_events(told, **{"from": everything[-1]["offset"] + 1}) == []


@pytest.mark.parametrize("query", ["type=Nothing", "context=nothing", "id=x", "from=x", "follow=maybe"])
def test_a_bad_filter_is_400(told, query):
    assert told.get(f"/events?{query}", headers=NDJSON).status_code == 400


def test_follow_tells_what_comes(told):
    last = all_events(told)[-1]["offset"]
    with told.get(f"/events?follow=true&from={last + 1}", headers=NDJSON, stream=True) as answer:
        order_id = place(told, "01033333333")
        lines = (json.loads(line) for line in answer.iter_lines(chunk_size=1) if line)
        event = next(e for e in lines if e["eventType"] == "Ordered")
    assert event["phoneNumber"] == "01033333333" and event["offset"] > last and event["id"] == order_id


def test_following_from_the_start_misses_nothing_and_doubles_nothing(told):
    before = [e["offset"] for e in all_events(told, type="Ordered")]
    stream = told.lines("/events?follow=true&type=Ordered", headers=NDJSON)
    seen = [json.loads(next(stream))["offset"] for _ in before]
    assert seen == before
    for n in range(5):
        place(told)
        assert json.loads(next(line for line in stream if line))["offset"] > seen[-1]
    stream.close()


def test_sse_has_ids_and_data_and_goes_on(told):
    expected = all_events(told, type="Ordered")
    with Sse(told, "/events?type=Ordered") as stream:
        for e in expected:
            got = stream.next()
            assert got["id"] == f"{stream.history}-{e['offset']}" and json.loads(got["data"]) == e
        place(told, "01044444444")
        assert json.loads(stream.next()["data"])["phoneNumber"] == "01044444444"


def test_sse_resumes_after_last_event_id(told):
    events = all_events(told)
    with Sse(told, "/events") as stream:
        seen = [stream.next()["id"] for _ in range(3)]
        history = stream.history
    for last in (seen[-1], seen[-1].removeprefix(f"{history}-")):  # a plain number is of the present history
        for path in ("/events", "/events?from=1"):
            with Sse(told, path, **{"Last-Event-ID": last}) as stream:
                assert stream.next()["id"] == f"{history}-{events[3]['offset']}"


def test_a_place_ahead_of_the_end_is_lost(told):
    ahead = all_events(told)[-1]["offset"] + 1000
    for path in ("/events", "/orders/1/events"):
        with Sse(told, path, **{"Last-Event-ID": str(ahead)}) as stream:
            reset = stream.next()
            assert reset["event"] == "reset" and str(ahead) in json.loads(reset["data"])["reason"]
            assert json.loads(reset["data"])["history"] == stream.history
            with pytest.raises(AssertionError, match="the stream ended"):
                stream.next()
        refused = told.get(f"{path}?from={ahead}", headers=NDJSON)
        assert refused.status_code == 410 and refused.json()["type"] == "/problems/place-lost"


def test_after_a_restore_a_followers_place_is_lost(make_node, tmp_path):
    """Ahead of the cut or behind it: what the follower saw is not what is served now."""
    first = make_node()
    for _ in range(5):
        place(first)
    nothing_under_way(first)
    events = all_events(first)
    with Sse(first, "/events") as stream:
        ids = [stream.next()["id"] for _ in events]
        history = stream.history
    assert run("backup", str(tmp_path / "backup"), "--url", first.base).returncode == 0
    first.stop()
    second = make_node(name="second", started=False)
    assert run("restore", str(tmp_path / "backup"), "--data", str(second.data), "--to", str(events[4]["offset"])).returncode == 0
    second.start()
    for _ in range(10):
        place(second)
    wait_until(lambda: all_events(second)[-1]["offset"] > events[-1]["offset"], what="a longer history")
    for last in (ids[0], ids[-1]):
        with Sse(second, "/events", **{"Last-Event-ID": last}) as stream:
            assert stream.history != history
            assert history in json.loads(stream.next()["data"])["reason"]
        assert second.get(f"/events?from={last}", headers=NDJSON).status_code == 410
        told = run("events", "--from", last, "--url", second.base)
        assert told.returncode == 1 and history in told.stderr


def test_sse_resumes_after_a_crash(make_node):
    fresh = make_node()
    place(fresh, "01011111111")
    with Sse(fresh, "/events?type=Ordered") as stream:
        last = stream.next()["id"]
    place(fresh, "01022222222")
    fresh.kill9()
    fresh.start()
    with Sse(fresh, "/events?type=Ordered", **{"Last-Event-ID": last}) as stream:
        assert json.loads(stream.next()["data"])["phoneNumber"] == "01022222222"


def test_a_silent_stream_shows_signs_of_life(make_node):
    fresh = make_node({"http.sseHeartbeatMs": 100})
    answer = fresh.get("/events", headers=SSE, stream=True)
    assert next(line for line in answer.iter_lines(chunk_size=1) if line.startswith(b":"))
    answer.close()


def test_a_silent_ndjson_stream_shows_signs_of_life_too(make_node):
    fresh = make_node({"http.sseHeartbeatMs": 100})
    with fresh.get("/events?follow=true", headers=NDJSON, stream=True) as answer:
        lines = answer.iter_lines(chunk_size=1)
        assert [next(lines) for _ in range(2)] == [b"", b""]
        place(fresh)
        assert json.loads(next(line for line in lines if line))["eventType"]


@pytest.mark.parametrize("path", ["/events", "/events?follow=true", "/orders/1/events"])
@pytest.mark.parametrize("accept", [NDJSON, SSE], ids=["ndjson", "sse"])
def test_head_of_a_stream_is_the_head_of_its_get(told, path, accept):
    head = told.request("HEAD", path, headers=accept)
    with told.get(path, headers=accept, stream=True) as got:
        names = ("Content-Type", "Transfer-Encoding", "Cache-Control", "Content-Length", "Vary")
        assert [head.headers.get(n) for n in names] == [got.headers.get(n) for n in names]
    assert head.status_code == 200 and head.content == b""


def test_streams_are_limited(make_node):
    fresh = make_node({"http.eventStreamsMax": 2})
    open_streams = [fresh.get("/events", headers=SSE, stream=True) for _ in range(2)]
    assert [s.status_code for s in open_streams] == [200, 200]
    refused = fresh.get("/events", headers=SSE, stream=True)
    assert refused.status_code == 503 and refused.headers["Retry-After"]
    open_streams[0].close()
    wait_until(lambda: fresh.get("/events", headers=SSE, stream=True).status_code == 200, what="a place for a stream")


def test_the_history_of_one_aggregate(told):
    answer = told.get("/orders/2/events", headers=NDJSON)
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert [e["eventType"] for e in events] == ["Ordered", "OrderCanceled"]
    drink = [json.loads(line)["eventType"] for line in told.get("/drinks/1/events", headers=NDJSON).text.splitlines()]
    assert drink == ["DrinkOrdered", "Receipted"]
    assert told.get("/orders/99999999/events").status_code == 404
    assert told.get("/mypages/1/events").status_code == 404


def test_the_history_of_one_aggregate_as_live_updates(told):
    order_id = place(told)
    drink_of(told, order_id)
    with Sse(told, f"/orders/{order_id}/events") as stream:
        assert json.loads(stream.next()["data"])["eventType"] == "Ordered"
        set_status(told, f"/orders/{order_id}", "OrderCanceled")
        canceled = stream.next()
        assert json.loads(canceled["data"])["eventType"] == "OrderCanceled"
    with Sse(told, f"/orders/{order_id}/events", **{"Last-Event-ID": str(int(canceled["id"].split("-")[1]) - 1)}) as stream:
        assert json.loads(stream.next()["data"])["eventType"] == "OrderCanceled"


def test_offsets_and_events_outlive_a_crash(make_node):
    fresh = make_node()
    for _ in range(10):
        place(fresh)
    before = all_events(fresh, context="order")
    fresh.kill9()
    fresh.start()
    assert all_events(fresh, context="order") == before
