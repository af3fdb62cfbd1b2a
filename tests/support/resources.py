"""What spec/http.md asks of every resource, whichever system it belongs to. Each function fails where the node answers otherwise."""

import re

from crema import id_of

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")
VERBS = {"POST", "PUT", "PATCH", "DELETE", "TRACE"}
READ = {"GET", "HEAD", "OPTIONS"}


def fields_of(row, singular):
    """The flat fields of a resource; its links are as they should be."""
    row = dict(row)
    links = row.pop("_links")
    assert set(links) == {"self", singular} and links["self"] == links[singular]
    assert "id" not in row
    return row


def resource(answer, singular, status=200):
    assert answer.status_code == status, answer.text
    return fields_of(answer.json(), singular)


def create(node, path, body, **options):
    """A POST that must succeed: the number of what it made, and its body."""
    answer = node.post(path, json=body, **options)
    assert answer.status_code == 201, answer.text
    assert re.fullmatch(re.escape(node.base + path) + r"/[1-9]\d*", answer.headers["Location"])
    assert answer.json()["_links"]["self"]["href"] == answer.headers["Location"]
    return id_of(answer.headers["Location"]), answer.json()


def find(node, collection, finder, **parameters):
    """What a finder finds: {id: fields}."""
    answer = node.get(f"/{collection}/search/{finder}", params=parameters)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["_links"]["self"]["href"].startswith(f"{node.base}/{collection}/search/{finder}")
    rows = body["_embedded"][collection]
    found = {id_of(r["_links"]["self"]["href"]): {k: v for k, v in r.items() if k != "_links"} for r in rows}
    assert len(found) == len(rows)
    return found


def refused(answer, status, *named):
    """A problem+json of this status, whose detail names all of these. Returns its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["detail"] and body["path"] and body["traceId"] and TIME.fullmatch(body["timestamp"])
    for name in named:
        assert name in body["detail"], body["detail"]
    return body


def takes_only(node, path, *changing):
    """OPTIONS and 405 name the verbs of this path: the reading ones and these."""
    allowed = READ | set(changing)

    def named(answer):
        return {verb.strip() for verb in answer.headers["Allow"].split(",")}

    answer = node.request("OPTIONS", path)
    assert answer.status_code in (200, 204) and named(answer) == allowed, (path, answer.headers.get("Allow"))
    for verb in VERBS - allowed:
        no = node.request(verb, path, json={} if verb != "TRACE" else None)
        refused(no, 405)
        assert named(no) == allowed, (verb, path)
    got, head = node.get(path), node.request("HEAD", path)
    assert head.status_code == got.status_code == 200 and head.content == b""


def is_linked_and_described(node, collections):
    """GET /, /profile/{collection} and /openapi.json know each of them."""
    links = node.get("/").json()["_links"]
    described = node.get("/openapi.json").json()["paths"]
    for collection in collections:
        assert links[collection] == {"href": f"{node.base}/{collection}{{?page,size,sort}}", "templated": True}
        page = node.get(f"/{collection}")
        assert page.status_code == 200 and set(page.json()["_embedded"]) == {collection}
        assert node.get(f"/profile/{collection}").status_code == 200
        assert f"/{collection}" in described and f"/{collection}/{{id}}" in described


def has_finders(node, collection, finders):
    """`finders`: name → its parameters. Each is linked, needs its parameters, and answers an empty array where nothing matches."""
    answer = node.get(f"/{collection}/search")
    assert answer.status_code == 200
    assert set(answer.json()["_links"]) - {"self"} == set(finders)
    for name, parameters in finders.items():
        assert node.get(f"/{collection}/search/{name}").status_code == 400
        assert find(node, collection, name, **parameters) == {}
    assert node.get(f"/{collection}/search/findByNothing?x=1").status_code == 404


def are_events(events, **everywhere):
    """The members that every event of the feed has."""
    for event in events:
        assert {"eventType", "timestamp", "id", "offset", "traceId", "context"} <= event.keys(), event
        assert re.fullmatch(r"\d{14}", event["timestamp"]) and re.fullmatch(r"[0-9a-f]{32}", event["traceId"])
        assert {name: event.get(name) for name in everywhere} == everywhere
    offsets = [event["offset"] for event in events]
    assert offsets == sorted(set(offsets))
