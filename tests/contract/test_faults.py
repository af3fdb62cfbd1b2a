"""Injected faults over HTTP and by the command line: /actuator/faults, `crema fault`, and what a customer sees of each kind."""

import pytest

from crema import Node, by_order, drink_of, mypages, order_body, place, run, total, wait_until

TOKEN = {"Authorization": "Bearer drill"}
SETTINGS = {"faults.enabled": "true", "http.managementToken": "drill"}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    shared = Node(tmp_path_factory.mktemp("node"), SETTINGS)
    shared.start()
    yield shared
    shared.stop()


@pytest.fixture(autouse=True)
def healed(node):
    yield
    assert node.delete("/actuator/faults", headers=TOKEN).status_code == 200


def add(node, expected=201, **fields):
    answer = node.post("/actuator/faults", json=fields, headers=TOKEN)
    assert answer.status_code == expected, answer.text
    return answer.json()


def fired(node, fault):
    return node.get(f"/actuator/faults/{fault['id']}", headers=TOKEN).json()["fired"]


def test_they_exist_only_where_they_are_enabled(make_node):
    plain = make_node()
    for answer in (plain.get("/actuator/faults"), plain.post("/actuator/faults", json={"target": "payment", "kind": "throw"})):
        assert answer.status_code == 404 and "faults.enabled" in answer.json()["detail"]


def test_without_a_token_the_node_does_not_start_and_says_why_in_one_line(make_node):
    node = make_node({"faults.enabled": "true"}, started=False)
    node.launch()
    assert node.wait_for_exit(10) != 0
    said = [line for line in node.tail().splitlines() if line]
    assert len(said) == 1 and "faults.enabled" in said[0] and "http.managementToken" in said[0]


def test_they_are_for_who_has_the_token(node):
    assert node.get("/actuator/faults").status_code == 401
    assert node.post("/actuator/faults", json={"target": "payment", "kind": "throw"}).status_code == 401
    assert node.delete("/actuator/faults").status_code == 401
    assert node.get("/actuator/faults", headers=TOKEN).json() == []


def test_one_is_added_found_and_removed(node):
    answer = node.post("/actuator/faults", json={"target": "payment", "kind": "slow", "delayMinMs": 5, "delayMaxMs": 10}, headers=TOKEN)
    assert answer.status_code == 201
    added = answer.json()
    assert added["target"] == "payment" and added["kind"] == "slow" and added["state"] == "on" and added["fired"] == 0
    where = answer.headers["Location"]
    assert where == f"{node.base}/actuator/faults/{added['id']}"
    assert node.get(where, headers=TOKEN).json() == added
    assert node.get("/actuator/faults", headers=TOKEN).json() == [added]
    assert node.delete(where, headers=TOKEN).status_code == 204
    assert node.get(where, headers=TOKEN).status_code == node.delete(where, headers=TOKEN).status_code == 404


@pytest.mark.parametrize("fields, field, fix", [
    ({"kind": "throw"}, "target", "required"),
    ({"target": "payment"}, "kind", "required"),
    ({"target": "paymnt", "kind": "throw"}, "target", "did you mean 'payment'?"),
    ({"target": "payment", "kind": "thro"}, "kind", "did you mean 'throw'?"),
    ({"target": "payment", "kind": "slow"}, "delayMaxMs", "such as 620"),
    ({"target": "payment", "kind": "throw", "rate": 1.5}, "rate", "between 0 and 1"),
    ({"target": "payment", "kind": "drop"}, "target", "order->payment"),
    ({"target": "payment/partition-99", "kind": "crash"}, "target", "partition-15"),
    ({"target": "payment", "kind": "throw", "durationS": 1}, "durationS", "did you mean 'durationMs'?"),
])
def test_what_is_wrong_is_named_with_the_fix(node, fields, field, fix):
    problem = add(node, 422, **fields)
    assert problem["field"] == field and fix in problem["detail"]


def test_what_cannot_be_read_is_malformed(node):
    problem = add(node, 400, target="payment", kind="throw", count="many")
    assert problem["field"] == "count"


def test_a_slow_payment_is_slow_and_counted(node, phone):
    fault = add(node, target="payment", kind="slow", delayMinMs=300, delayMaxMs=300)
    answer = node.post("/orders", json=order_body(phone))
    assert answer.status_code == 201 and answer.elapsed.total_seconds() > 0.3
    assert fired(node, fault) >= 1
    line = next(text for text in node.get("/actuator/prometheus").text.splitlines() if text.startswith('crema_faults_fired_total{kind="slow"}'))
    assert float(line.split()[-1]) >= 1
    assert "an injected fault struck" in (node.data / "logs" / "crema.log").read_text() or wait_until(
        lambda: "an injected fault struck" in (node.data / "logs" / "crema.log").read_text(), what="the line in the log")


