"""A data directory that is not whole, or is not the one that was meant, is never served as another one, nor as an empty one."""

import os
import pathlib
import shutil
import stat
import subprocess
import threading
import time

import pytest

from crema import BINARY, Node, nothing_under_way, order_body, place, run, total, wait_until

MIB = 1024 * 1024
REFUSAL_DEADLINE_S = 60


@pytest.fixture
def mounted(tmp_path):
    """mounted(options…) is a directory that is a file system of its own."""
    made = []

    def mount(*options):
        path = tmp_path / f"mounted{len(made)}"
        path.mkdir()
        if subprocess.run(["mount", *options, path], capture_output=True).returncode != 0:
            pytest.skip("only root can mount what this test needs")
        made.append(path)
        return path

    yield mount
    for path in made:
        subprocess.run(["umount", "--lazy", path], check=True)


def refused(node):
    """Starts it, which must fail; the line that says why."""
    node.launch()
    assert node.wait_for_exit(REFUSAL_DEADLINE_S) == 1, node.tail()
    return [line for line in node.tail().splitlines() if line.startswith("crema: ")][-1]


def start_or_refusal(node):
    """None where it started, else the line that says why not."""
    node.launch()
    wait_until(lambda: node.process.poll() is not None or node.is_ready(), REFUSAL_DEADLINE_S, "a start or a refusal")
    if node.process.poll() is None:
        return None
    assert node.wait_for_exit() == 1, node.tail()
    return [line for line in node.tail().splitlines() if line.startswith("crema: ")][-1]


class Orders:
    """Customers who order until they are told to stop; `placed` is what was answered."""

    def __init__(self, node, threads=4):
        self.node, self.placed, self._end, self._lock = node, 0, threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._order) for _ in range(threads)]

    def _order(self):
        while not self._end.is_set():
            if self.node.post("/orders", json=order_body()).status_code == 201:
                with self._lock:
                    self.placed += 1

    def __enter__(self):
        for t in self._threads:
            t.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for t in self._threads:
            t.join()


def copy_slowly(source, target):
    """As cp does it on a busy machine."""
    with open(source, "rb") as from_, open(target, "wb") as to:
        while piece := from_.read(64 * 1024):
            to.write(piece)


# ---- whole or not

