"""`crema serve --all`: every system in one process, each below its prefix; and the paths above them."""

import json

import pytest

from crema import Node, id_of, run, wait_until

FIRST = {
    "cafeteria": ("orders", {"phoneNumber": "01012345678", "productName": "coffee", "qty": 2, "amt": 1000}),
    "rewards": ("missions", {"customerId": 11, "status": "Achieved"}),
    "hotel": ("rooms", {"price": 1500}),
    "breakfast": ("customers", {"name": "Kim"}),
    "preorder": ("preReservations", {"userId": 1}),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("house"), {"breakfast.foodCatalog.bulkhead.callTimeoutMs": 900, "hotel.alarm.prefix": "Dear"}, system="--all")
    node.start()
    yield node
    node.kill9()


@pytest.mark.parametrize("system", FIRST)
def test_each_system_is_served_below_its_prefix(house, system):
    collection, body = FIRST[system]
    answer = house.post(f"/{system}/{collection}", json=body)
    assert answer.status_code == 201, answer.text
    location = answer.headers["Location"]
    assert location.startswith(f"{house.base}/{system}/{collection}/")
    assert answer.json()["_links"]["self"]["href"] == location
    assert house.get(location).status_code == 200
    page = house.get(f"/{system}/{collection}?size=1").json()
    assert page["_links"]["search"]["href"] == f"{house.base}/{system}/{collection}/search"
    assert house.get(page["_links"]["search"]["href"]).status_code == 200
    assert house.get(f"/{system}/events").status_code == 200
    assert house.get(f"/{system}/openapi.json").json()["servers"] [0]["url"] == f"/{system}"
    assert house.get(f"/{system}/actuator/info").json()["system"] == system


def test_the_root_lists_the_systems(house):
    links = house.get("/").json()["_links"]
    assert {name: link["href"] for name, link in links.items()} == {name: f"{house.base}/{name}" for name in FIRST}


@pytest.mark.parametrize("path", ["/orders", "/hotels", "/events", "/actuator/contexts"])
def test_what_belongs_to_a_system_is_not_above_it(house, path):
    answer = house.get(path)
    assert answer.status_code == 404 and "GET / lists them" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/%63afeteria/orders", "/cafeteri%61/%6frders", "/cafeteria/orders/"])
def test_a_path_has_many_spellings_and_one_meaning(house, path):
    with house.connect() as s:  # as it is: a library would spell it anew
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        answer = s.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 ") and b'"http://h/cafeteria/orders{?page,size,sort}"' in answer


def test_systems_do_not_see_each_other(house):
    assert house.get("/breakfast/orders").json()["page"]["totalElements"] == 0
    kinds = {e["context"] for e in map(json.loads, house.get("/hotel/events").text.splitlines())}
    assert kinds <= {"room", "book", "pay", "alarm", "calendar"}
    assert house.post("/hotel/actuator/contexts/pay/stop", json={}).status_code == 200
    assert house.post("/preorder/preReservations", json={"userId": 2}).status_code == 201
    assert house.post("/hotel/actuator/contexts/pay/start", json={}).status_code == 200


def test_health_and_metrics_of_all(house):
    health = house.get("/actuator/health").json()
    assert health["status"] == "UP" and set(health["components"]) == set(FIRST)
    text = house.get("/actuator/prometheus").text
    for system in FIRST:
        assert f'crema_awake_aggregates{{system="{system}"}}' in text
    assert 'crema_context_awake{context="order",system="breakfast"}' in text


def test_settings_of_contexts_carry_the_system(house):
    assert house.post("/hotel/books", json={"roomId": 1, "price": 1, "startDate": 20210505, "endDate": 20210508, "guestId": 3}).status_code == 201
    found = wait_until(lambda: house.get("/hotel/notifications/search/findByBookId?bookId=1").json()["_embedded"]["notifications"])
    assert found[0]["text"].startswith("Dear ")
    said = run("config", "explain", "--all", "--set", "payment.slow.minMs=3")
    assert said.returncode == 2
    assert "payment.slow.minMs is not a setting; the nearest is cafeteria.payment.slow.minMs" in said.stderr


def test_the_command_line_speaks_to_one_of_them(house):
    said = run("context", "list", "--url", house.base + "/rewards")
    assert said.returncode == 0 and "gift" in said.stdout and "payment" not in said.stdout


def test_data_is_kept_by_system_and_opens_alone(house):
    order = id_of(house.post("/cafeteria/orders", json=FIRST["cafeteria"][1]).headers["Location"])
    house.kill9()
    for system in FIRST:
        said = run("verify", "--system", system, "--data", house.data / system)
        assert said.returncode == 0, said.stdout + said.stderr
    house.start()
    assert house.get(f"/cafeteria/orders/{order}").status_code == 200
