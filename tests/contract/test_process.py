"""The process as its surroundings treat it: streams, signals, limits, secrets."""

import os
import resource
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

from crema import order_body, place, total, wait_until


def readiness(node):
    return node.get("/actuator/health/readiness", timeout=5).status_code


def launch(node, **options):
    """Without the node's own redirection of output."""
    assert node.process is None
    node.process = subprocess.Popen(node.command(), **options)
    wait_until(node.is_ready_or_dead, 30, "readiness")


def test_closed_standard_streams_stay_away_from_the_data(make_node):
    node = make_node(started=False)
    launch(node, preexec_fn=lambda: [os.close(stream) for stream in (0, 1, 2)])
    for stream in (0, 1, 2):
        assert os.readlink(f"/proc/{node.process.pid}/fd/{stream}") == "/dev/null"
    order_id = place(node)
    node.stop()
    node.start()
    assert node.get(f"/orders/{order_id}").status_code == 200


def test_the_limit_of_a_files_size_is_an_error_with_words(make_node):
    """SIGXFSZ would end the process without one."""
    node = make_node({"data.preallocateBytes": 0, "log.access": "false"}, started=False)
    limit = 512 << 10
    node.output.touch()
    with open(node.output, "ab") as out:
        launch(node, stdout=out, stderr=out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    acknowledged = 0
    try:
        for _ in range(20000):
            acknowledged += node.post("/orders", json=order_body()).status_code == 201
    except requests.RequestException:
        pass
    assert node.wait_for_exit() == 1
    assert "the journal could not be written" in node.tail()
    node.start()
    assert total(node, "orders") >= acknowledged > 0


def test_sighup_takes_a_new_token_from_its_file(make_node, tmp_path):
    file = tmp_path / "token"
    file.write_text("first\n")
    node = make_node({"http.managementTokenFile": file})
    may = lambda token: node.get("/actuator/contexts", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert may("first") and not may("second")
    file.write_text("second\n")
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: may("second"), what="the new token")
    assert not may("first")
    file.write_text("")
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "is empty" in node.tail(), what="a line about the empty file")
    assert may("second")
    place(node)
    node.stop()


@pytest.mark.parametrize("settings", [{"http.managementToken": ""}, {"http.managementToken": " "}])
def test_an_empty_secret_stops_the_start_with_one_line(make_node, settings):
    node = make_node(settings, started=False)
    node.launch()
    assert node.wait_for_exit(10) == 2
    said = node.tail().splitlines()
    assert len(said) == 1 and "http.managementToken" in said[0]


def test_an_empty_secret_file_stops_the_start_with_one_line(make_node, tmp_path):
    (tmp_path / "token").write_text("\n")
    node = make_node({"http.managementTokenFile": tmp_path / "token"}, started=False)
    node.launch()
    assert node.wait_for_exit(10) == 2
    assert "is empty" in node.tail()


def test_told_to_stop_a_node_says_so_to_its_probes_before_the_door_closes(make_node):
    node = make_node({"http.drainDelayMs": 60000})
    node.terminate()
    wait_until(lambda: readiness(node) == 503, what="readiness DOWN")
    answer = node.post("/orders", json=order_body())
    assert answer.status_code == 201 and answer.headers["Connection"] == "close"
    assert node.get("/actuator/health/liveness").status_code == 200
    node.terminate()  # again: at once
    assert node.wait_for_exit(20) == 0


def test_the_delay_of_a_stop_ends_by_itself(make_node):
    node = make_node({"http.drainDelayMs": 300})
    began = time.monotonic()
    node.stop()
    assert time.monotonic() - began >= 0.3


def test_a_stop_with_too_few_descriptors_ends(make_node):
    node = make_node({"http.drainLimitMs": 2000}, started=False)
    node.output.touch()
    with open(node.output, "ab") as out:
        launch(node, stdout=out, stderr=out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    wait_until(lambda: "fewer descriptors than" in node.tail(), what="a warning at the start")
    order_id = place(node)
    waiting = [socket.create_connection(("127.0.0.1", node.port)) for _ in range(100)]
    wait_until(lambda: len(os.listdir(f"/proc/{node.process.pid}/fd")) >= 64, what="no descriptor left")
    node.terminate()
    try:
        assert node.wait_for_exit(30) == 0
    finally:
        for s in waiting:
            s.close()
    node.start()
    assert node.get(f"/orders/{order_id}").status_code == 200


def test_a_node_that_starts_says_that_it_is_starting(make_node):
    """Whoever asks from the first moment on is answered, or told that the node starts; nobody hears of a stopped context."""
    node = make_node()
    for _ in range(3):
        node.stop()
        node.launch()
        told = []

        def order():
            while not node.is_ready():
                try:
                    answer = requests.post(node.base + "/orders", json=order_body(), timeout=5)
                    told.append(answer.json().get("detail", ""))
                except requests.ConnectionError:
                    pass

        callers = [threading.Thread(target=order) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert not [detail for detail in told if "is stopped" in detail]