def test_an_empty_or_missing_data_file_is_not_a_new_system(make_node):
    node = make_node()
    place(node)
    node.stop()
    data = node.data / "data.mdb"
    kept = data.read_bytes()
    data.write_bytes(b"")
    assert "is empty: what was in it is lost; restore a backup" in refused(node)
    assert data.stat().st_size == 0
    data.unlink()
    assert "is missing where there was one; restore a backup" in refused(node)
    assert not data.exists()
    data.write_bytes(kept[: len(kept) // 2])
    assert "is not whole (it ends before what is in it)" in refused(node)
    data.write_bytes(kept)
    node.start()
    assert total(node, "orders") == 1


def test_copies_taken_while_the_node_writes_are_whole_or_refused(make_node, tmp_path):
    node = make_node()
    copies = []
    with Orders(node) as orders:
        wait_until(lambda: orders.placed >= 50, 60, "some orders")
        for n in range(8):
            before = orders.placed
            copy = make_node(name=f"copy{n}", started=False)
            copy.data.mkdir()
            copy_slowly(node.data / "data.mdb", copy.data / "data.mdb")
            copies.append((copy, before))
            wait_until(lambda: orders.placed > before + 20, 60, "more orders")
    node.stop()
    for copy, before in copies:
        why = start_or_refusal(copy)
        if why is None:
            assert total(copy, "orders") >= before
            copy.stop()
            assert run("verify", "--data", copy.data).returncode == 0
        else:
            assert "not whole" in why or "damaged" in why, why
            assert start_or_refusal(copy) is not None  # it was not taken for whole the second time either


def test_a_killed_nodes_copy_is_checked_and_served(make_node):
    node = make_node()
    for _ in range(20):
        place(node)
    nothing_under_way(node)
    node.kill9()
    copy = make_node(name="copy", started=False)
    shutil.copytree(node.data, copy.data)
    copy.start()
    assert "all of it is checked before 'cafeteria' is served" in copy.tail()
    assert total(copy, "orders") == 20
    node.start()
    assert "is checked before" not in node.tail()


def test_what_was_being_made_when_its_maker_was_killed_is_refused_until_it_is_whole(make_node, tmp_path, rng):
    node = make_node()
    with Orders(node) as orders:
        wait_until(lambda: orders.placed >= 300, 90, "orders")
    nothing_under_way(node)
    node.stop()
    placed = total_of(node.data)

    def killed_at(share, *arguments):
        began = time.monotonic()
        with subprocess.Popen([BINARY, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(share * whole_s)
            except subprocess.TimeoutExpired:
                process.kill()
        return time.monotonic() - began

    whole_s = 60
    whole_s = killed_at(1, "restore", node.data, "--data", tmp_path / "whole")
    outcomes = set()
    for n in range(10):
        target = make_node(name=f"restored{n}", started=False)
        killed_at(rng.random(), "restore", node.data, "--data", target.data)
        if not target.data.exists():
            continue
        why = start_or_refusal(target) if (target.data / "contents").exists() else None
        if why is None and target.process is not None:
            target.stop()
            assert total_of(target.data) == placed
            outcomes.add("whole")
        elif why is not None:
            assert "crema restore" in why or "crema verify --rebuild-views" in why, why
            outcomes.add("refused")
    assert "refused" in outcomes

    whole_s = killed_at(1, "verify", "--rebuild-views", "--data", node.data)
    for _ in range(6):
        killed_at(rng.random(), "verify", "--rebuild-views", "--data", node.data)
        checked = run("verify", "--data", node.data, timeout=120)
        if checked.returncode != 0:
            assert "--rebuild-views" in checked.stdout
            assert "crema verify --rebuild-views" in refused(node)
    assert run("verify", "--rebuild-views", "--data", node.data, timeout=120).returncode == 0
    node.start()
    assert total(node, "orders") == total(node, "drinks") == placed


def total_of(data):
    """Rows of orders in a directory that no node runs on."""
    node = Node(data.parent)
    node.data = data
    node.start()
    try:
        return total(node, "orders")
    finally:
        node.stop()


# ---- one system or several

def test_a_directory_is_of_one_system_or_of_several(make_node):
    one = make_node(name="one")
    place(one)
    both = make_node(name="both", system="--all", started=False)
    both.data = one.data
    assert "Another process" in refused(both)
    one.stop()
    assert "holds one system; serve that one without --all" in refused(both)
    assert not (one.data / "hotel").exists()

    several = make_node(name="several", system="--all")
    assert several.post("/cafeteria/orders", json=order_body()).status_code == 201
    alone = make_node(name="alone", started=False)
    alone.data = several.data
    assert "holds several systems" in refused(alone)
    several.stop()
    assert "holds several systems" in refused(alone)
    assert not (several.data / "data.mdb").exists()
    said = run("verify", "--data", several.data)
    assert said.returncode == 1 and "holds several systems" in said.stderr
    shutil.rmtree(several.data / "hotel")
    assert str(several.data / "hotel") in refused(several)
    assert not (several.data / "hotel").exists()

    alone.data = several.data / "cafeteria"
    alone.start()
    assert total(alone, "orders") == 1


# ---- what cannot be written

def test_a_read_only_medium_is_verified_and_restored_from(make_node, mounted, tmp_path):
    node = make_node()
    for _ in range(5):
        place(node)
    nothing_under_way(node)
    copy = tmp_path / "backup"
    assert node.post("/actuator/backup", json={"directory": str(copy)}).status_code == 200
    before = sorted(p.name for p in copy.iterdir())
    medium = mounted("--bind", copy)
    subprocess.run(["mount", "-o", "remount,bind,ro", medium], check=True)
    with pytest.raises(OSError):
        (medium / "probe").touch()
    verified = run("verify", "--data", medium)
    assert verified.returncode == 0, verified.stderr
    assert run("restore", medium, "--data", tmp_path / "restored").returncode == 0
    assert total_of(tmp_path / "restored") == 5
    assert sorted(p.name for p in copy.iterdir()) == before


# ---- whose it is

def test_what_is_written_is_its_owners_alone(make_node, tmp_path):
    copy, restored = tmp_path / "b" / "backup", tmp_path / "r" / "restored"
    node = make_node({"log.fileBytesMax": 65536})
    with Orders(node, 2) as orders:
        wait_until(lambda: orders.placed >= 200 and list((node.data / "logs").glob("*.1.log")), 60, "a rotated log")
    assert node.post("/actuator/backup", json={"directory": str(copy)}).status_code == 200
    assert run("restore", copy, "--data", restored).returncode == 0
    looked_at = 0
    for top in (node.data, copy.parent, restored.parent):
        for path in [top, *top.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), f"{path}: {mode:o}"
            looked_at += 1
    assert looked_at >= 14


# ---- backups

def test_a_backup_leaves_the_reserve_of_the_disk(make_node, mounted):
    disk = mounted("-t", "tmpfs", "-o", "size=64m", "none")
    node = make_node({"data.reserveBytes": 8 * MIB, "data.preallocateBytes": 4 * MIB}, started=False)
    node.data = disk / "data"
    node.start()
    with Orders(node) as orders:
        wait_until(lambda: orders.placed >= 100, 60, "orders")
    found = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(found.f_bavail * found.f_frsize - 12 * MIB))
    copy = disk / "backup"
    answer = node.post("/actuator/backup", json={"directory": str(copy)})
    assert answer.status_code == 503 and "data.reserveBytes" in answer.json()["detail"], answer.text
    assert list(copy.iterdir()) == []
    place(node)
    assert node.is_ready()
    (disk / "ballast").unlink()
    assert node.post("/actuator/backup", json={"directory": str(copy)}).status_code == 200
    assert run("verify", "--data", copy).returncode == 0


def test_a_stop_ends_a_backup_that_is_under_way(make_node, tmp_path):
    """Whether the copy was finished before that or not: there is a whole one, or none, and the node ends as ever."""
    node = make_node()
    with Orders(node) as orders:
        wait_until(lambda: orders.placed >= 100, 60, "orders")
    copy = tmp_path / "backup"
    answers = []
    asked = threading.Thread(target=lambda: answers.append(node.post("/actuator/backup", json={"directory": str(copy)})))
    asked.start()
    wait_until(copy.exists, what="the copy's directory")
    node.terminate()
    assert node.wait_for_exit(30) == 0
    asked.join()
    if answers[0].status_code == 200:
        assert sorted(p.name for p in copy.iterdir()) == ["data.mdb"]
    else:
        assert answers[0].status_code == 503
        assert list(copy.iterdir()) == []


def test_half_a_backup_is_not_one(tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    (half / "data.mdb.part").write_bytes(bytes(MIB))
    for arguments in (["verify", "--data", half], ["restore", half, "--data", tmp_path / "restored"]):
        said = run(*arguments)
        assert said.returncode == 1 and "was not finished" in said.stderr
    assert not pathlib.Path(tmp_path / "restored" / "data.mdb").exists()
