"""spec/rewards.md, the drills: what goes on while something else is down, and the bulkhead of the gift.

The load drills run in a short form; CREMA_DRILL_SECONDS=60 gives them the length of the originals.
"""

import collections
import concurrent.futures
import os
import re
import threading

import pytest

from crema import REPOSITORY, all_events, all_rows, id_of, nothing_under_way, set_status, total, wait_until
from httpie import httpie
from siege import Siege

SYSTEM = "rewards"
SECONDS = int(os.environ.get("CREMA_DRILL_SECONDS", "3"))


def achieve(node, customer=11):
    status, headers, body = httpie(node, "POST", "http://HOST/missions", f"customerId={customer}", "status=Achieved")
    assert status == 201 and body["rewardId"] is None and body["status"] == "Achieved", body
    return id_of(headers["location"])


def achieve_many(node, count, customer=11):
    """Missions whose wallets are filled."""
    missions = []
    for _ in range(count):
        answer = node.post("/missions", json={"customerId": customer})
        assert answer.status_code == 201, answer.text
        missions.append(id_of(answer.headers["Location"]))
    return missions


def filled(node, missions):
    wait_until(lambda: total(node, "wallets") == len(missions), what="the wallets")
    return missions


def exchange(node, wallet, **options):
    return set_status(node, f"/wallets/{wallet}", "Exchanged", **options)


def chains_are_whole(node, missions):
    """Each mission has its reward, its wallet and its row, once; a wallet is exchanged where its gift is, and so is the reward."""
    wait_until(lambda: {total(node, c) for c in ("missions", "rewards", "wallets", "mypages")} == {missions}, 60, "one of each for every mission")
    nothing_under_way(node)
    exchanged = {i for i, w in all_rows(node, "wallets") if w["status"] == "Exchanged"}

    def pages():
        rows = [r for _, r in all_rows(node, "mypages")]
        return all(r["rewardId"] and r["walletId"] for r in rows) and {r["walletId"] for r in rows if r["giftId"]} == exchanged
    wait_until(pages, 30, "the view")
    assert all(m["rewardId"] for _, m in all_rows(node, "missions"))
    assert collections.Counter(g["walletId"] for _, g in all_rows(node, "gifts")) == collections.Counter(exchanged)
    assert {i for i, r in all_rows(node, "rewards") if r["status"] == "RewardExchanged"} == exchanged
    assert node.get("/actuator/deadletters").json() == []


def test_reward_stopped(make_node):
    node = make_node()
    node.context("reward").stop()
    missions = [achieve(node), achieve(node)]
    assert [node.get(f"/missions/{m}").json()["rewardId"] for m in missions] == [None, None]
    assert total(node, "rewards") == total(node, "wallets") == 0
    node.context("reward").start()
    for mission in missions:
        wait_until(lambda: node.get(f"/missions/{mission}").json()["rewardId"], what="the mission's reward")
        assert httpie(node, f"http://HOST/missions/{mission}")[2]["rewardId"] == mission
    chains_are_whole(node, 2)


def test_every_other_context_stopped(make_node):
    node = make_node()
    others = ["reward", "wallet", "gift", "mypage"]
    for name in others:
        node.context(name).stop()
    missions = [achieve(node) for _ in range(3)] + achieve_many(node, 20)
    assert {m["rewardId"] for _, m in all_rows(node, "missions")} == {None}
    for name in others:
        node.context(name).start()
    chains_are_whole(node, len(missions))


@pytest.mark.parametrize("name", ["reward", "wallet", "mypage"])
def test_stopped_through_a_crash(make_node, name):
    """What waits for a stopped context waits on disk."""
    node = make_node()
    node.context(name).stop()
    missions = achieve_many(node, 50)
    node.kill9()
    node.start()
    if node.context(name).state() != "running":
        node.context(name).start()
    chains_are_whole(node, len(missions))


# ---- the gift

def test_gift_stopped(make_node):
    """The exchange is refused and the wallet keeps its state; missions and rewards go on."""
    node = make_node()
    wallet = filled(node, [achieve(node)])[0]
    node.context("gift").stop()
    status, headers, body = httpie(node, "PATCH", f"http://HOST/wallets/{wallet}", "status=Exchanged")
    assert status in (500, 503) and headers["content-type"].startswith("application/problem+json") and body["status"] == status
    assert httpie(node, f"http://HOST/wallets/{wallet}")[2]["status"] == "Created"
    assert total(node, "gifts") == 0
    key = {"Idempotency-Key": "a customer's own"}
    assert exchange(node, wallet, headers=key).status_code in (500, 503)
    missions = filled(node, [wallet, *achieve_many(node, 20)])
    node.context("gift").start()
    assert httpie(node, "PATCH", f"http://HOST/wallets/{missions[1]}", "status=Exchanged")[2]["status"] == "Exchanged"
    assert [exchange(node, wallet, headers=key).status_code for _ in range(2)] == [200, 200]
    assert exchange(node, wallet).status_code == 409
    chains_are_whole(node, len(missions))
    assert total(node, "gifts") == 2


