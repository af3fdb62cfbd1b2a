"""Pages of other origins (CORS): off unless they are listed, and never everybody together with credentials."""

import pytest

from crema import Node, order_body, run

SHOP = "https://shop.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, idempotency-key"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("shop"), {"http.corsOrigins": f"{SHOP},http://localhost:3000", "http.corsCredentials": "true"}).start()
    yield node
    node.stop()


def cors(answer):
    return {name: text for name, text in answer.headers.items() if name.startswith("Access-Control-")}


def test_off_by_default(node):
    assert cors(node.post("/orders", json=order_body(), headers={"Origin": SHOP})) == {}
    asked = node.request("OPTIONS", "/orders", headers={"Origin": SHOP, **PREFLIGHT})
    assert asked.status_code == 200 and cors(asked) == {} and "Origin" not in node.get("/orders").headers.get("Vary", "")


def test_a_listed_page_may_do_everything(shop):
    asked = shop.request("OPTIONS", "/orders", headers={"Origin": SHOP, **PREFLIGHT})
    assert asked.status_code == 204 and asked.content == b""
    allowed = cors(asked)
    assert allowed["Access-Control-Allow-Origin"] == SHOP and allowed["Access-Control-Allow-Credentials"] == "true"
    assert {"content-type", "idempotency-key", "if-match"} <= set(allowed["Access-Control-Allow-Headers"].lower().split(", "))
    assert {"POST", "PATCH", "PUT", "DELETE"} <= set(allowed["Access-Control-Allow-Methods"].split(", "))
    made = shop.post("/orders", json=order_body(), headers={"Origin": SHOP})
    assert made.status_code == 201 and made.headers["Access-Control-Allow-Origin"] == SHOP
    exposed = set(made.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Location", "Link", "Retry-After", "Idempotency-Replayed", "traceparent"} <= exposed


@pytest.mark.parametrize("origin", ["https://other.example", "http://shop.example", "null", SHOP + ".evil.example"])
def test_another_page_is_told_nothing(shop, origin):
    for method, headers in (("GET", {}), ("OPTIONS", PREFLIGHT)):
        answer = shop.request(method, "/orders", headers={"Origin": origin, **headers})
        assert cors(answer) == {} and "Origin" in answer.headers["Vary"]


def test_every_answer_says_that_it_depends_on_the_origin(shop):
    for path in ("/orders", "/nothing", "/actuator/health", "/events"):
        assert "Origin" in shop.get(path).headers["Vary"], path
        assert shop.get(path, headers={"Origin": SHOP}).headers["Access-Control-Allow-Origin"] == SHOP, path


def test_any_origin_but_without_credentials(make_node):
    answer = make_node({"http.corsOrigins": "*"}).get("/orders", headers={"Origin": "https://anybody.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*" and "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("settings,complaint", [
    (["http.corsOrigins=*", "http.corsCredentials=true"], "name the origins"), (["http.corsOrigins=shop.example"], "http.corsOrigins"),
    (["http.corsOrigins=https://shop.example/"], "http.corsOrigins"), (["http.corsOrigins=https://Shop.example"], "http.corsOrigins"),
])
def test_what_makes_no_sense_is_refused_at_the_start(settings, complaint):
    said = run("config", "explain", *(word for s in settings for word in ("--set", s)))
    assert said.returncode == 2 and complaint in said.stderr
