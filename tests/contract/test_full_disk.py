"""A disk that runs full under a node: callers are refused before anything fails, and let in again where room is made."""

import os
import subprocess

import pytest
import requests

from crema import START_DEADLINE_S, nothing_under_way, order_body, place, run, total, wait_until

MIB = 1024 * 1024
RESERVE = 4 * MIB
LOOK_DEADLINE_S = 20  # the housekeeper looks every five seconds


@pytest.fixture
def small_disk(tmp_path):
    """A directory that is a disk of 48 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", path], capture_output=True).returncode != 0:
        pytest.skip("only root can mount the disk that this test fills")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def bytes_free(path):
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def test_callers_are_refused_while_there_is_room_for_what_is_under_way(make_node, small_disk):
    node = make_node({"data.reserveBytes": RESERVE, "data.preallocateBytes": MIB, "log.fileBytesMax": 65536}, started=False)
    node.data = small_disk / "data"
    node.start()
    place(node)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(bytes_free(small_disk) - RESERVE - MIB // 4))
    placed = 1
    while (answer := node.post("/orders", json=order_body())).status_code == 201:
        placed += 1
        assert placed < 20000, "the disk never ran full"
    assert answer.status_code == 503 and "data.reserveBytes" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert bytes_free(small_disk) >= RESERVE - MIB // 2  # the logs are on this disk too
    nothing_under_way(node)
    assert node.get("/actuator/health/liveness").status_code == 200
    assert node.get("/actuator/health/readiness").status_code == 503
    assert node.get("/actuator/health").json()["components"]["storage"]["status"] == "DOWN"
    assert total(node, "orders") == total(node, "drinks") == placed
    log = node.data / "logs" / "crema.log"
    wait_until(lambda: "the disk has no room for more" in log.read_text(), LOOK_DEADLINE_S, "the line in the log")

    ballast.unlink()
    wait_until(node.is_ready, LOOK_DEADLINE_S, "readiness")
    place(node)
    node.restart()
    assert total(node, "orders") == placed + 1
    node.stop()
    report = run("verify", "--data", node.data)
    assert report.returncode == 0, report.stdout


def test_near_the_maps_limit_callers_are_refused_also_after_a_restart_and_a_higher_limit_lets_them_in(make_node):
    node = make_node({"data.mapBytesMax": 4 * MIB})
    placed = 0
    while (answer := node.post("/orders", json=order_body())).status_code == 201:
        placed += 1
        assert placed < 20000, "the limit was never reached"
    nothing_under_way(node)
    for _ in range(3):
        assert answer.status_code == 503 and "data.mapBytesMax" in answer.json()["detail"]
        assert node.get("/actuator/health/liveness").status_code == 200
        assert node.get("/actuator/health/readiness").status_code == 503
        storage = node.get("/actuator/health").json()["components"]["storage"]
        assert (storage["status"], storage["shortOf"]) == ("DOWN", "mapBytesMax")
        assert total(node, "orders") == total(node, "drinks") == placed
        node.kill9()
        node.launch()
        wait_until(lambda: answers(node), START_DEADLINE_S, "an answer")
        answer = node.post("/orders", json=order_body())
    log = node.data / "logs" / "crema.log"
    wait_until(lambda: "raise data.mapBytesMax" in log.read_text(), LOOK_DEADLINE_S, "the line in the log")
    node.stop()
    node.settings["data.mapBytesMax"] = 64 * MIB
    node.start()
    place(node)
    assert "shortOf" not in node.get("/actuator/health").json()["components"]["storage"]


def answers(node):
    try:
        return node.get("/actuator/health/liveness").status_code == 200
    except requests.RequestException:
        return False


def test_a_newcomers_directory_takes_little_of_the_disk(make_node):
    node = make_node()
    place(node)
    data = node.data / "data.mdb"
    assert data.stat().st_blocks * 512 <= 80 * MIB
    node.stop()
    assert data.stat().st_blocks * 512 <= data.stat().st_size + MIB < 4 * MIB


def test_a_backup_has_nothing_reserved(make_node, tmp_path):
    node = make_node()
    place(node)
    copy = tmp_path / "backup"
    assert node.post("/actuator/backup", json={"directory": str(copy)}).status_code == 200
    assert (copy / "data.mdb").stat().st_blocks * 512 < 4 * MIB
    assert run("restore", copy, "--data", tmp_path / "restored").returncode == 0
    assert (tmp_path / "restored" / "data.mdb").stat().st_blocks * 512 < 4 * MIB
