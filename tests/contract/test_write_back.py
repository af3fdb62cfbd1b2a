"""spec/http.md: what was read can be written back; what is read-only is compared with what is so now."""

import pytest

from crema import drink_of, place, set_status
from resources import refused


@pytest.fixture
def drink(node, phone):
    return f"/drinks/{drink_of(node, place(node, phone))}"


def test_a_resource_that_was_read_is_sent_back_whole(node, drink):
    whole = node.get(drink).json()
    answer = node.patch(drink, json={**whole, "status": "Receipted"})
    assert answer.status_code == 200, answer.text
    assert {**whole, "status": "Receipted"} == answer.json() == node.get(drink).json()


def test_nulls_and_the_id_of_the_path_mean_nothing(node, drink):
    nulls = {"orderId": None, "phoneNumber": None, "createTime": None, "id": int(drink.rsplit("/", 1)[1]), "_links": None, "_embedded": {"x": []}}
    assert node.patch(drink, json={**nulls, "status": "Receipted"}).status_code == 200


@pytest.mark.parametrize("field, value", [("qty", 3), ("orderId", 1 << 40), ("createTime", "2021-02-25T04:28:24.716+0000"), ("phoneNumber", "0")])
def test_another_value_of_a_read_only_field_is_refused(node, drink, field, value):
    before = node.get(drink)
    refused(node.patch(drink, json={"status": "Receipted", field: value}), 422, field)
    assert node.get(drink).json() == before.json() and node.get(drink).headers["ETag"] == before.headers["ETag"]


def test_a_representation_that_is_old_is_refused(node, drink):
    """status is read-only where the status of a PATCH does not choose it: here it is sent within a whole order."""
    order = f"/orders/{node.get(drink).json()['orderId']}"
    old = node.get(order).json()
    assert set_status(node, order, "OrderCanceled").status_code == 200
    refused(node.patch(order, json={**old, "amt": old["amt"] + 1, "status": "OrderCanceled"}), 422, "amt")


def test_a_repeated_request_gets_the_first_answer_though_what_it_had_read_is_not_so_any_more(make_node):
    fresh = make_node(system="breakfast")
    customer = fresh.post("/customers", json={"name": "Kim"}).headers["Location"]
    whole = {**fresh.get(customer).json(), "name": "Lee"}  # phone, address and age: null, and null here means as it is
    first = fresh.patch(customer, json=whole, headers={"Idempotency-Key": "one"})
    assert first.status_code == 200, first.text
    assert fresh.patch(customer, json={"age": 30}).status_code == 200
    again = fresh.patch(customer, json=whole, headers={"Idempotency-Key": "one"})
    assert again.status_code == 200 and again.headers["Idempotency-Replayed"] == "true", again.text
    refused(fresh.patch(customer, json=whole), 422, "age")


def test_a_new_resource_gets_its_read_only_fields_here(node):
    body = {"phoneNumber": "1", "productName": "tea", "qty": 1, "amt": 1}
    assert node.post("/orders", json={**body, "id": None, "status": None, "createTime": None, "_links": {}}).status_code == 201
    refused(node.post("/orders", json={**body, "status": "Ordered"}), 422, "status")
    refused(node.post("/orders", json={**body, "id": 7}), 422, "id")
    refused(node.post("/orders", json={**body, "stauts": None}), 422, "stauts")
