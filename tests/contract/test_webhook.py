"""Notifications as POSTs: to a receiver that speaks TLS, with a certificate as people make one for themselves, and to one that takes
some and refuses others."""

import http.server
import json
import ssl
import subprocess
import threading

import pytest

from crema import place, run, wait_until


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate, key): made out to 127.0.0.1, signed by itself."""
    directory = tmp_path_factory.mktemp("certificate")
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=receiver",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def receiver(certificate):
    """Takes what is posted; `taken` is that, in order."""
    taken = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):  # a client that does not trust it is no fault of its own
            pass

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.taken, server.url = taken, f"https://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook():
    """A receiver without TLS. `answer(to)` gives the status for each post; `posts` is (headers, body, status), in order."""
    posts = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = server.answer(body["to"])
            posts.append((dict(self.headers), body, status))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.posts, server.answer, server.url = posts, lambda _: 204, f"http://127.0.0.1:{server.server_port}/hook"
    server.told = lambda: {body["to"] for _, body, status in list(posts) if status == 204}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def to(receiver, **more):
    return {"notify.adapter": "webhook", "notify.webhookUrl": receiver.url, "notify.retryMinMs": 20, "notify.retryMaxMs": 100, **more}


def test_a_notification_arrives_over_tls(make_node, receiver, certificate):
    node = make_node(to(receiver, **{"notify.webhookCaFile": certificate[0]}))
    place(node, "01044445555")
    wait_until(lambda: receiver.taken, what="a notification at the receiver")
    assert receiver.taken[0]["to"] == "01044445555"


def test_a_receiver_that_is_not_trusted_gets_nothing_until_its_certificate_is_named(make_node, receiver, certificate):
    node = make_node(to(receiver))
    place(node, "01044445555")
    log = node.data / "logs" / "crema.log"
    wait_until(lambda: log.read_text().count("certificate verify failed: self-signed certificate") >= 2, what="a second try in the log")
    assert receiver.taken == []
    node.settings["notify.webhookCaFile"] = certificate[0]
    node.restart()
    wait_until(lambda: receiver.taken, what="the notification at the receiver")


@pytest.mark.parametrize("url,ca_file", [("notify.webhookUrl", "notify.webhookCaFile"), ("trace.otlp.url", "trace.otlp.caFile")])
def test_a_ca_file_that_cannot_be_used_stops_the_start(tmp_path, url, ca_file):
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file in (empty, tmp_path / "nowhere.pem"):
        ended = run("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--set", "notify.adapter=webhook",
                    "--set", "notify.webhookUrl=https://receiver.example/hook", "--set", f"{url}=https://receiver.example/x",
                    "--set", f"{ca_file}={file}")
        assert ended.returncode == 1
        assert ended.stderr.startswith(f"crema: {ca_file} names {file}, which does not hold CA certificates in PEM: "), ended.stderr
        assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("status", [422, 503])
def test_receivers_that_take_nothing_hold_nobody_else_up(make_node, hook, status):
    bad = [f"0100000{i:04}" for i in range(20)]
    hook.answer = lambda receiver: status if receiver in bad else 204
    node = make_node(to(hook, **{"notify.retryMinMs": 1000, "notify.retryMaxMs": 60000}))
    for phone in bad:
        place(node, phone)
    place(node, "01044445555")
    wait_until(lambda: "01044445555" in hook.told(), what="the notification of who can be told")
    if status == 422:
        letters = wait_until(lambda: [d for d in node.get("/actuator/deadletters").json() if d["message"] == "notification"], what="dead letters")
        assert letters[0]["error"] == "it answered 422"
        assert len([1 for _, body, _ in list(hook.posts) if body["to"] == bad[0]]) == 1
    else:
        assert node.get("/actuator/health").json()["components"]["notifications"]["failingReceivers"] > 0


def test_a_dead_notification_is_replayed_under_its_id(make_node, hook):
    hook.answer = lambda _: 422
    node = make_node(to(hook))
    place(node, "01044445555")
    letter = wait_until(lambda: node.get("/actuator/deadletters").json(), what="a dead letter")[0]
    hook.answer = lambda _: 204
    assert node.post(f"/actuator/deadletters/{letter['id']}/replay", json={}).status_code == 200
    wait_until(lambda: hook.told() == {"01044445555"}, what="the notification")
    ids = [body["id"] for _, body, _ in hook.posts]
    assert len(ids) == 2 and len(set(ids)) == 1
    assert ids[0].startswith("cafeteria-")
    assert {headers["Idempotency-Key"] for headers, _, _ in hook.posts} == set(ids)


def test_the_trace_goes_along_with_what_is_posted(make_node, hook):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    node = make_node(to(hook))
    place(node, "01044445555", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "tracestate": "vendor=1, other=2"})
    wait_until(lambda: hook.posts, what="a post")
    headers = {name.lower(): value for name, value in hook.posts[0][0].items()}
    assert headers["traceparent"].split("-")[1] == trace and headers["traceparent"].split("-")[2] != "00f067aa0ba902b7"
    assert headers["tracestate"] == "vendor=1,other=2"


def test_what_the_log_adapter_delivered_outlives_a_kill(make_node):
    node = make_node({})
    phones = {f"0105555{i:04}" for i in range(12)}
    for phone in sorted(phones):
        place(node, phone)
    node.kill9()
    node.start()
    log = node.data / "logs" / "crema.log"

    def told():
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        return {line["message"].split()[1] for line in lines if "notificationId" in line}

    wait_until(lambda: phones <= told(), what="every notification in the log")


def test_a_log_that_cannot_be_written_holds_notifications_back(tmp_path, make_node):
    node = make_node({"notify.retryMinMs": 20, "notify.retryMaxMs": 50})
    node.stop()
    log = node.data / "logs" / "crema.log"
    log.unlink()
    log.symlink_to("/dev/full")
    node.start()
    place(node, "01044445555")
    wait_until(lambda: node.get("/actuator/health").json()["components"]["notifications"]["failingReceivers"] == 1, what="a failing receiver")
    node.stop()
    log.unlink()
    node.start()
    wait_until(lambda: log.exists() and "01044445555" in log.read_text(), what="the notification in the log")
