"""Requests no HTTP library would send: slow, cut, pipelined, oversized, garbage. Answered or dropped within limits, and the node lives on."""

import json
import re
import socket

import pytest

from crema import Node, order_body, place, total, wait_until

BODY = json.dumps(order_body()).encode()
POST = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
GET = b"GET /orders?size=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A node that waits for nobody for long."""
    node = Node(tmp_path_factory.mktemp("wire"), {"http.requestReadTimeoutMs": 500, "http.keepAliveIdleMs": 700}).start()
    yield node
    node.stop()


def read_to_end(connection):
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except ConnectionResetError:
        pass
    return got


def read_answer(file):
    """One answer from a connection that stays open: (status, headers, body)."""
    status = int(file.readline().split()[1])
    headers = {}
    while (line := file.readline()) not in (b"\r\n", b""):
        name, _, text = line.decode().partition(":")
        headers[name.lower()] = text.strip()
    return status, headers, file.read(int(headers.get("content-length", 0)))


def statuses(data):
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def timeouts(node):
    return float(re.search(r'^crema_http_timeouts_total\{what="read"\} (\S+)$', node.get("/actuator/prometheus").text, re.M)[1])


def not_requests(node):
    return float(re.search(r"^crema_http_bad_requests_total (\S+)$", node.get("/actuator/prometheus").text, re.M)[1])


