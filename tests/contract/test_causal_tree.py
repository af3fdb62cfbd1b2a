"""GET /{collection}/{id}/trace and `crema trace`: what led to what for one aggregate, from the journal."""

import json

import jsonschema
import pytest

import crema
from crema import nothing_under_way, place, set_status, wait_until


def every_step(steps, cause=None):
    for step in steps:
        yield step, cause
        yield from every_step(step["steps"], step)


def settled_tree(node, path):
    """As soon as nothing of it is on its way."""

    def read():
        answer = node.get(path)
        assert answer.status_code == 200, answer.text
        tree = answer.json()
        return tree if all(step["state"] != "waiting" for step, _ in every_step(tree["steps"])) else None

    return wait_until(read, what="nothing waits")


@pytest.fixture
def order_id(node, phone):
    order_id = place(node, phone)
    nothing_under_way(node)
    assert set_status(node, f"/orders/{order_id}", "OrderCanceled").status_code == 200
    nothing_under_way(node)
    return order_id


def test_an_order_and_its_cancel_from_request_to_notification(node, order_id):
    tree = settled_tree(node, f"/orders/{order_id}/trace")
    assert tree["aggregate"] == f"order/{order_id}" and tree["complete"] is True
    links = {(cause["aggregate"].split("/")[0] if cause else None, step["aggregate"].split("/")[0], *step.get("events", []))
             for step, cause in every_step(tree["steps"])}
    assert links == {(None, "order", "Ordered"), ("order", "payment", "PaymentApproved"), ("payment", "sale", "SaleCounted"),
                     ("payment", "drink", "DrinkOrdered"), ("order", "customercenter"),
                     (None, "order", "OrderCanceled"), ("order", "drink", "DrinkCanceled"), ("drink", "payment", "PaymentCanceled"),
                     ("payment", "sale", "SaleUncounted")}
    for step, cause in every_step(tree["steps"]):
        assert step["state"] == "recorded"
        assert 0 <= step.get("queuedMs", 0) <= step["handledMs"] <= tree["durationMs"]
        if cause and "traceId" in step:
            assert step["traceId"] == cause["traceId"]


def test_it_is_as_the_openapi_document_says(node, order_id):
    document = node.get("/openapi.json").json()
    assert "get" in document["paths"]["/orders/{id}/trace"] and "/mypages/{id}/trace" not in document["paths"]
    schema = {"$ref": "#/components/schemas/causalTree", "components": document["components"]}
    tree = node.get(f"/orders/{order_id}/trace").json()
    jsonschema.Draft202012Validator(schema).validate(tree)
    del tree["steps"][0]["cause"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(tree)


def test_it_holds_no_customers_data(node, order_id, phone):
    text = node.get(f"/orders/{order_id}/trace").text
    assert phone not in text and "coffee" not in text


def test_what_has_no_tree(node):
    for path in ("/orders/99999999/trace", "/orders/0/trace", "/orders/x/trace", "/mypages/1/trace", "/orders/1/trace/1"):
        answer = node.get(path)
        assert answer.status_code == 404 and answer.json()["status"] == 404, path
    assert "view" in node.get("/mypages/1/trace").json()["detail"]
    assert node.post("/orders/1/trace").status_code == 405
    assert node.request("OPTIONS", "/orders/1/trace").headers["Allow"] == "GET, HEAD, OPTIONS"


def test_what_was_voided_still_has_its_tree(make_node):
    node = make_node({"payment.slow.minMs": 300, "payment.slow.maxMs": 300, "payment.bulkhead.callTimeoutMs": 100})
    assert node.post("/orders", json=crema.order_body()).status_code == 504
    nothing_under_way(node)
    assert node.get("/payments/1").status_code == 404
    answer = node.get("/payments/1/trace")
    if answer.status_code == 200:  # the payment had time to record its step before it learnt that nobody waits for it
        assert any(step.get("undone") for step, _ in every_step(answer.json()["steps"]))
    else:
        assert answer.status_code == 404


def test_it_survives_a_restart(make_node):
    node = make_node()
    order_id = place(node)
    nothing_under_way(node)
    steps = [(step["aggregate"], step["cause"], step["sequence"]) for step, _ in every_step(settled_tree(node, f"/orders/{order_id}/trace")["steps"])]
    node.restart()
    after = node.get(f"/orders/{order_id}/trace").json()
    assert [(step["aggregate"], step["cause"], step["sequence"]) for step, _ in every_step(after["steps"])] == steps


def test_the_command_line_draws_it(node, order_id):
    drawn = crema.run("trace", f"order/{order_id}", "--url", node.base)
    assert drawn.returncode == 0 and drawn.stderr == ""
    assert f"|- payment/{order_id}  asked -> PaymentApproved" in drawn.stdout and drawn.stdout.isascii()
    assert crema.run("trace", f"orders/{order_id}", "--url", node.base, "--mermaid").stdout.startswith("sequenceDiagram\n")
    assert json.loads(crema.run("trace", f"order/{order_id}", "--url", node.base, "--json").stdout)["aggregate"] == f"order/{order_id}"
    nobody = crema.run("trace", "order/99999999", "--url", node.base)
    assert nobody.returncode == 1 and "404" in nobody.stderr
