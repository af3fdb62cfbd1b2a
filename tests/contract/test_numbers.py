"""Numbers and lengths as JSON says them: exact, or refused. Nothing is rounded on its way from a caller's digits to the answer's."""

import json

import pytest

from crema import run, wait_until
from resources import create, find, refused

SYSTEM = "breakfast"
AS_JSON = {"Content-Type": "application/json"}


def post(node, path, text):
    return node.post(path, data=text.encode(), headers=AS_JSON)


def offer(node, price, stock="10"):
    return post(node, "/foodCatalogs", f'{{"name":"egg","stock":{stock},"price":{price}}}')


def amount_of_order(node, price, qty):
    """As it is shown, digit by digit."""
    catalog = int(offer(node, price, stock=str(qty)).headers["Location"].rsplit("/", 1)[1])
    customer, _ = create(node, "/customers", {"name": "Kim"})
    order, _ = create(node, "/orders", {"qty": qty, "foodcaltalogid": catalog, "customerid": customer})
    pay = wait_until(lambda: find(node, "pays", "findByOrderid", orderid=order), what="the payment")
    text = node.get(f"/pays/{next(iter(pay))}").text
    return str(json.loads(text, parse_float=str)["amount"])


@pytest.mark.parametrize("price, qty, amount", [
    ("179006636.3", 12, "2148079635.6"),
    ("0.1", 3, "0.3"),
    ("999999999.999999", 1000000, "999999999999999.0"),
    ("0.000001", 1, "0.000001"),
])
def test_money_is_exact_within_its_bounds(node, price, qty, amount):
    assert amount_of_order(node, price, qty) == amount


@pytest.mark.parametrize("price, shown", [
    ("1e3", "1000.0"), ("1E-6", "0.000001"), ("-0", "0.0"), ("-0.0", "0.0"), ("0e99", "0.0"), ('"0012.50"', "12.5"), ("1000000000", "1000000000.0"),
    ("999999999.999999", "999999999.999999"), ("0.30000000000000004", "0.3"),
])
def test_a_price_has_many_spellings_and_one_value(node, price, shown):
    answer = offer(node, price)
    assert answer.status_code == 201, answer.text
    assert f'"price":{shown}' in answer.text
    assert f'"price":{shown}' in node.get(answer.headers["Location"]).text


@pytest.mark.parametrize("price, status", [
    ("0.0000001", 422), ("1.17e-38", 422), ("1000000000.000001", 422), ("1e18", 422), ("1e30", 422), ("1e999", 400), ('"1e999"', 422), ('"1,5"', 400), ("01", 400),
])
def test_a_price_that_cannot_be_kept_is_refused(node, price, status):
    refused(offer(node, price), status)


@pytest.mark.parametrize("stock, kept", [("2.0", 2), ("1e3", 1000), ("-0", 0), ("-0.0", 0), ("999999999999.0", 999999999999)])
def test_a_whole_number_has_many_spellings(node, stock, kept):
    assert offer(node, "1", stock).json()["stock"] == kept


def test_a_number_that_a_double_cannot_tell_is_not_rounded(node):
    assert offer(node, "1", "2.5").status_code == 400
    refused(offer(node, "1", "9007199254740993.0"), 422, "stock")
    # Without a bound it is kept as it is: here, the number of a customer that is not there.
    answer = post(node, "/orders", '{"qty":1,"foodcaltalogid":1,"customerid":9223372036854775808.0}')
    refused(answer, 422, "customerid")


def test_lengths_count_characters(node):
    longest = "☕" * 100
    assert node.post("/customers", json={"name": longest}).json()["name"] == longest
    refused(node.post("/customers", json={"name": longest + "x"}), 422, "name")
    schema = node.get("/profile/customers", headers={"Accept": "application/schema+json"}).json()
    assert (schema["properties"]["name"]["minLength"], schema["properties"]["name"]["maxLength"]) == (1, 100)


@pytest.mark.parametrize("body, key", [
    ('{"name":"Kim","name":"Lee"}', "name"),
    ('{"name":"Kim","n\\u0061me":"Kim"}', "name"),
    ('{"name":"Kim","address":{"street":[{"no":1,"no":2}]}}', "no"),
])
def test_a_member_that_is_named_twice_is_refused(node, body, key):
    answer = post(node, "/customers", body)
    refused(answer, 400)
    assert f"'{key}' twice" in answer.json()["detail"]


def test_a_setting_that_is_named_twice_stops_the_start(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text('{\n"http": {"threads": 1},\n"http": {"threads": 2}\n}')
    done = run("serve", "breakfast", "--config", file, "--data", tmp_path / "data")
    assert done.returncode == 2
    assert "settings.json:3: http is set twice in this file" in done.stderr
