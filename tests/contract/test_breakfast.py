"""spec/breakfast.md over HTTP: customers, catalogue and its view, orders with stock and payment, deliveries, cancels, events."""

import collections
import concurrent.futures
import json

import pytest

from crema import Node, all_events, nothing_under_way, set_status, total, wait_until
from resources import are_events, create, find, has_finders, is_linked_and_described, refused, resource, takes_only

SYSTEM = "breakfast"
START, COMPLETED, CANCELLED = "Delivery Start", "Delivery Completed", "Cancelled-delivery"


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    """A node whose deliveries wait for the delivery team."""
    node = Node(tmp_path_factory.mktemp("manual"), {"breakfast.autoShip": "false"}, system=SYSTEM).start()
    yield node
    node.stop()


def join(node, **fields):
    return create(node, "/customers", {"name": "Kim", **fields})[0]


def offer(node, stock=100, price=1000, name="egg"):
    return create(node, "/foodCatalogs", {"name": name, "stock": stock, "price": price})[0]


def order(node, customer, catalog, qty=1):
    return create(node, "/orders", {"qty": qty, "foodcaltalogid": catalog, "customerid": customer})[0]


def stock(node, catalog):
    return node.get(f"/foodCatalogs/{catalog}").json()["stock"]


def shown_stock(node, catalog):
    answer = node.get(f"/foodCatalogViews/{catalog}")
    return answer.json()["stock"] if answer.status_code == 200 else None


def delivery(node, order_id, status):
    """The delivery of the order, as soon as it is that far and the order says so, too."""
    def so_far():
        return [(i, d) for i, d in find(node, "deliveries", "findByOrderId", orderId=order_id).items() if d["status"] == status]
    [(identity, row)] = wait_until(so_far, what=f"delivery {status}")
    assert row == {"orderId": order_id, "status": status}
    if status != "Ordered":
        wait_until(lambda: node.get(f"/orders/{order_id}").json()["status"] == status, what=f"the order is {status}")
    wait_until(lambda: my_order(node, order_id).get("status") == status, what=f"myOrders says {status}")
    return identity


def my_order(node, order_id):
    answer = node.get(f"/myOrders/{order_id}")
    return {k: v for k, v in answer.json().items() if k != "_links"} if answer.status_code == 200 else {}


def counted(node):
    return tuple(total(node, c) for c in ("orders", "pays", "deliveries", "myOrders"))


# ---- customers

def test_a_customer_joins_changes_and_leaves(node):
    answer = node.post("/customers", json={"name": "Kim", "phone": "010-1", "address": "Seoul", "age": "30"})
    assert resource(answer, "customer", 201) == {"name": "Kim", "phone": "010-1", "address": "Seoul", "age": 30}
    path = answer.headers["Location"]
    assert resource(node.patch(path, json={"address": "Busan"}), "customer") == {"name": "Kim", "phone": "010-1", "address": "Busan", "age": 30}
    assert resource(node.get(path), "customer")["address"] == "Busan"
    assert resource(node.request("PUT", path, json={"name": "Lee", "age": 31}), "customer") == {"name": "Lee", "phone": None, "address": None, "age": 31}
    assert node.delete(path).status_code == 204
    refused(node.get(path), 404)
    for verb, body in (("DELETE", None), ("PATCH", {"age": 1}), ("PUT", {"name": "Kim"})):
        refused(node.request(verb, path, json=body), 404)


