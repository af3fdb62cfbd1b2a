"""Notifications as POSTs to a receiver that speaks TLS, with a certificate as people make one for themselves."""

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