def test_gift_too_slow(make_node):
    """Whatever the gift does after its time: the wallet keeps its state, no gift is left, and the next exchange works."""
    node = make_node({"gift.slow.minMs": 300, "gift.slow.maxMs": 300, "gift.bulkhead.callTimeoutMs": 50})
    wallet = filled(node, achieve_many(node, 1))[0]
    for _ in range(2):
        assert exchange(node, wallet).status_code in (503, 504)
        assert node.get(f"/wallets/{wallet}").json()["status"] == "Created"
    node.stop()
    node.settings.clear()
    node.start()
    chains_are_whole(node, 1)
    assert total(node, "gifts") == 0
    assert exchange(node, wallet).status_code == 200
    chains_are_whole(node, 1)
    assert total(node, "gifts") == 1 and [e["eventType"] for e in all_events(node, id=wallet)].count("WalletExchanged") == 1


def test_the_reward_follows_an_exchange_that_it_missed(make_node):
    node = make_node()
    wallet = filled(node, achieve_many(node, 1))[0]
    wait_until(lambda: node.get(f"/missions/{wallet}").json()["rewardId"], what="the mission's reward")
    node.context("reward").stop()
    assert exchange(node, wallet).status_code == 200
    assert node.get(f"/rewards/{wallet}").json()["status"] == "RewardAllocated"
    node.context("reward").start()
    wait_until(lambda: node.get(f"/rewards/{wallet}").json()["status"] == "RewardExchanged", what="RewardExchanged")
    chains_are_whole(node, 1)


ONE_AT_A_TIME = REPOSITORY / "config" / "rewards-bulkhead.json"


def test_one_user_passes_the_bulkhead(make_node):
    node = make_node(config=ONE_AT_A_TIME)
    wallets = filled(node, achieve_many(node, 10))
    assert [exchange(node, w).status_code for w in wallets] == [200] * 10
    chains_are_whole(node, 10)


def test_a_second_user_is_refused_at_once(make_node):
    node = make_node({"gift.slow.minMs": 1500, "gift.slow.maxMs": 1500}, config=ONE_AT_A_TIME)
    first, second = filled(node, achieve_many(node, 2))
    answers = []
    one = threading.Thread(target=lambda: answers.append(exchange(node, first)))
    one.start()
    wait_until(lambda: re.search(r'"inFlight":\s*1\b', node.get("/actuator/circuitbreakers").text), what="the first exchange is in flight")
    refused = exchange(node, second)
    assert answers == [], "the first exchange was over too early to tell"
    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) >= 1
    assert node.get(f"/wallets/{second}").json()["status"] == "Created"
    assert node.post("/missions", json={"customerId": 5}).status_code == 201  # goes on meanwhile
    one.join(20)
    assert answers[0].status_code == 200
    assert exchange(node, second).status_code == 200
    chains_are_whole(node, 3)


def test_of_two_users_some_are_refused_and_none_gets_half(make_node):
    node = make_node(config=ONE_AT_A_TIME)
    wallets = filled(node, achieve_many(node, 40))
    halves = wallets[:20], wallets[20:]
    with concurrent.futures.ThreadPoolExecutor(2) as users:
        codes = sum(users.map(lambda own: [exchange(node, w).status_code for w in own], halves), [])
    counts = collections.Counter(codes)
    print(counts)
    assert set(counts) == {200, 503}
    assert counts[200] == total(node, "gifts")
    chains_are_whole(node, 40)
    for wallet in wallets:
        if node.get(f"/wallets/{wallet}").json()["status"] == "Created":
            assert exchange(node, wallet).status_code == 200
    chains_are_whole(node, 40)


# ---- load

def test_siege_of_the_page(make_node, tmp_path):
    node = make_node()
    achieve(node)
    chains_are_whole(node, 1)
    siege = Siege(tmp_path, node.base + "/mypages/1", concurrent=150, seconds=SECONDS).start()
    missions = 1
    while siege.running():
        missions += len(achieve_many(node, 1))
    figures = siege.result()
    assert figures["availability"] == 100.0 and figures["failed_transactions"] == 0 and figures["transactions"] > 100 * SECONDS
    assert missions > 1
    chains_are_whole(node, missions)
