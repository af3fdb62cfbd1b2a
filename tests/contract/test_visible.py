"""What a customer sends cannot drive the terminal of whoever looks at it, nor hide in a log."""

import json

from crema import order_body, run, wait_until

WICKED = "co\u202eff\u2066ee\u009b31m\u0085\u200f\u007f"
SEEN = "co\\u202eff\\u2066ee\\u009b31m\\u0085\\u200f\\u007f"


def raw_in(text):
    return [c for c in text if c in WICKED and not c.isalnum()]


def crema(node, *arguments):
    done = run(*arguments, "--url", node.base)
    assert done.returncode == 0, done.stderr
    assert not raw_in(done.stdout) and not raw_in(done.stderr)
    return done.stdout


def test_the_command_line_writes_out_what_acts(node, phone):
    placed = node.post("/orders", json=order_body(phone, product=WICKED))
    order = placed.headers["Location"].rsplit("/", 1)[1]
    assert placed.json()["productName"] == WICKED
    wait_until(lambda: node.get(f"/drinks/{order}").status_code == 200, what="the drink")
    assert SEEN in crema(node, "events", "--context", "order", "--id", order)
    lines = [json.loads(line) for line in crema(node, "events", "--context", "order", "--id", order, "--json").splitlines()]
    assert lines[0]["productName"] == WICKED
    crema(node, "trace", f"order/{order}")


def test_an_answer_that_repeats_it_writes_it_out(node, phone):
    for body in ({**order_body(phone), WICKED: 1}, {**order_body(phone), "qty": WICKED}):
        answer = node.post("/orders", json=body)
        assert answer.status_code in (400, 422)
        assert not raw_in(answer.text)
    answer = node.get("/orders?sort=" + WICKED)
    assert not raw_in(answer.text)


def test_no_log_holds_it(node, phone):
    node.get(f"/{phone}-\u202e")
    node.request("GET", f"/orders/1?x={phone}", headers={"Accept": "a\u009bb".encode("latin-1")})
    wait_until(lambda: any(phone in f.read_text() for f in node.data.glob("logs/access.log")), what="the access log")
    for file in node.data.glob("logs/*.log"):
        assert not raw_in(file.read_text(encoding="utf-8")), file
