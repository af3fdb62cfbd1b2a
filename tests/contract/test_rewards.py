"""spec/rewards.md over HTTP: collections, finders, the flow and its refusals, events."""

import collections
import concurrent.futures
import json

import pytest

from crema import all_events, set_status, total, wait_until
from resources import are_events, create, find, has_finders, is_linked_and_described, refused, resource, takes_only

SYSTEM = "rewards"


def achieve(node, customer=11, **fields):
    return create(node, "/missions", {"customerId": customer, "status": "Achieved", **fields})[0]


def rewarded(node, customer=11):
    """A mission whose reward is in its wallet, and known to the mission and to the page."""
    mission = achieve(node, customer)
    wait_until(lambda: node.get(f"/wallets/{mission}").status_code == 200, what="the wallet")
    wait_until(lambda: node.get(f"/missions/{mission}").json()["rewardId"], what="the mission's reward")
    wait_until(lambda: page(node, mission).get("walletStatus"), what="the page")
    return mission


def page(node, mission):
    return next(iter(find(node, "mypages", "findByMissionId", missionId=mission).values()), {})


def exchange(node, wallet, **options):
    return set_status(node, f"/wallets/{wallet}", "Exchanged", **options)


@pytest.fixture
def customer(rng):
    """A customer whom no other test uses."""
    return rng.randrange(10**6, 10**12)


# ---- missions, rewards, wallets

def test_a_mission_is_answered_at_once_without_its_reward(node, customer):
    answer = node.post("/missions", json={"customerId": customer, "status": "Achieved"})
    assert resource(answer, "mission", 201) == {"customerId": customer, "rewardId": None, "status": "Achieved"}


def test_a_mission_is_achieved_where_nothing_else_is_said(node, customer):
    assert create(node, "/missions", {"customerId": str(customer)})[1]["status"] == "Achieved"


def test_ids_on_a_fresh_node_are_1_2_3(make_node):
    fresh = make_node()
    assert [achieve(fresh) for _ in range(20)] == list(range(1, 21))


def test_reward_and_wallet_follow_the_mission(node, customer):
    mission = rewarded(node, customer)
    body = resource(node.get(f"/missions/{mission}"), "mission")
    reward = body["rewardId"]
    assert body == {"customerId": customer, "rewardId": reward, "status": "Achieved"}
    assert resource(node.get(f"/rewards/{reward}"), "reward") == {"missionId": mission, "customerId": customer, "status": "RewardAllocated"}
    wallets = find(node, "wallets", "findByCustomerId", customerId=customer)
    assert list(wallets.values()) == [{"rewardId": reward, "customerId": customer, "status": "Created"}]
    wallet = next(iter(wallets))
    assert resource(node.get(f"/wallets/{wallet}"), "wallet") == wallets[wallet]
    assert page(node, mission) == {"customerId": customer, "missionId": mission, "rewardId": reward, "walletId": wallet, "giftId": None,
                                   "missionStatus": "Achieved", "rewardStatus": "RewardAllocated", "walletStatus": "Created"}


@pytest.mark.parametrize("body,status,named", [
    ({}, 422, "customerId"),
    ({"status": "Achieved"}, 422, "customerId"),
    ({"customerId": 0}, 422, "customerId"),
    ({"customerId": -1}, 422, "customerId"),
    ({"customerId": None}, 422, "customerId"),
    ({"customerId": "eleven"}, 400, "customerId"),
    ({"customerId": 1.5}, 400, "customerId"),
    ({"customerId": [11]}, 400, "customerId"),
    ({"customerId": 11, "status": "Lost"}, 422, "status"),
    ({"customerId": 11, "status": "RewardAllocated"}, 422, "status"),
    ({"custmerId": 11}, 422, "customerId"),
    ({"customerId": 11, "color": "red"}, 422, "color"),
])
def test_a_bad_mission_is_refused_and_nothing_is_kept(node, body, status, named):
    before = total(node, "missions")
    refused(node.post("/missions", json=body), status, named)
    assert total(node, "missions") == before


# ---- the exchange