@pytest.mark.parametrize("body,status,named", [
    ({}, 422, "name"),
    ({"name": None}, 422, "name"),
    ({"name": ""}, 422, "name"),
    ({"name": "x" * 101}, 422, "name"),
    ({"name": {"first": "Kim"}}, 400, "name"),
    ({"name": "Kim", "age": -1}, 422, "age"),
    ({"name": "Kim", "age": 151}, 422, "age"),
    ({"name": "Kim", "age": "old"}, 400, "age"),
    ({"name": "Kim", "age": 30.5}, 400, "age"),
    ({"name": "Kim", "fone": "1"}, 422, "phone"),
])
def test_a_bad_customer_is_refused(node, body, status, named):
    customer = join(node, age=20)
    before = total(node, "customers"), node.get(f"/customers/{customer}").json()
    refused(node.post("/customers", json=body), status, named)
    refused(node.request("PUT", f"/customers/{customer}", json=body), status, named)
    if body:  # to change nothing is allowed
        refused(node.patch(f"/customers/{customer}", json=body), status, named)
    assert (total(node, "customers"), node.get(f"/customers/{customer}").json()) == before


# ---- the catalogue

def test_a_price_is_a_decimal(node):
    for price, answered in [(1000, "1000.0"), ("1000", "1000.0"), (1000.0, "1000.0"), (12.5, "12.5"), ("0.1", "0.1"), (0, "0.0")]:
        answer = node.post("/foodCatalogs", json={"name": "egg", "stock": 5, "price": price})
        assert resource(answer, "foodCatalog", 201) == {"name": "egg", "stock": 5, "price": float(price)}
        assert f'"price":{answered}' in answer.text.replace(" ", "") and '"stock":5' in answer.text.replace(" ", "")
        assert f'"price":{answered}' in node.get(answer.headers["Location"]).text.replace(" ", "")


def test_the_manager_changes_replaces_and_removes(node):
    catalog = offer(node, stock=10, price=2.5, name="porridge")
    path = f"/foodCatalogs/{catalog}"
    assert resource(node.patch(path, json={"stock": "7"}), "foodCatalog") == {"name": "porridge", "stock": 7, "price": 2.5}
    wait_until(lambda: shown_stock(node, catalog) == 7, what="the view follows")
    assert resource(node.request("PUT", path, json={"name": "rice", "stock": 3, "price": 4}), "foodCatalog") == {"name": "rice", "stock": 3, "price": 4.0}
    wait_until(lambda: find(node, "foodCatalogViews", "findByName", name="rice"), what="the view follows")
    assert find(node, "foodCatalogViews", "findByName", name="rice") == {catalog: {"foodCatalogId": catalog, "name": "rice", "stock": 3, "price": 4.0}}
    assert find(node, "foodCatalogViews", "findByName", name="porridge") == {}
    refused(node.request("PUT", path, json={"name": "rice", "price": 4}), 422, "stock")
    assert node.delete(path).status_code == 204
    refused(node.get(path), 404)
    refused(node.patch(path, json={"stock": 1}), 404)
    wait_until(lambda: shown_stock(node, catalog) is None, what="the view follows")


@pytest.mark.parametrize("body,status,named", [
    ({"stock": 1, "price": 1}, 422, "name"),
    ({"name": "egg", "price": 1}, 422, "stock"),
    ({"name": "egg", "stock": 1}, 422, "price"),
    ({"name": "egg", "stock": -1, "price": 1}, 422, "stock"),
    ({"name": "egg", "stock": 1.5, "price": 1}, 400, "stock"),
    ({"name": "egg", "stock": "many", "price": 1}, 400, "stock"),
    ({"name": "egg", "stock": 1, "price": -0.5}, 422, "price"),
    ({"name": "egg", "stock": 1, "price": "dear"}, 400, "price"),
    ({"name": "egg", "stock": 1, "price": True}, 400, "price"),
    ({"name": "egg", "stock": 1, "prize": 1}, 422, "price"),
])
def test_a_bad_catalogue_is_refused(node, body, status, named):
    before = total(node, "foodCatalogs")
    refused(node.post("/foodCatalogs", json=body), status, named)
    assert total(node, "foodCatalogs") == before


