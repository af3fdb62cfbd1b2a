"""kill -9 at random moments under load: the rewards. A wallet has at most one gift, and everything agrees with it."""

import collections
import itertools

from crema import all_rows, nothing_under_way, total, wait_until
from rounds import Story, kill_9_at_random_moments

SYSTEM = "rewards"
OPEN_CHAINS = {"gift.slow.minMs": 1, "gift.slow.maxMs": 15}  # so that many are halfway when the crash comes
CUSTOMERS, EXCHANGERS = 5, 4


class Rewards(Story):
    def __init__(self):
        super().__init__()
        self.numbers = itertools.count(1)  # of customers: each achieves one mission, so that a second one would show

    def people(self):
        return [self.customer] * CUSTOMERS + [self.exchanger] * EXCHANGERS

    def customer(self, me):
        me.send("POST", "/missions", {"customerId": next(self.numbers), "status": "Achieved"}, {201})

    def exchanger(self, me):
        wallet = me.someone()
        if wallet is not None:
            me.send("PATCH", f"/wallets/{wallet}", {"status": "Exchanged"}, {200, 404, 409})  # not there yet; exchanged already

    def check(self, node):
        wait_until(lambda: len({total(node, c) for c in ("missions", "rewards", "wallets", "mypages")}) == 1, 60, "one of each for every mission")
        nothing_under_way(node)
        missions, rewards, wallets, gifts = (dict(all_rows(node, c)) for c in ("missions", "rewards", "wallets", "gifts"))
        self.exist_once([m["customerId"] for m in missions.values()], lambda body: body["customerId"])
        for a in self.answered("POST"):
            assert missions[a.made()]["customerId"] == a.body["customerId"]

        # Each mission has its reward, each reward its wallet.
        assert {m["rewardId"]: i for i, m in missions.items()} == {i: r["missionId"] for i, r in rewards.items()}
        assert sorted(w["rewardId"] for w in wallets.values()) == sorted(rewards)
        for wallet in wallets.values():
            assert wallet["customerId"] == rewards[wallet["rewardId"]]["customerId"] == missions[rewards[wallet["rewardId"]]["missionId"]]["customerId"]

        # A wallet has at most one gift; it has one where it is exchanged, and so is its reward.
        each = collections.Counter(g["walletId"] for g in gifts.values())
        assert set(each.values()) <= {1}
        exchanged = {i for i, w in wallets.items() if w["status"] == "Exchanged"}
        assert each.keys() == exchanged
        assert {wallets[i]["rewardId"] for i in exchanged} == {i for i, r in rewards.items() if r["status"] == "RewardExchanged"}

        # What the exchangers were answered holds; of the keys for one wallet one was answered.
        asked = collections.Counter(int(a.path.rsplit("/", 1)[1]) for a in self.answered("PATCH"))
        assert asked.keys() <= exchanged and set(asked.values()) <= {1}

        def shown():
            rows = [r for _, r in all_rows(node, "mypages")]
            return sorted(r["missionId"] for r in rows) == sorted(missions) and all(
                r["rewardId"] and r["walletId"] and (r["giftId"] is not None) == (r["walletId"] in exchanged)
                and (r["customerId"], r["missionStatus"]) == (missions[r["missionId"]]["customerId"], "Achieved")
                and r["rewardStatus"] == rewards[r["rewardId"]]["status"] and r["walletStatus"] == wallets[r["walletId"]]["status"] for r in rows)
        wait_until(shown, 30, "the view", pause_s=0.2)
        assert node.get("/actuator/deadletters").json() == []


def test_kill_9_at_random_moments(make_node, rng, rounds):
    kill_9_at_random_moments(make_node(OPEN_CHAINS), Rewards(), rng, rounds)
