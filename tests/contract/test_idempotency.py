"""spec/http.md: Idempotency-Key, ETag with If-Match and If-None-Match."""

import concurrent.futures
import json
import socket

import pytest

from crema import drink_of, id_of, mypages, order_body, place, set_status, sum_of, total, wait_until


def key(phone, name="k"):
    return {"Idempotency-Key": f"{name}-{phone}"}


def test_the_same_key_and_body_give_the_first_answer_again(node, phone):
    first = node.post("/orders", json=order_body(phone), headers=key(phone))
    second = node.post("/orders", json=order_body(phone), headers=key(phone))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.headers["Location"] == second.headers["Location"]
    assert first.json() == second.json()
    found = node.get(f"/orders/search/findByPhoneNumber?phoneNumber={phone}").json()["_embedded"]["orders"]
    assert len(found) == 1


def test_another_key_is_another_order(node, phone):
    first = node.post("/orders", json=order_body(phone), headers=key(phone, "a"))
    second = node.post("/orders", json=order_body(phone), headers=key(phone, "b"))
    assert first.headers["Location"] != second.headers["Location"]


def test_without_a_key_every_post_is_an_order(node, phone):
    assert place(node, phone) != place(node, phone)


@pytest.mark.parametrize("spelled", [
    '{{ "amt": 1000, "qty": 2,\n"productName": "coffee", "phoneNumber": "{0}" }}',
    '{{"phoneNumber":"{0}","productName":"coff\\u0065e","qty":2.0,"amt":1e3}}',
    '{{"phoneNumber":"{0}","productName":"coffee","qty":"2","amt":"1000.0"}}',
])
def test_a_key_compares_what_was_asked_not_how_it_was_spelled(node, phone, spelled):
    first = node.post("/orders", json=order_body(phone, product="coffee", qty=2, amt=1000), headers=key(phone))
    assert first.status_code == 201, first.text
    again = node.post("/orders", data=spelled.format(phone).encode(), headers={**key(phone), "Content-Type": "application/json"})
    assert again.status_code == 201, again.text
    assert again.headers["Location"] == first.headers["Location"]


def test_a_key_with_another_value_in_any_field_is_422(node, phone):
    assert node.post("/orders", json=order_body(phone), headers=key(phone)).status_code == 201
    for field, value in [("qty", 9), ("amt", 1), ("productName", "other"), ("phoneNumber", phone + "0")]:
        answer = node.post("/orders", json={**order_body(phone), field: value}, headers=key(phone))
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (422, "idempotency-key-reused"), field


def test_several_keys_are_refused_and_nothing_is_done(node, phone):
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as s:
        body = json.dumps(order_body(phone)).encode()
        s.sendall(b"POST /orders HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\nIdempotency-Key: a\r\n"
                  b"idempotency-key: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        answer = b"".join(iter(lambda: s.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ") and b"Idempotency-Key" in answer
    assert node.get(f"/orders/search/findByPhoneNumber?phoneNumber={phone}").json()["_embedded"]["orders"] == []


def test_a_patch_under_a_key_is_answered_as_the_first_time(node, phone):
    drink = drink_of(node, place(node, phone))
    first = set_status(node, f"/drinks/{drink}", "Receipted", headers=key(phone))
    assert set_status(node, f"/drinks/{drink}", "Made").status_code == 200
    again = set_status(node, f"/drinks/{drink}", "Receipted", headers=key(phone))
    assert again.status_code == 200 and again.json() == first.json()
    assert node.get(f"/drinks/{drink}").json()["status"] == "Made"


def test_one_key_on_two_paths_is_422(node, phone):
    drink = drink_of(node, place(node, phone))
    assert set_status(node, f"/drinks/{drink}", "Receipted", headers=key(phone)).status_code == 200
    assert node.post("/orders", json=order_body(phone), headers=key(phone)).status_code == 422


@pytest.mark.parametrize("value", ["", "x" * 256, b"\xc3\xa9", "a\tb"])
def test_an_unusable_key_is_refused_and_nothing_is_done(node, phone, value):
    answer = node.post("/orders", json=order_body(phone), headers={"Idempotency-Key": value})
    assert answer.status_code == 400
    assert node.get(f"/orders/search/findByPhoneNumber?phoneNumber={phone}").json()["_embedded"]["orders"] == []


def test_the_longest_key_is_taken(node, phone):
    headers = {"Idempotency-Key": (phone + "x" * 255)[:255]}
    first = node.post("/orders", json=order_body(phone), headers=headers)
    assert first.status_code == 201
    assert node.post("/orders", json=order_body(phone), headers=headers).headers["Location"] == first.headers["Location"]


