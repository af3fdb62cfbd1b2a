"""Each system with something in every collection, so that a tool has real answers to look at."""

from dataclasses import dataclass, field

from crema import wait_until


SETTINGS = {"http.managementToken": "a-token-for-tools"}


@dataclass
class System:
    requests: list  # (method, path, body), in order; each must succeed
    settings: dict = field(default_factory=dict)
    rules: list = field(default_factory=list)  # operations with a rule that no schema can tell, so that 422 is an answer to a valid body
    changes: list = field(default_factory=list)  # (method, path, change): of resources that were read whole, and are sent whole


SYSTEMS = {
    "cafeteria": System([
        ("POST", "/orders", {"phoneNumber": "01012345678", "productName": "coffee", "qty": 2, "amt": 1000}),
    ], changes=[("PATCH", "/drinks/1", {"status": "Receipted"}), ("PATCH", "/drinks/1", {"status": "Made"})]),
    "rewards": System([
        ("POST", "/missions", {"customerId": 11, "status": "Achieved"}),
        ("PATCH", "/wallets/1", {"status": "Exchanged"}),
        ("POST", "/missions", {"customerId": 12}),
    ], changes=[("PATCH", "/wallets/2", {"status": "Exchanged"})]),
    "hotel": System([
        ("POST", "/rooms", {"price": 1500, "name": "Seaside"}),
        ("POST", "/books", {"roomId": 1, "price": 1500, "startDate": "2021-06-05", "endDate": "2021-06-08", "guestId": 3, "hostId": 2}),
    ], {"hotel.rejectOverlaps": "true"}, rules=["postBooks"]),  # the departure is after the arrival
    "breakfast": System([
        ("POST", "/customers", {"name": "Kim"}),
        ("POST", "/foodCatalogs", {"name": "egg", "stock": 100, "price": 1000}),
        ("POST", "/orders", {"qty": 1, "foodcaltalogid": 1, "customerid": 1}),
    ], rules=["postOrders"], changes=[("PUT", "/customers/1", {"name": "Lee"}), ("PATCH", "/customers/1", {"age": 30}), ("PUT", "/foodCatalogs/1", {"price": 2000}),
                ("PATCH", "/foodCatalogs/1", {"stock": 50}), ("PATCH", "/deliveries/1", {"status": "Delivery Completed"})]),
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