def test_an_exchange_hands_out_a_gift_and_the_reward_follows(node, customer):
    wallet = rewarded(node, customer)
    answer = exchange(node, wallet)
    assert resource(answer, "wallet") == {"rewardId": wallet, "customerId": customer, "status": "Exchanged"}
    assert resource(node.get(f"/gifts/{wallet}"), "gift") == {"walletId": wallet, "status": "Exchanged."}
    wait_until(lambda: node.get(f"/rewards/{wallet}").json()["status"] == "RewardExchanged", what="RewardExchanged")
    wait_until(lambda: page(node, wallet)["rewardStatus"] == "RewardExchanged", what="the page")
    assert page(node, wallet) == {"customerId": customer, "missionId": wallet, "rewardId": wallet, "walletId": wallet, "giftId": wallet,
                                  "missionStatus": "Achieved", "rewardStatus": "RewardExchanged", "walletStatus": "Exchanged"}


def test_a_second_exchange_is_409_and_no_second_gift(node, customer):
    wallet = rewarded(node, customer)
    tag = exchange(node, wallet).headers["ETag"]
    gifts = total(node, "gifts")
    refused(exchange(node, wallet), 409)
    assert total(node, "gifts") == gifts and node.get(f"/wallets/{wallet}").headers["ETag"] == tag


def test_of_many_exchanges_of_one_wallet_one_succeeds(node, customer):
    wallet = rewarded(node, customer)
    gifts = total(node, "gifts")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: exchange(node, wallet).status_code, range(32)))
    assert collections.Counter(codes) == {200: 1, 409: 31}
    assert total(node, "gifts") == gifts + 1
    told = [e["eventType"] for e in all_events(node, id=wallet) if e["context"] in ("wallet", "gift")]
    assert sorted(told) == ["GiftExchanged", "WalletCreated", "WalletExchanged"]


def test_an_exchange_under_a_key_is_answered_as_the_first_time(node, customer):
    wallet = rewarded(node, customer)
    headers = {"Idempotency-Key": f"exchange-{customer}"}
    first, second = exchange(node, wallet, headers=headers), exchange(node, wallet, headers=headers)
    assert (first.status_code, second.status_code) == (200, 200) and first.json() == second.json()
    assert [e["eventType"] for e in all_events(node, id=wallet, context="gift")] == ["GiftExchanged"]


@pytest.mark.parametrize("body,status,named", [
    ({"status": "Created"}, 422, "Created"),
    ({"status": "exchanged"}, 422, "Exchanged"),
    ({"status": "Exchanged."}, 422, "Exchanged"),
    ({"status": None}, 422, "status"),
    ({}, 422, "status"),
    ({"customerId": 12}, 422, "status"),
    ({"status": "Exchanged", "nothing": 1}, 422, "nothing"),
    ({"status": 1}, 400, "status"),
])
def test_a_bad_exchange_is_refused_and_the_wallet_keeps_its_state(node, customer, body, status, named):
    wallet = rewarded(node, customer)
    refused(node.patch(f"/wallets/{wallet}", json=body), status, named)
    assert node.get(f"/wallets/{wallet}").json()["status"] == "Created"
    assert node.get(f"/gifts/{wallet}").status_code == 404


def test_a_wallet_that_is_not_there_cannot_be_exchanged(node):
    refused(exchange(node, 99999999), 404)


def test_a_stale_if_match_keeps_the_wallet(node, customer):
    wallet = rewarded(node, customer)
    refused(exchange(node, wallet, headers={"If-Match": '"99"'}), 412)
    assert node.get(f"/gifts/{wallet}").status_code == 404
    tag = node.get(f"/wallets/{wallet}").headers["ETag"]
    assert exchange(node, wallet, headers={"If-Match": tag}).status_code == 200


# ---- finders, verbs, documents