def test_a_slow_loris_is_dropped_in_time_and_counted(quick):
    before = timeouts(quick)
    with quick.connect() as s:
        s.sendall(b"POST /orders HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        got = read_to_end(s)
    assert got == b"" or statuses(got) == [408]
    wait_until(lambda: timeouts(quick) > before, what="the slow client is counted")


def test_a_body_that_never_comes_is_dropped_in_time(quick):
    with quick.connect() as s:
        s.sendall(POST[:-10])
        got = read_to_end(s)
    assert got == b"" or statuses(got) == [408]
    assert total(quick, "orders") == 0


def test_many_slow_clients_hold_up_nobody(quick):
    slow = [quick.connect() for _ in range(200)]
    for s in slow:
        s.sendall(b"GET / HTTP/1.1\r\nHo")
    answer = quick.get("/orders")
    assert answer.status_code == 200 and answer.elapsed.total_seconds() < 0.5
    for s in slow:
        read_to_end(s)
        s.close()


def test_an_idle_connection_is_closed(quick):
    with quick.connect() as s:
        assert read_to_end(s) == b""
    with quick.connect() as s:
        s.sendall(GET)
        assert statuses(read_to_end(s)) == [200]


def test_a_half_closed_connection_is_answered(quick):
    with quick.connect() as s:
        s.sendall(GET)
        s.shutdown(socket.SHUT_WR)
        assert statuses(read_to_end(s)) == [200]


def test_a_half_closed_order_is_answered_or_not_kept_in_halves(make_node):
    node = make_node()
    with node.connect() as s:
        s.sendall(POST)
        s.shutdown(socket.SHUT_WR)
        got = statuses(read_to_end(s))
    assert got in ([201], [])
    wait_until(lambda: total(node, "orders") == total(node, "payments"), what="whole orders")
    if got:
        assert total(node, "orders") == 1


def test_a_client_that_goes_away_harms_nobody(node):
    for _ in range(50):
        s = node.connect()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.sendall(POST)
        s.close()
    place(node)


def test_pipelined_requests_are_answered_in_order(make_node):
    node = make_node()
    missing = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with node.connect() as s:
        s.sendall(POST + GET + missing + POST + last)
        got = read_to_end(s)
    assert statuses(got) == [201, 200, 404, 201, 200]
    assert total(node, "orders") == 2


def test_a_pipelined_get_sees_the_order_before_it(make_node):
    node = make_node()
    with node.connect() as s:
        file = s.makefile("rb")
        s.sendall(POST + b"GET /orders/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_answer(file)[0] == 201
        assert read_answer(file)[0] == 200


def test_two_hundred_pipelined_requests(quick):
    with quick.connect() as s:
        file = s.makefile("rb")
        s.sendall(GET * 200)
        assert [read_answer(file)[0] for _ in range(200)] == [200] * 200


def test_keep_alive_and_close(quick):
    with quick.connect() as s:
        file = s.makefile("rb")
        for _ in range(3):
            s.sendall(GET)
            status, headers, _ = read_answer(file)
            assert status == 200 and headers.get("connection", "keep-alive").lower() != "close"
        s.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        _, headers, _ = read_answer(file)
        assert headers["connection"].lower() == "close"
        assert file.read() == b""


def test_http_1_0_is_answered_and_closed(quick):
    with quick.connect() as s:
        s.sendall(b"GET /orders HTTP/1.0\r\n\r\n")
        got = read_to_end(s)
    assert re.match(rb"HTTP/1\.[01] 200 ", got)


def test_expect_100_continue(node):
    with node.connect() as s:
        file = s.makefile("rb")
        head, body = POST.split(b"\r\n\r\n")
        s.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert file.readline().split()[1] == b"100"
        assert file.readline() == b"\r\n"
        s.sendall(body)
        assert read_answer(file)[0] == 201


def test_a_declared_length_over_the_limit_is_refused_before_the_body(quick):
    with quick.connect() as s:
        s.sendall(b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999999999\r\n\r\n")
        assert statuses(read_to_end(s)) == [413]


def test_a_chunked_body_is_taken(node):
    with node.connect() as s:
        file = s.makefile("rb")
        s.sendall(b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (BODY[:7], BODY[7:]):
            s.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        s.sendall(b"0\r\n\r\n")
        assert read_answer(file)[0] == 201


@pytest.mark.parametrize("garbage", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,  # a TLS hello
    b"\x00" * 1000, b"\r\n\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"HELO there\r\n\r\n", b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /orders/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
    b"G" * 20000,
], ids=lambda g: repr(g[:24]))
def test_garbage_is_refused_or_dropped(quick, garbage):
    with quick.connect() as s:
        try:
            s.sendall(garbage)
        except (BrokenPipeError, ConnectionResetError):
            pass
        got = read_to_end(s)
    assert all(400 <= status < 506 for status in statuses(got)) and len(statuses(got)) <= 1, got
    assert quick.get("/actuator/health/liveness").status_code == 200


SECOND = b"GET /orders/77777777 HTTP/1.1\r\nHost: a\r\n\r\n"


def framed(*lines, body=b"", version=b"HTTP/1.1"):
    return b"POST /orders " + version + b"\r\nHost: a\r\nContent-Type: application/json\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


@pytest.mark.parametrize("status,request_bytes", [
    (400, framed(b"Content-Length: 44", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    (400, framed(b"Transfer-Encoding: chunked", b"Content-Length: 44", body=b"0\r\n\r\n")),
    (501, framed(b"Transfer-Encoding: gzip", b"Content-Length: 4", body=b"{}  ")),
    (501, framed(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")),
    (501, framed(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n")),
    (501, framed(b"Transfer-Encoding: identity")),
    (501, framed(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n")),
    (400, framed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    (400, framed(b"Transfer-Encoding:")),
    (400, framed(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n")),
    (400, framed(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n", version=b"HTTP/1.0")),
    (400, framed(b"Content-Length: 1", b"Content-Length: 2", body=b"{}")),
    (400, framed(b"Content-Length: 1, 2", body=b"{}")),
    (400, framed(b"Content-Length: +2", body=b"{}")),
    (400, framed(b"Content-Length: 0x2", body=b"{}")),
    (400, framed(b"Content-Length: 18446744073709551618", body=b"{}")),
    (400, framed(b"Transfer-Encoding: chunked", body=b"0x2\r\n{}\r\n0\r\n\r\n")),
    (400, framed(b"Transfer-Encoding: chunked", body=b"-2\r\n{}\r\n0\r\n\r\n")),
    (400, framed(b"Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\n")),
    (400, framed(b"Transfer-Encoding: chunked", body=b"2\n{}\r\n0\r\n\r\n")),
    (400, b"GET / HTTP/1.1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    (400, b"GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, b"GET / HTTP/1.1\nHost: a\n\n"),
], ids=lambda r: repr(r[-60:]) if isinstance(r, bytes) else str(r))
def test_where_a_request_ends_is_never_guessed(quick, status, request_bytes):
    """One refusal, and the connection ends: what follows is never taken for a request of its own."""
    before = total(quick, "orders")
    with quick.connect() as s:
        s.sendall(request_bytes + SECOND)
        got = read_to_end(s)
    assert statuses(got) == [status], got
    assert total(quick, "orders") == before


def test_the_authority_of_an_absolute_target_wins_over_host(quick):
    with quick.connect() as s:
        s.sendall(b"GET http://shop.example:81/orders?size=1 HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n")
        got = read_to_end(s)
    assert statuses(got) == [200] and b"http://shop.example:81/orders" in got and b"other.example" not in got


def test_options_for_the_whole_server(quick):
    with quick.connect() as s:
        s.sendall(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nGET * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert statuses(read_to_end(s)) == [200, 400]


def test_random_bytes_are_refused_or_dropped_and_counted(quick, rng):
    before = not_requests(quick)
    for _ in range(50):
        with quick.connect() as s:
            try:
                s.sendall(rng.randbytes(rng.randrange(1, 2000)) + b"\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert all(400 <= status < 506 for status in statuses(read_to_end(s)))
    assert not_requests(quick) > before
    assert quick.get("/actuator/health/liveness").status_code == 200


def test_damaged_requests_are_refused_or_taken_whole(quick, rng):
    """Single bytes of a good order changed: whatever is answered 201 is an order, and nothing else is."""
    before, taken = total(quick, "orders"), 0
    for _ in range(100):
        damaged = bytearray(POST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with quick.connect() as s:
            s.sendall(bytes(damaged))
            s.shutdown(socket.SHUT_WR)
            taken += statuses(read_to_end(s)).count(201)
    wait_until(lambda: total(quick, "orders") == total(quick, "payments"), what="whole orders")
    assert total(quick, "orders") >= before + taken


def test_more_connections_than_the_limit_are_turned_away(make_node):
    node = make_node({"http.connectionsMax": 10})
    held = [node.connect() for _ in range(10)]
    for s in held:
        s.sendall(GET)
        s.recv(65536)
    with node.connect() as s:
        s.settimeout(5)
        try:
            s.sendall(GET)
            assert statuses(read_to_end(s)) in ([], [503])
        except (BrokenPipeError, ConnectionResetError):
            pass
    for s in held:
        s.close()
    wait_until(node.is_ready, what="a place for a connection")