def test_a_bad_change_of_the_catalogue_changes_nothing(node):
    catalog = offer(node)
    path = f"/foodCatalogs/{catalog}"
    before = node.get(path)
    for body, status in [({"stock": -1}, 422), ({"price": -1}, 422), ({"name": ""}, 422), ({"stok": 1}, 422), ({"stock": "x"}, 400), ({"price": []}, 400)]:
        refused(node.patch(path, json=body), status)
    assert node.get(path).headers["ETag"] == before.headers["ETag"]


def test_a_stale_if_match_changes_nothing(node):
    path = f"/foodCatalogs/{offer(node)}"
    first = node.get(path).headers["ETag"]
    assert node.patch(path, json={"stock": 7}, headers={"If-Match": first}).status_code == 200
    for verb, body in (("PATCH", {"stock": 1}), ("PUT", {"name": "a", "stock": 1, "price": 1}), ("DELETE", None)):
        refused(node.request(verb, path, json=body, headers={"If-Match": first}), 412)
    assert node.get(path).json()["stock"] == 7


def test_catalogues_by_price(make_node):
    fresh = make_node()
    for price in (2.5, 0.5, 10):
        offer(fresh, price=price)
    rows = fresh.get("/foodCatalogs?sort=price,desc").json()["_embedded"]["foodCatalogs"]
    assert [r["price"] for r in rows] == [10.0, 2.5, 0.5]
    assert fresh.get("/profile/foodCatalogs", headers={"Accept": "application/schema+json"}).json()["properties"]["price"]["type"] == "number"


def test_the_catalogue_view(node):
    catalog = offer(node, stock=4, price=12.5, name="soup")
    wait_until(lambda: shown_stock(node, catalog) == 4, what="the view")
    assert resource(node.get(f"/foodCatalogViews/{catalog}"), "foodCatalogView") == {"foodCatalogId": catalog, "name": "soup", "stock": 4, "price": 12.5}
    order(node, join(node), catalog, 3)
    wait_until(lambda: shown_stock(node, catalog) == 1, what="the view follows the stock")


# ---- orders

def test_an_order_takes_stock_and_is_paid(node):
    customer, catalog = join(node), offer(node, stock=100, price=1000)
    answer = node.post("/orders", json={"qty": 20, "foodcaltalogid": catalog, "customerid": customer})
    assert resource(answer, "order", 201) == {"qty": 20, "foodcaltalogid": catalog, "customerid": customer, "status": None}
    [(order_id, row)] = find(node, "orders", "findByCustomerid", customerid=customer).items()
    assert row["qty"] == 20 and answer.headers["Location"].endswith(f"/orders/{order_id}")
    assert stock(node, catalog) == 80
    [(pay, row)] = find(node, "pays", "findByOrderid", orderid=order_id).items()
    assert row == {"orderid": order_id, "amout": 20, "amount": 20000.0, "status": "Paid"}
    shown = node.get(f"/pays/{pay}")
    assert resource(shown, "pay") == row and '"amount":20000.0' in shown.text.replace(" ", "")


def test_a_delivery_starts_by_itself(node):
    customer, catalog = join(node), offer(node)
    order_id = order(node, customer, catalog, 2)
    identity = delivery(node, order_id, START)
    assert resource(node.get(f"/deliveries/{identity}"), "delivery") == {"orderId": order_id, "status": START}
    assert find(node, "myOrders", "findByCustomerid", customerid=customer) == {
        order_id: {"orderid": order_id, "customerid": customer, "foodcatlogid": catalog, "qty": 2, "deliveryid": identity, "status": START}}


@pytest.mark.parametrize("catalog_name", ["foodcaltalogid", "foodCatalogId"])
@pytest.mark.parametrize("customer_name", ["customerid", "customerId"])
def test_the_good_spellings_are_accepted_and_the_original_ones_answered(node, catalog_name, customer_name):
    customer, catalog = join(node), offer(node)
    _, body = create(node, "/orders", {"qty": "3", catalog_name: str(catalog), customer_name: customer})
    assert {k for k in body if k != "_links"} == {"qty", "foodcaltalogid", "customerid", "status"}
    assert (body["qty"], body["foodcaltalogid"], body["customerid"]) == (3, catalog, customer)