def test_finders(node, customer):
    missions = [rewarded(node, customer) for _ in range(2)]
    other = rewarded(node, customer + 1)
    for collection in ("missions", "rewards", "wallets", "mypages"):
        assert list(find(node, collection, "findByCustomerId", customerId=customer)) == missions, collection
        assert list(find(node, collection, "findByCustomerId", customerId=customer + 1)) == [other], collection
    assert list(find(node, "mypages", "findByMissionId", missionId=missions[1])) == [missions[1]]
    assert list(find(node, "mypages", "findByRewardId", rewardId=missions[0])) == [missions[0]]


@pytest.mark.parametrize("collection,finders", [
    ("missions", {"findByCustomerId": {"customerId": 999999}}),
    ("rewards", {"findByCustomerId": {"customerId": 999999}}),
    ("wallets", {"findByCustomerId": {"customerId": 999999}}),
    ("mypages", {"findByMissionId": {"missionId": 999999}, "findByRewardId": {"rewardId": 999999}, "findByCustomerId": {"customerId": 999999}}),
])
def test_search(node, collection, finders):
    has_finders(node, collection, finders)


def test_verbs(node):
    wallet = rewarded(node)
    exchange(node, wallet)
    takes_only(node, "/missions", "POST")
    takes_only(node, f"/wallets/{wallet}", "PATCH")
    for path in (f"/missions/{wallet}", "/rewards", f"/rewards/{wallet}", "/wallets", "/gifts", f"/gifts/{wallet}", "/mypages", f"/mypages/{wallet}"):
        takes_only(node, path)


def test_documents(node):
    is_linked_and_described(node, ["missions", "rewards", "wallets", "gifts", "mypages"])


def test_contexts(node):
    assert [c["name"] for c in node.get("/actuator/contexts").json()] == ["mission", "reward", "wallet", "gift", "mypage"]


# ---- events

def test_events_of_the_whole_flow(make_node):
    fresh = make_node()
    mission = rewarded(fresh, 77)
    exchange(fresh, mission)
    wait_until(lambda: any(e["eventType"] == "RewardExchanged" for e in all_events(fresh)), what="RewardExchanged")
    events = all_events(fresh)
    are_events(events)
    assert all("me" not in e for e in events)
    by_type = {e["eventType"]: e for e in events}
    assert collections.Counter(e["eventType"] for e in events) == collections.Counter(
        ["MissionAchieved", "RewardAllocated", "WalletCreated", "MissionRewarded", "GiftExchanged", "WalletExchanged", "RewardExchanged"])
    told = [e["eventType"] for e in events]
    for cause, effect in [("MissionAchieved", "RewardAllocated"), ("RewardAllocated", "WalletCreated"), ("RewardAllocated", "MissionRewarded"),
                          ("WalletExchanged", "RewardExchanged")]:
        assert told.index(cause) < told.index(effect)
        assert by_type[cause]["traceId"] == by_type[effect]["traceId"]
    achieved = by_type["MissionAchieved"]
    assert (achieved["customerId"], achieved["rewardId"], achieved["status"], achieved["id"], achieved["context"]) == (77, None, "Achieved", 1, "mission")
    assert by_type["MissionRewarded"]["rewardId"] == 1
    assert by_type["GiftExchanged"]["walletId"] == 1 and by_type["GiftExchanged"]["status"] == "Exchanged."
    assert by_type["RewardExchanged"]["status"] == "RewardExchanged" and by_type["WalletExchanged"]["status"] == "Exchanged"
    history = fresh.get(f"/wallets/{mission}/events", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert [json.loads(line)["eventType"] for line in history] == ["WalletCreated", "WalletExchanged"]


def test_all_of_it_is_there_after_kill_9(make_node):
    fresh = make_node()
    mission = rewarded(fresh)
    exchange(fresh, mission)
    wait_until(lambda: page(fresh, mission)["rewardStatus"] == "RewardExchanged", what="the page")
    paths = [f"/{c}/{mission}" for c in ("missions", "rewards", "wallets", "gifts", "mypages")]
    before, events = [fresh.get(p).json() for p in paths], all_events(fresh)
    fresh.kill9()
    fresh.start()
    assert [fresh.get(p).json() for p in paths] == before and all_events(fresh) == events
    refused(exchange(fresh, mission), 409)