def test_a_payment_that_throws_fails_the_order_and_keeps_nothing(node, phone):
    before = total(node, "orders")
    add(node, target="payment", kind="throw")
    assert node.post("/orders", json=order_body(phone)).status_code == 500
    assert total(node, "orders") == before
    node.delete("/actuator/faults", headers=TOKEN)
    place(node, phone)


def test_a_dropped_message_arrives_when_the_link_is_healed(node, phone):
    fault = add(node, target="payment->drink", kind="drop")
    order_id = place(node, phone)
    wait_until(lambda: fired(node, fault) >= 2, what="it was sent again and dropped again")
    assert by_order(node, "drinks", order_id) == []
    node.delete(f"/actuator/faults/{fault['id']}", headers=TOKEN)
    assert drink_of(node, order_id)


def test_a_stalled_projector_catches_up_when_its_time_is_over(node, phone):
    fault = add(node, target="customercenter/projector", kind="stall", durationMs=1500)
    place(node, phone)
    assert mypages(node, phone) == []
    wait_until(lambda: mypages(node, phone), what="the row of the view")
    assert fired(node, fault) == 1
    assert node.get(f"/actuator/faults/{fault['id']}", headers=TOKEN).json()["state"] == "over"


def test_a_crashed_supervisor_is_seen_and_restarted(node, phone):
    add(node, target="payment/partition-3", kind="crash")

    def partition():
        root = node.get("/actuator/supervisors").json()
        payment = next(c for c in root["children"] if c["name"] == "payment")
        return next(c for c in payment["children"] if c["name"] == "partition-3")

    wait_until(lambda: partition()["restarts"] == 1 and partition()["state"] == "running", what="the restart")
    assert partition()["lastFailure"]
    for _ in range(16):
        place(node, phone)


def test_a_zombie_is_healed_without_a_restart(node):
    fault = add(node, target="node", kind="zombie")
    assert node.get("/isHealthy").status_code == 500 and node.get("/actuator/health/liveness").status_code == 503
    node.delete(f"/actuator/faults/{fault['id']}", headers=TOKEN)
    assert node.get("/isHealthy").status_code == 200 and node.get("/actuator/health/liveness").status_code == 200


def test_make_zombie_is_one_of_them(node):
    assert node.get("/makeZombie", headers=node.as_manager).status_code == 200
    listed = node.get("/actuator/faults", headers=TOKEN).json()
    assert [(f["target"], f["kind"]) for f in listed] == [("node", "zombie")]
    assert node.get("/isHealthy").status_code == 500


@pytest.mark.parametrize("target, kind", [("node", "kill"), ("journal", "torn"), ("journal", "fail"), ("journal", "full")])
def test_a_node_that_is_killed_or_whose_disk_fails_recovers_what_it_answered(make_node, phone, target, kind):
    node = make_node(SETTINGS)
    orders = [place(node, phone) for _ in range(20)]
    try:
        add(node, target=target, kind=kind)
        node.post("/orders", json=order_body(phone))
    except OSError:
        pass  # the process is gone before it answers
    code = node.wait_for_exit(10)
    assert code == (-9 if kind == "kill" else code) and code != 0
    node.session.close()
    node.start()
    for order_id in orders:
        assert node.get(f"/orders/{order_id}").status_code == 200
    assert total(node, "orders") in (20, 21)
    node.stop()
    assert run("verify", "--data", node.data).returncode == 0


def test_every_system_has_its_own_under_all(tmp_path):
    node = Node(tmp_path, SETTINGS, system="--all").start()
    try:
        assert node.post("/hotel/actuator/faults", json={"target": "book->pay", "kind": "drop"}, headers=TOKEN).status_code == 201
        assert len(node.get("/hotel/actuator/faults", headers=TOKEN).json()) == 1
        assert node.get("/cafeteria/actuator/faults", headers=TOKEN).json() == []
        assert node.get("/actuator/faults", headers=TOKEN).status_code == 404
    finally:
        node.kill9()


def test_the_command_line_adds_lists_and_clears(node):
    at = ["--url", node.base, "--token", "drill"]
    added = run("fault", "add", "order->payment", "--kind", "drop", "--rate", "0.1", "--for", "30s", *at)
    assert added.returncode == 0 and "is on: drop at order->payment" in added.stdout
    listed = run("fault", "list", *at)
    assert "order->payment" in listed.stdout and "drop" in listed.stdout
    assert run("fault", "list", "--url", node.base).returncode == 1
    refused = run("fault", "add", "order", "--kind", "drop", *at)
    assert refused.returncode == 1 and "a link between two contexts" in refused.stderr
    assert run("fault", "clear", *at).stdout == "No faults are left.\n"
    assert run("fault", "list", *at).stdout == "There are no faults.\n"