def test_one_field_under_both_names_is_422(node):
    customer, catalog = join(node), offer(node)
    refused(node.post("/orders", json={"qty": 1, "foodcaltalogid": catalog, "foodCatalogId": catalog, "customerid": customer}), 422, "foodcaltalogid")
    assert stock(node, catalog) == 100


@pytest.mark.parametrize("change,status,named", [
    ({"qty": None}, 422, "qty"),
    ({"qty": 0}, 422, "qty"),
    ({"qty": -1}, 422, "qty"),
    ({"qty": "two"}, 400, "qty"),
    ({"qty": 1.5}, 400, "qty"),
    ({"foodcaltalogid": 0}, 422, "foodcaltalogid"),
    ({"foodcaltalogid": "egg"}, 400, "foodcaltalogid"),
    ({"customerid": -1}, 422, "customerid"),
    ({"customerid": "Kim"}, 400, "customerid"),
    ({"customerid": 99999999}, 422, "99999999"),
    ({"foodcaltalogid": 99999999}, 422, "99999999"),
    ({"qty": 101}, 409, "100"),
    ({"amount": 1}, 422, "amount"),
])
def test_a_bad_order_is_refused_and_nothing_is_kept(manual, change, status, named):
    customer, catalog = join(manual), offer(manual)
    nothing_under_way(manual)
    before = counted(manual)
    refused(manual.post("/orders", json={"qty": 1, "foodcaltalogid": catalog, "customerid": customer, **change}), status, named)
    assert stock(manual, catalog) == 100
    assert counted(manual) == before
    wait_until(lambda: shown_stock(manual, catalog) == 100, what="the view")


@pytest.mark.parametrize("missing", ["qty", "foodcaltalogid", "customerid"])
def test_an_order_without_a_required_field_is_422(node, missing):
    body = {"qty": 1, "foodcaltalogid": offer(node), "customerid": join(node)}
    del body[missing]
    refused(node.post("/orders", json=body), 422, missing)


def test_who_has_left_can_order_nothing_and_what_is_removed_cannot_be_ordered(node):
    customer, catalog = join(node), offer(node)
    node.delete(f"/customers/{customer}")
    refused(node.post("/orders", json={"qty": 1, "foodcaltalogid": catalog, "customerid": customer}), 422, str(customer))
    assert stock(node, catalog) == 100
    node.delete(f"/foodCatalogs/{catalog}")
    refused(node.post("/orders", json={"qty": 1, "foodcaltalogid": catalog, "customerid": join(node)}), 422, str(catalog))


def test_the_last_unit_can_be_ordered_and_no_more(node):
    customer, catalog = join(node), offer(node, stock=5)
    order(node, customer, catalog, 5)
    assert stock(node, catalog) == 0
    refused(node.post("/orders", json={"qty": 1, "foodcaltalogid": catalog, "customerid": customer}), 409)
    assert stock(node, catalog) == 0


def test_of_two_orders_for_the_last_unit_one_wins(node):
    customer, catalog = join(node), offer(node, stock=1)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bodies = [{"qty": 1, "foodcaltalogid": catalog, "customerid": customer}] * 2
        codes = list(pool.map(lambda body: node.post("/orders", json=body).status_code, bodies))
    assert sorted(codes) == [201, 409]
    assert stock(node, catalog) == 0 and len(find(node, "orders", "findByCustomerid", customerid=customer)) == 1


def test_an_order_pays_the_price_of_its_moment(node):
    customer, catalog = join(node), offer(node, price=10)
    first = order(node, customer, catalog, 3)
    node.patch(f"/foodCatalogs/{catalog}", json={"price": 0.5})
    second = order(node, customer, catalog, 3)
    amounts = [next(iter(find(node, "pays", "findByOrderid", orderid=o).values()))["amount"] for o in (first, second)]
    assert amounts == [30.0, 1.5]


