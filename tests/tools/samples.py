"""Each system with something in every collection, so that a tool has real answers to look at."""

from dataclasses import dataclass, field

from crema import wait_until


@dataclass
class System:
    requests: list  # (method, path, body), in order; each must succeed
    settings: dict = field(default_factory=dict)


SYSTEMS = {
    "cafeteria": System([
        ("POST", "/orders", {"phoneNumber": "01012345678", "productName": "coffee", "qty": 2, "amt": 1000}),
    ]),
    "rewards": System([
        ("POST", "/missions", {"customerId": 11, "status": "Achieved"}),
        ("PATCH", "/wallets/1", {"status": "Exchanged"}),
    ]),
    "hotel": System([
        ("POST", "/rooms", {"price": 1500, "name": "Seaside"}),
        ("POST", "/books", {"roomId": 1, "price": 1500, "startDate": "2021-05-05", "endDate": "2021-05-08", "guestId": 3}),
    ], {"hotel.rejectOverlaps": "true"}),
    "breakfast": System([
        ("POST", "/customers", {"name": "Kim"}),
        ("POST", "/foodCatalogs", {"name": "egg", "stock": 100, "price": 1000}),
        ("POST", "/orders", {"qty": 1, "foodcaltalogid": 1, "customerid": 1}),
    ]),
    "preorder": System([
        ("POST", "/preReservations", {"userId": 1, "productId": 1, "productName": "espresso", "price": 4500}),
    ]),
}


class Sample:
    def __init__(self, node):
        self.node = node
        for method, path, body in SYSTEMS[node.system].requests:
            wait_until(lambda: self._done(method, path, body), what=f"{method} {path}")
        self.document = node.get("/openapi.json").json()
        self.collections = sorted(name for name in node.get("/profile").json()["_links"] if name != "self")
        for name in self.collections:
            wait_until(lambda: self.rows(name), what=f"a row in /{name}")

    def _done(self, method, path, body):
        """404: another context has not made it yet."""
        answer = self.node.request(method, path, json=body)
        assert answer.ok or answer.status_code == 404, answer.text
        return answer.ok

    def rows(self, collection):
        return self.node.get(f"/{collection}").json()["_embedded"][collection]
