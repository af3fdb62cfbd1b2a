"""spec/http.md, "Resources": each call of the table, content types, links, fields, and the cafeteria's finders."""

import re

import pytest
import requests

from crema import by_order, drink_of, embedded, id_of, mypages, order_body, place, set_status, sum_of, wait_until

HAL = "application/hal+json;charset=UTF-8"
JSON = "application/json;charset=UTF-8"
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$")
COLLECTIONS = {"orders", "payments", "drinks", "sales", "salePages", "orderinfos", "mypages"}
FINDERS = {
    "orders": {"findByPhoneNumber"},
    "payments": {"findByOrderId"},
    "drinks": {"findByOrderId"},
    "sales": {"findByPhoneNumberAndYyyymm"},
    "salePages": {"findByPhoneNumber", "findByPhoneNumberAndYyyymm"},
    "orderinfos": {"findByOrderId"},
    "mypages": {"findByPhoneNumber"},
}


def same_type(answer, expected):
    assert answer.headers["Content-Type"].replace(" ", "").lower() == expected.lower()


def test_post_answers_201_with_location_and_the_resource(node, phone):
    answer = node.post("/orders", json=order_body(phone, qty=2, amt=1000))
    assert answer.status_code == 201
    location = answer.headers["Location"]
    assert re.fullmatch(re.escape(node.base) + r"/orders/[1-9]\d*", location)
    body = answer.json()
    links = body.pop("_links")
    assert links["self"]["href"] == location and links["order"]["href"] == location
    assert TIME.match(body.pop("createTime"))
    assert body == {"phoneNumber": phone, "productName": "coffee", "qty": 2, "amt": 1000, "status": "Ordered"}
    assert answer.headers["ETag"]


def test_ids_on_a_fresh_node_are_1_2_3(make_node):
    fresh = make_node()
    assert [place(fresh) for _ in range(20)] == list(range(1, 21))


def test_get_answers_what_post_answered(node, phone):
    created = node.post("/orders", json=order_body(phone))
    answer = node.get(created.headers["Location"])
    assert answer.status_code == 200
    assert answer.json() == created.json()
    assert answer.headers["ETag"] == created.headers["ETag"]


@pytest.mark.parametrize("path", ["/orders/99999999", "/orders/0", "/orders/-1", "/orders/x", "/orders/99999999999999999999", "/nothing", "/orders/1/nothing"])
def test_unknown_paths_and_resources_are_404(node, path):
    assert node.get(path).status_code == 404


def test_the_payment_of_an_order_carries_its_number(node, phone):
    order_id = place(node, phone)
    answer = node.get(f"/payments/{order_id}")
    body = answer.json()
    links = body.pop("_links")
    assert links["self"]["href"] == links["payment"]["href"] == f"{node.base}/payments/{order_id}"
    assert TIME.match(body.pop("createTime"))
    assert body == {"orderId": order_id, "phoneNumber": phone, "amt": 1000, "status": "PaymentApproved"}


def test_the_drink_of_an_order_has_its_fields(node, phone):
    order_id = place(node, phone)
    body = node.get(f"/drinks/{drink_of(node, order_id)}").json()
    links = body.pop("_links")
    assert links["self"] == links["drink"]
    assert TIME.match(body.pop("createTime"))
    assert body == {"orderId": order_id, "phoneNumber": phone, "productName": "coffee", "qty": 2, "status": "PaymentApproved"}


def test_no_resource_body_has_an_id(node, phone):
    order_id = place(node, phone)
    drink_of(node, order_id)
    for collection in COLLECTIONS - {"mypages"}:
        rows = wait_until(lambda: embedded(node.get(f"/{collection}"), collection), what=collection)
        assert all("id" not in row for row in rows), collection