def test_an_order_under_a_key_takes_stock_once(node):
    customer, catalog = join(node), offer(node)
    headers = {"Idempotency-Key": f"breakfast-{customer}-{catalog}"}
    body = {"qty": 4, "foodcaltalogid": catalog, "customerid": customer}
    first, second = (node.post("/orders", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201) and first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"] and stock(node, catalog) == 96


# ---- deliveries

def test_the_delivery_team_confirms(manual):
    customer, catalog = join(manual), offer(manual)
    order_id = order(manual, customer, catalog)
    identity = delivery(manual, order_id, "Ordered")
    for status in (START, COMPLETED):
        answer = set_status(manual, f"/deliveries/{identity}", status)
        assert resource(answer, "delivery") == {"orderId": order_id, "status": status}
        delivery(manual, order_id, status)
    assert my_order(manual, order_id) == {"orderid": order_id, "customerid": customer, "foodcatlogid": catalog, "qty": 1, "deliveryid": identity,
                                          "status": COMPLETED}


@pytest.mark.parametrize("steps,then,status", [
    ([], COMPLETED, 409),
    ([START, COMPLETED], START, 409),
    ([START], START, 200),
    ([START, COMPLETED], COMPLETED, 200),
    ([], "Delivery", 422),
    ([], "Ordered", 422),
    ([], CANCELLED, 422),
    ([], 7, 400),
])
def test_transitions_of_a_delivery(manual, steps, then, status):
    order_id = order(manual, join(manual), offer(manual))
    identity = delivery(manual, order_id, "Ordered")
    for step in steps:
        assert set_status(manual, f"/deliveries/{identity}", step).status_code == 200
    tag = manual.get(f"/deliveries/{identity}").headers["ETag"]
    answer = set_status(manual, f"/deliveries/{identity}", then)
    if status != 200:
        refused(answer, status)
    assert answer.status_code == status and manual.get(f"/deliveries/{identity}").headers["ETag"] == tag


def test_a_delivery_that_is_not_there(node):
    refused(set_status(node, "/deliveries/99999999", START), 404)


# ---- cancels

@pytest.mark.parametrize("steps", [[], [START]])
def test_a_cancel_takes_everything_back(manual, steps):
    customer, catalog = join(manual), offer(manual, stock=10)
    kept, gone = order(manual, customer, catalog, 2), order(manual, customer, catalog, 5)
    identity = delivery(manual, gone, "Ordered")
    for step in steps:
        set_status(manual, f"/deliveries/{identity}", step)
    answer = manual.delete(f"/orders/{gone}")
    assert answer.status_code == 204 and answer.content == b""
    delivery(manual, gone, CANCELLED)
    wait_until(lambda: manual.get(f"/pays/{gone}").json()["status"] == "Order Canceled-payment", what="Order Canceled-payment")
    wait_until(lambda: stock(manual, catalog) == 8, what="the stock is given back")
    wait_until(lambda: shown_stock(manual, catalog) == 8, what="the view follows")
    assert manual.get(f"/pays/{gone}").json()["amout"] == 5
    assert manual.get(f"/pays/{kept}").json()["status"] == "Paid" and manual.get(f"/orders/{kept}").json()["status"] is None
    for status in (START, COMPLETED):
        refused(set_status(manual, f"/deliveries/{identity}", status), 409)


def test_canceling_twice_gives_the_stock_back_once(manual):
    catalog = offer(manual, stock=10)
    order_id = order(manual, join(manual), catalog, 5)
    assert [manual.delete(f"/orders/{order_id}").status_code for _ in range(2)] == [204, 204]
    wait_until(lambda: stock(manual, catalog) == 10, what="the stock is given back")
    assert manual.delete(f"/orders/{order_id}").status_code == 204
    nothing_under_way(manual)
    assert stock(manual, catalog) == 10
    counts = collections.Counter(e["eventType"] for e in all_events(manual, id=order_id) if e["context"] in ("order", "pay", "delivery"))
    assert counts["OrderCancelled"] == counts["DeliveryCanceled"] == counts["Cancelled"] == 1


def test_many_cancels_at_once_give_the_stock_back_once(node):
    catalog = offer(node, stock=10)
    order_id = order(node, join(node), catalog, 5)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: node.delete(f"/orders/{order_id}").status_code, range(16)))
    assert codes == [204] * 16
    wait_until(lambda: stock(node, catalog) == 10, what="the stock is given back")
    nothing_under_way(node)
    assert stock(node, catalog) == 10