def test_concurrent_requests_with_one_key_make_one_order(node, phone):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: node.post("/orders", json=order_body(phone, amt=10), headers=key(phone)), range(32)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.headers["Location"] for a in answers}) == 1
    order_id = id_of(answers[0].headers["Location"])
    wait_until(lambda: mypages(node, phone), what="mypages")
    assert [row["orderId"] for row in mypages(node, phone)] == [order_id]
    month = answers[0].json()["createTime"][:7].replace("-", "")
    assert sum_of(node, phone, month) == 10


def test_a_key_answers_as_before_after_kill_9_and_after_a_restart(make_node, phone):
    fresh = make_node()
    first = fresh.post("/orders", json=order_body(phone), headers=key(phone))
    drink = drink_of(fresh, id_of(first.headers["Location"]))
    patched = set_status(fresh, f"/drinks/{drink}", "Receipted", headers=key(phone, "patch"))
    for end in (fresh.kill9, fresh.stop):
        end()
        fresh.start()
        again = fresh.post("/orders", json=order_body(phone), headers=key(phone))
        assert again.status_code == 201
        assert again.headers["Location"] == first.headers["Location"] and again.json() == first.json()
        assert set_status(fresh, f"/drinks/{drink}", "Receipted", headers=key(phone, "patch")).json() == patched.json()
        assert fresh.post("/orders", json=order_body(phone, qty=9), headers=key(phone)).status_code == 422
        assert total(fresh, "orders") == total(fresh, "payments") == 1


def test_a_request_that_failed_for_a_while_may_be_repeated_under_its_key(make_node, phone):
    fresh = make_node()
    fresh.context("sale").stop()
    assert fresh.post("/orders", json=order_body(phone), headers=key(phone)).status_code in (500, 503)
    fresh.context("sale").start()
    first = fresh.post("/orders", json=order_body(phone), headers=key(phone))
    assert first.status_code == 201
    assert fresh.post("/orders", json=order_body(phone), headers=key(phone)).headers["Location"] == first.headers["Location"]
    assert total(fresh, "orders") == 1


# ---- ETag

def test_the_etag_changes_with_the_resource_and_only_then(node):
    order_id = place(node)
    path = f"/orders/{order_id}"
    first = node.get(path).headers["ETag"]
    assert first.startswith('"') and first.endswith('"')
    assert node.get(path).headers["ETag"] == first
    canceled = set_status(node, path, "OrderCanceled")
    assert canceled.headers["ETag"] != first
    assert node.get(path).headers["ETag"] == canceled.headers["ETag"]


def test_if_none_match_gives_304_without_a_body(node):
    order_id = place(node)
    path = f"/orders/{order_id}"
    tag = node.get(path).headers["ETag"]
    for condition in (tag, f'"0", {tag}', f"W/{tag}", "*"):
        answer = node.get(path, headers={"If-None-Match": condition})
        assert answer.status_code == 304 and answer.content == b"", condition
        assert answer.headers["ETag"] == tag
    assert node.get(path, headers={"If-None-Match": '"0"'}).status_code == 200
    set_status(node, path, "OrderCanceled")
    assert node.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_if_match_lets_the_present_version_pass_and_no_other(node):
    order_id = place(node)
    path = f"/orders/{order_id}"
    tag = node.get(path).headers["ETag"]
    assert set_status(node, path, "OrderCanceled", headers={"If-Match": '"0"'}).status_code == 412
    assert set_status(node, path, "OrderCanceled", headers={"If-Match": "nonsense"}).status_code == 400
    assert set_status(node, path, "OrderCanceled", headers={"If-Match": f'"0", {tag}'}).status_code == 200
    assert set_status(node, path, "OrderCanceled", headers={"If-Match": tag}).status_code == 412
    assert set_status(node, path, "OrderCanceled", headers={"If-Match": "*"}).status_code == 200


def test_of_two_baristas_with_one_etag_one_wins(node):
    drink = drink_of(node, place(node))
    tag = node.get(f"/drinks/{drink}").headers["ETag"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: set_status(node, f"/drinks/{drink}", "Receipted", headers={"If-Match": tag}).status_code, range(8)))
    assert sorted(codes) == [200] + [412] * 7


def test_etags_outlive_a_crash(make_node):
    fresh = make_node()
    order_id = place(fresh)
    tag = fresh.get(f"/orders/{order_id}").headers["ETag"]
    fresh.kill9()
    fresh.start()
    assert fresh.get(f"/orders/{order_id}", headers={"If-None-Match": tag}).status_code == 304