def test_a_page_has_its_member_and_links(node):
    for _ in range(5):
        place(node)
    body = node.get("/orders?page=1&size=2").json()
    page, links = body["page"], body["_links"]
    assert len(body["_embedded"]["orders"]) == 2
    assert page["size"] == 2 and page["number"] == 1
    assert page["totalPages"] == -(-page["totalElements"] // 2)
    assert {"self", "first", "prev", "next", "last", "profile", "search"} <= links.keys()
    assert all(link["href"].startswith(node.base + "/") for link in links.values())
    assert links["profile"]["href"] == f"{node.base}/profile/orders"
    assert links["search"]["href"] == f"{node.base}/orders/search"


def test_following_next_from_first_gives_every_order_once(make_node):
    fresh = make_node()
    for _ in range(7):
        place(fresh)
    url, seen, pages = f"{fresh.base}/orders?size=3", [], 0
    while url:
        body = fresh.get(url).json()
        assert body["page"]["number"] == pages
        seen += [id_of(o["_links"]["self"]["href"]) for o in body["_embedded"]["orders"]]
        last, url, pages = body, body["_links"].get("next", {}).get("href"), pages + 1
    assert seen == [1, 2, 3, 4, 5, 6, 7] and pages == 3
    assert "next" not in last["_links"]
    first = fresh.get(last["_links"]["first"]["href"]).json()
    assert "prev" not in first["_links"] and first["page"]["number"] == 0
    assert fresh.get(last["_links"]["last"]["href"]).json()["_embedded"] == last["_embedded"]
    assert fresh.get(last["_links"]["prev"]["href"]).json()["page"]["number"] == 1


def test_the_default_size_is_20_and_the_largest_1000(make_node):
    fresh = make_node()
    for _ in range(21):
        place(fresh)
    body = fresh.get("/orders").json()
    assert body["page"] == {"size": 20, "totalElements": 21, "totalPages": 2, "number": 0}
    assert len(body["_embedded"]["orders"]) == 20
    assert fresh.get("/orders?size=1000").json()["page"]["size"] == 1000
    assert fresh.get("/orders?size=1001").json()["page"]["size"] == 1000


def test_an_empty_collection_is_an_empty_array(make_node):
    body = make_node().get("/orders").json()
    assert body["_embedded"]["orders"] == []
    assert body["page"] == {"size": 20, "totalElements": 0, "totalPages": 0, "number": 0}
    assert not {"next", "prev"} & body["_links"].keys()


def test_a_page_beyond_the_last_is_empty(node):
    place(node)
    body = node.get("/orders?page=100000").json()
    assert body["_embedded"]["orders"] == [] and "next" not in body["_links"]


def test_sorting(make_node):
    fresh = make_node()
    for amt in (300, 100, 200):
        place(fresh, amt=amt)

    def amounts(sort):
        return [o["amt"] for o in embedded(fresh.get(f"/orders?sort={sort}"), "orders")]

    assert amounts("amt") == amounts("amt,asc") == [100, 200, 300]
    assert amounts("amt,desc") == [300, 200, 100]
    assert fresh.get("/orders?sort=amt,desc&size=1&page=1").json()["_embedded"]["orders"][0]["amt"] == 200
    assert "sort=amt,desc" in fresh.get("/orders?sort=amt,desc&size=1").json()["_links"]["next"]["href"].replace("%2C", ",")


@pytest.mark.parametrize("query", ["page=-1", "page=x", "size=0", "size=x", "sort=nothing", "sort=amt,sideways"])
def test_bad_paging_is_400(node, query):
    assert node.get(f"/orders?{query}").status_code == 400


@pytest.mark.parametrize("collection", sorted(COLLECTIONS))
def test_search_links_every_finder(node, collection):
    answer = node.get(f"/{collection}/search")
    assert answer.status_code == 200
    links = answer.json()["_links"]
    assert set(links) - {"self"} == FINDERS[collection]
    for name in FINDERS[collection]:
        assert links[name]["href"].startswith(f"{node.base}/{collection}/search/{name}")


@pytest.mark.parametrize("collection", sorted(COLLECTIONS))
def test_a_finder_without_its_parameter_is_400(node, collection):
    for name in FINDERS[collection]:
        assert node.get(f"/{collection}/search/{name}").status_code == 400


def test_a_finder_that_finds_nothing_answers_an_empty_array(node):
    answer = node.get("/payments/search/findByOrderId?orderId=88888888")
    assert answer.status_code == 200
    body = answer.json()
    assert body["_embedded"]["payments"] == []
    assert body["_links"]["self"]["href"] == f"{node.base}/payments/search/findByOrderId?orderId=88888888"


def test_an_unknown_finder_is_404(node):
    assert node.get("/orders/search/findByNothing?x=1").status_code == 404


def test_finders_see_what_the_answer_before_wrote(node, phone):
    order_id = place(node, phone, amt=700)
    found = embedded(node.get(f"/orders/search/findByPhoneNumber?phoneNumber={phone}"), "orders")
    assert [id_of(o["_links"]["self"]["href"]) for o in found] == [order_id]
    assert [p["amt"] for p in by_order(node, "payments", order_id)] == [700]
    month = node.get(f"/orders/{order_id}").json()["createTime"][:7].replace("-", "")
    assert sum_of(node, phone, month) == 700
    sale = embedded(node.get(f"/sales/search/findByPhoneNumberAndYyyymm?phoneNumber={phone}&yyyymm={month}"), "sales")[0]
    assert {k for k in sale if k != "_links"} == {"phoneNumber", "yyyymm", "sumAmt"}
    assert set(sale["_links"]) == {"self", "sale"}


def test_finders_find_by_the_whole_text_only(node, phone):
    place(node, phone)
    assert embedded(node.get(f"/orders/search/findByPhoneNumber?phoneNumber={phone[:-1]}"), "orders") == []
    assert embedded(node.get("/orders/search/findByPhoneNumber", params={"phoneNumber": phone + "0"}), "orders") == []


def test_finder_parameters_are_percent_decoded(node, phone):
    odd = f"+82 {phone[:6]}&é"
    place(node, odd)
    assert len(embedded(node.get("/orders/search/findByPhoneNumber", params={"phoneNumber": odd}), "orders")) == 1


def test_views_follow(node, phone):
    order_id = place(node, phone, amt=400)
    page = wait_until(lambda: mypages(node, phone), what="mypages")
    assert page == [{"id": page[0]["id"], "orderId": order_id, "phoneNumber": phone, "productName": "coffee", "qty": 2, "amt": 400, "status": "Ordered"}]
    info = wait_until(lambda: by_order(node, "orderinfos", order_id), what="orderinfos")[0]
    assert {k for k in info if k != "_links"} == {"orderId", "phoneNumber", "productName", "qty", "status"}
    ledger = wait_until(lambda: embedded(node.get(f"/salePages/search/findByPhoneNumber?phoneNumber={phone}"), "salePages"), what="salePages")
    assert len(ledger) == 1 and ledger[0]["amt"] == ledger[0]["sumAmt"] == 400 and ledger[0]["orderId"] == order_id
    assert set(ledger[0]["_links"]) == {"self", "salePage"}


def test_mypages_by_phone_number_is_a_plain_array_oldest_first_with_pages_going_back(node, phone):
    orders = [place(node, phone, amt=amt) for amt in range(5)]
    wait_until(lambda: len(mypages(node, phone)) == 5, what="mypages")
    answer = node.get(f"/mypages/search/findByPhoneNumber?phoneNumber={phone}")
    same_type(answer, JSON)
    assert [row["orderId"] for row in answer.json()] == orders
    assert [row["orderId"] for row in mypages(node, phone, size=2)] == orders[3:]
    assert [row["orderId"] for row in mypages(node, phone, size=2, page=1)] == orders[1:3]
    assert [row["orderId"] for row in mypages(node, phone, size=2, page=2)] == orders[:1]
    assert mypages(node, "nobody") == []


def test_barista_patches_and_the_page_follows(node, phone):
    order_id = place(node, phone)
    drink = drink_of(node, order_id)
    for status in ("Receipted", "Made"):
        answer = set_status(node, f"/drinks/{drink}", status)
        assert answer.status_code == 200 and answer.json()["status"] == status
        wait_until(lambda: [p["status"] for p in mypages(node, phone)] == [status], what=status)


def test_cancel_takes_everything_back(node, phone):
    order_id = place(node, phone, amt=900)
    kept = place(node, phone, amt=50)
    drink_of(node, order_id)
    answer = set_status(node, f"/orders/{order_id}", "OrderCanceled")
    assert answer.status_code == 200 and answer.json()["status"] == "OrderCanceled"
    wait_until(lambda: node.get(f"/payments/{order_id}").json()["status"] == "PaymentCanceled", what="PaymentCanceled")
    assert node.get(f"/drinks/{order_id}").json()["status"] == "DrinkCanceled"
    month = node.get(f"/orders/{order_id}").json()["createTime"][:7].replace("-", "")
    wait_until(lambda: sum_of(node, phone, month) == 50, what="the sum without the canceled order")
    wait_until(lambda: [p["status"] for p in mypages(node, phone)] == ["OrderCanceled", "Ordered"], what="mypages")
    ledger = wait_until(lambda: (lambda rows: rows if len(rows) == 3 else None)(
        embedded(node.get(f"/salePages/search/findByPhoneNumber?phoneNumber={phone}"), "salePages")), what="the ledger")
    assert [(r["orderId"], r["amt"], r["sumAmt"]) for r in ledger] == [(order_id, 900, 900), (kept, 50, 950), (order_id, -900, 50)]


def test_canceling_twice_changes_nothing_the_second_time(node, phone):
    order_id = place(node, phone)
    drink_of(node, order_id)
    first = set_status(node, f"/orders/{order_id}", "OrderCanceled")
    second = set_status(node, f"/orders/{order_id}", "OrderCanceled")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json() and first.headers["ETag"] == second.headers["ETag"]


def test_a_cancel_after_the_receipt_fails_and_everything_stays(node, phone):
    order_id = place(node, phone, amt=900)
    drink = drink_of(node, order_id)
    assert set_status(node, f"/drinks/{drink}", "Receipted").status_code == 200
    assert set_status(node, f"/orders/{order_id}", "OrderCanceled").status_code == 200
    wait_until(lambda: node.get(f"/orders/{order_id}").json()["status"] == "Ordered", what="the order is Ordered again")
    assert node.get(f"/payments/{order_id}").json()["status"] == "PaymentApproved"
    assert node.get(f"/drinks/{drink}").json()["status"] == "Receipted"
    wait_until(lambda: [p["status"] for p in mypages(node, phone)] == ["Receipted"], what="mypages shows what it showed before")
    month = node.get(f"/orders/{order_id}").json()["createTime"][:7].replace("-", "")
    assert sum_of(node, phone, month) == 900


# ---- verbs

@pytest.mark.parametrize("path,allowed", [
    ("/orders", {"GET", "HEAD", "OPTIONS", "POST"}),
    ("/orders/1", {"GET", "HEAD", "OPTIONS", "PATCH"}),
    ("/payments", {"GET", "HEAD", "OPTIONS"}),
    ("/payments/1", {"GET", "HEAD", "OPTIONS"}),
    ("/drinks/1", {"GET", "HEAD", "OPTIONS", "PATCH"}),
    ("/sales/1", {"GET", "HEAD", "OPTIONS"}),
    ("/mypages/1", {"GET", "HEAD", "OPTIONS"}),
    ("/salePages", {"GET", "HEAD", "OPTIONS"}),
])
def test_options_and_405_name_the_allowed_verbs(node, path, allowed):
    place(node)
    answer = node.request("OPTIONS", path)
    assert answer.status_code in (200, 204)
    assert {v.strip() for v in answer.headers["Allow"].split(",")} == allowed
    for verb in {"POST", "PUT", "PATCH", "DELETE", "TRACE"} - allowed:
        refused = node.request(verb, path, json={} if verb != "TRACE" else None)
        assert refused.status_code == 405, verb
        assert {v.strip() for v in refused.headers["Allow"].split(",")} == allowed
        same_type(refused, "application/problem+json")


@pytest.mark.parametrize("path", ["/", "/orders", "/orders/1", "/orders/search", "/profile/orders", "/openapi.json", "/actuator/health"])
def test_head_answers_as_get_without_a_body(node, path):
    place(node)
    got, head = node.get(path), node.request("HEAD", path)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    for name in ("Content-Type", "ETag"):
        assert head.headers.get(name) == got.headers.get(name)
    assert int(head.headers["Content-Length"]) > 0


def test_put_sum_amt_is_not_open_to_outsiders(node):
    answer = node.request("PUT", "/sumAmt", json={"phoneNumber": "1", "yyyymm": "202102", "sumAmt": 1})
    assert answer.status_code == 404


# ---- content negotiation

@pytest.mark.parametrize("accept,expected", [
    (None, HAL), ("*/*", HAL), ("application/hal+json", HAL), ("application/hal+json, application/json;q=0.5", HAL),
    ("application/json", JSON), ("application/json, */*;q=0.5", JSON), ("text/html,application/json;q=0.9,*/*;q=0.1", JSON),
])
def test_content_type_follows_accept(node, accept, expected):
    session = requests.Session()
    session.headers["Accept"] = accept
    headers = {} if accept is not None else {"Accept": None}
    place(node)
    for path in ("/orders", "/orders/1"):
        same_type(session.get(node.base + path, headers=headers, timeout=20), expected)
    created = session.post(node.base + "/orders", json=order_body(), headers=headers, timeout=20)
    assert created.status_code == 201
    same_type(created, expected)


def test_a_number_sent_as_text_is_a_number(node):
    answer = node.post("/orders", json={"phoneNumber": "01012345678", "productName": "coffee", "qty": "2", "amt": "1000"})
    assert answer.status_code == 201
    assert answer.json()["qty"] == 2 and answer.json()["amt"] == 1000


@pytest.mark.parametrize("name", ["Cafè ☕ 𝄞", "tab\tand\nline", "quote\" back\\slash </script>", "x" * 100])
def test_texts_come_back_as_they_were_sent(node, name):
    order_id = place(node, product=name)
    assert node.get(f"/orders/{order_id}").json()["productName"] == name
    drink = drink_of(node, order_id)
    assert node.get(f"/drinks/{drink}").json()["productName"] == name


# ---- the entry points

def test_root_links_every_collection(node):
    links = node.get("/").json()["_links"]
    assert COLLECTIONS <= links.keys()
    for collection in COLLECTIONS:
        assert links[collection] == {"href": f"{node.base}/{collection}{{?page,size,sort}}", "templated": True}


def test_links_carry_the_host_of_the_request(node):
    answer = node.get("/orders", headers={"Host": "coffee.example:81"})
    assert answer.json()["_links"]["self"]["href"] == "http://coffee.example:81/orders{?page,size,sort}"
    created = node.post("/orders", json=order_body(), headers={"Host": "coffee.example"})
    assert created.headers["Location"].startswith("http://coffee.example/orders/")
    assert created.json()["_links"]["self"]["href"] == created.headers["Location"]