def test_a_completed_delivery_cannot_be_cancelled(manual):
    catalog = offer(manual, stock=10)
    order_id = order(manual, join(manual), catalog, 5)
    identity = delivery(manual, order_id, "Ordered")
    for status in (START, COMPLETED):
        set_status(manual, f"/deliveries/{identity}", status)
    delivery(manual, order_id, COMPLETED)
    refused(manual.delete(f"/orders/{order_id}"), 409)
    nothing_under_way(manual)
    assert manual.get(f"/orders/{order_id}").json()["status"] == COMPLETED
    assert manual.get(f"/pays/{order_id}").json()["status"] == "Paid" and stock(manual, catalog) == 5


def test_an_order_that_is_not_there_cannot_be_cancelled(node):
    refused(node.delete("/orders/99999999"), 404)


def test_a_cancel_into_a_removed_catalogue(node):
    catalog = offer(node)
    order_id = order(node, join(node), catalog)
    node.delete(f"/foodCatalogs/{catalog}")
    assert node.delete(f"/orders/{order_id}").status_code == 204
    wait_until(lambda: node.get(f"/pays/{order_id}").json()["status"] == "Order Canceled-payment", what="Order Canceled-payment")
    nothing_under_way(node)
    assert node.get("/actuator/deadletters").json() == [] and node.get(f"/foodCatalogs/{catalog}").status_code == 404


# ---- finders, verbs, documents

def test_finders_find_their_own_only(node):
    customer, other, catalog = join(node), join(node), offer(node)
    mine = [order(node, customer, catalog) for _ in range(2)]
    order(node, other, catalog)
    assert list(find(node, "orders", "findByCustomerid", customerid=customer)) == mine
    wait_until(lambda: list(find(node, "myOrders", "findByCustomerid", customerid=customer)) == mine, what="myOrders")
    assert list(find(node, "pays", "findByOrderid", orderid=mine[1])) == [mine[1]]


@pytest.mark.parametrize("collection,finders", [
    ("myOrders", {"findByCustomerid": {"customerid": 999999}}),
    ("orders", {"findByCustomerid": {"customerid": 999999}}),
    ("deliveries", {"findByOrderId": {"orderId": 999999}}),
    ("pays", {"findByOrderid": {"orderid": 999999}}),
    ("foodCatalogViews", {"findByName": {"name": "nothing"}}),
])
def test_search(node, collection, finders):
    has_finders(node, collection, finders)


def test_verbs(node):
    customer, catalog = join(node), offer(node)
    order_id = order(node, customer, catalog)
    identity = delivery(node, order_id, START)
    wait_until(lambda: shown_stock(node, catalog) is not None, what="the view")
    for path in ("/customers", "/foodCatalogs", "/orders"):
        takes_only(node, path, "POST")
    for path in (f"/customers/{customer}", f"/foodCatalogs/{catalog}"):
        takes_only(node, path, "PATCH", "PUT", "DELETE")
    takes_only(node, f"/orders/{order_id}", "DELETE")
    takes_only(node, f"/deliveries/{identity}", "PATCH")
    for path in ("/pays", f"/pays/{order_id}", "/deliveries", "/myOrders", f"/myOrders/{order_id}", "/foodCatalogViews", f"/foodCatalogViews/{catalog}"):
        takes_only(node, path)


def test_documents(node):
    is_linked_and_described(node, ["customers", "foodCatalogs", "foodCatalogViews", "orders", "pays", "deliveries", "myOrders"])


def test_contexts(node):
    assert [c["name"] for c in node.get("/actuator/contexts").json()] == ["customer", "foodCatalog", "order", "pay", "delivery"]


# ---- events

def test_events_of_the_whole_flow(make_node):
    fresh = make_node({"breakfast.autoShip": "false"})
    customer, catalog = join(fresh), offer(fresh)
    fresh.patch(f"/customers/{customer}", json={"age": 30})
    fresh.patch(f"/foodCatalogs/{catalog}", json={"stock": 50})
    first, second = order(fresh, customer, catalog, 20), order(fresh, customer, catalog, 5)
    delivery(fresh, first, "Ordered")
    for status in (START, COMPLETED):
        set_status(fresh, f"/deliveries/{first}", status)
    delivery(fresh, first, COMPLETED)
    fresh.delete(f"/orders/{second}")
    wait_until(lambda: stock(fresh, catalog) == 30, what="the stock is given back")
    fresh.delete(f"/customers/{customer}")
    fresh.delete(f"/foodCatalogs/{catalog}")
    nothing_under_way(fresh)
    events = all_events(fresh)
    are_events(events, me=True)
    counts = collections.Counter(e["eventType"] for e in events)
    expected = {"CustomerJoined": 1, "CustomerChanged": 1, "CustomerLeft": 1, "CatalogRegistered": 1, "CatalogChanged": 1, "CatalogRemoved": 1,
                "StockChanged": 3, "Ordered": 2, "Paid": 2, "Shipped": 1, "Delivered": 1, "OrderCancelled": 1, "DeliveryCanceled": 1, "Cancelled": 1}
    assert {name: counts[name] for name in expected} == expected
    by_type = {e["eventType"]: e for e in reversed(events)}  # the first of each
    ordered = by_type["Ordered"]
    assert {k: ordered[k] for k in ("eventType", "id", "qty", "status", "foodcaltalogid", "customerid", "me")} == {
        "eventType": "Ordered", "id": 1, "qty": 20, "status": None, "foodcaltalogid": catalog, "customerid": customer, "me": True}
    assert by_type["Shipped"]["status"] == START and by_type["Shipped"]["orderId"] == first
    assert by_type["Delivered"]["status"] == COMPLETED
    assert by_type["Cancelled"]["status"] == "Order Canceled-payment" and by_type["Cancelled"]["orderid"] == second
    assert not any(name in e for e in events for name in ("voided", "wasKnown", "removed", "left"))
    history = fresh.get(f"/deliveries/{first}/events", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    told = [json.loads(line)["eventType"] for line in history]
    assert told[-2:] == ["Shipped", "Delivered"] and len(told) == 3


def test_all_of_it_is_there_after_kill_9(make_node):
    fresh = make_node()
    customer, catalog = join(fresh), offer(fresh, price=0.1)
    kept, gone = order(fresh, customer, catalog, 3), order(fresh, customer, catalog, 4)
    delivery(fresh, kept, START)
    fresh.delete(f"/orders/{gone}")
    delivery(fresh, gone, CANCELLED)
    wait_until(lambda: stock(fresh, catalog) == shown_stock(fresh, catalog) == 97, what="the stock")
    nothing_under_way(fresh)
    paths = [f"/{c}/{i}" for c in ("orders", "pays", "deliveries", "myOrders") for i in (kept, gone)]
    paths += [f"/foodCatalogs/{catalog}", f"/foodCatalogViews/{catalog}"]
    before = [fresh.get(p).json() for p in paths]
    fresh.kill9()
    fresh.start()
    nothing_under_way(fresh)
    assert [fresh.get(p).json() for p in paths] == before
