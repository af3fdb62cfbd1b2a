// The rules of the rewards, one aggregate at a time, and who tells whom what.
#include "behaviors/rewards/rewards.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "behaviors/core/json.hpp"
#include "behaviors/rewards/gift.hpp"
#include "behaviors/rewards/mission.hpp"
#include "behaviors/rewards/mypage.hpp"
#include "behaviors/rewards/reward.hpp"
#include "behaviors/rewards/wallet.hpp"
#include "tests/behaviors/given_when_then.hpp"

using namespace crema;
using namespace crema::rewards;
using namespace crema::testing;

namespace {

using missions = history<mission>;
using all_rewards = history<reward>;
using wallets = history<wallet>;
using gifts = history<gift>;

const mission_achieved was_achieved{{7, std::nullopt, mission_status::achieved}};
const mission_rewarded was_rewarded{{7, 11, mission_status::achieved}};
const reward_allocated was_allocated{{11, 7, reward_status::allocated}};
const reward_exchanged was_claimed{{11, 7, reward_status::exchanged}};
const wallet_created was_created{{11, 7, wallet_status::created}};
const wallet_exchanged was_emptied{{11, 7, wallet_status::exchanged}};
const gift_exchanged was_handed_out{{11, gift_status::exchanged}};
const gift_returned was_returned{{11, gift_status::exchanged}};

}  // namespace

// ---- mission

TEST_CASE("rewards mission: given nothing, when achieved, then it is Achieved by its customer, without a reward yet") {
  const auto e = only<mission_achieved>(missions{}.when(achieve_mission{7, mission_status::achieved}));
  CHECK(same(e, was_achieved));
  const auto after = missions::of(e);
  CHECK(after.exists);
  CHECK(same_facts(after.state, was_achieved));
}

TEST_CASE("rewards mission: given a mission, when achieved again, then it is refused") {
  CHECK(conflicts(missions::of(was_achieved).when(achieve_mission{7, mission_status::achieved})));
}

TEST_CASE("rewards mission: given a mission, when its reward is allocated, then it knows the reward's number and keeps its customer") {
  const auto e = only<mission_rewarded>(missions::of(was_achieved).when(reward_mission{11}));
  CHECK(same(e, was_rewarded));
  CHECK(same_facts(missions::of(was_achieved, e).state, was_rewarded));
}

TEST_CASE("rewards mission: given a reward, when rewarded once more, then nothing changes") {
  CHECK(nothing_came_of(missions::of(was_achieved, was_rewarded).when(reward_mission{11})));
  CHECK(nothing_came_of(missions::of(was_achieved, was_rewarded).when(reward_mission{12})));
}

TEST_CASE("rewards mission: given nothing, when rewarded, then nothing changes") {
  CHECK(nothing_came_of(missions{}.when(reward_mission{11})));
}

// ---- reward

TEST_CASE("rewards reward: given nothing, when allocated, then it is RewardAllocated") {
  const auto e = only<reward_allocated>(all_rewards{}.when(allocate_reward{11, 7}));
  CHECK(same(e, was_allocated));
  CHECK(same_facts(all_rewards::of(e).state, was_allocated));
}

TEST_CASE("rewards reward: given a reward in either state, when allocated again, then nothing changes") {
  CHECK(nothing_came_of(all_rewards::of(was_allocated).when(allocate_reward{11, 7})));
  CHECK(nothing_came_of(all_rewards::of(was_allocated, was_claimed).when(allocate_reward{11, 7})));
}

TEST_CASE("rewards reward: given RewardAllocated, when its wallet is exchanged, then it is RewardExchanged") {
  const auto e = only<reward_exchanged>(all_rewards::of(was_allocated).when(exchange_reward{}));
  CHECK(same(e, was_claimed));
  CHECK(same_facts(all_rewards::of(was_allocated, e).state, was_claimed));
}

TEST_CASE("rewards reward: given RewardExchanged or nothing, when exchanged, then nothing changes") {
  CHECK(nothing_came_of(all_rewards::of(was_allocated, was_claimed).when(exchange_reward{})));
  CHECK(nothing_came_of(all_rewards{}.when(exchange_reward{})));
}

// ---- wallet

TEST_CASE("rewards wallet: given nothing, when created, then it is Created") {
  const auto e = only<wallet_created>(wallets{}.when(create_wallet{11, 7}));
  CHECK(same(e, was_created));
  CHECK(same_facts(wallets::of(e).state, was_created));
}

TEST_CASE("rewards wallet: given a wallet in either state, when created again, then nothing changes") {
  CHECK(nothing_came_of(wallets::of(was_created).when(create_wallet{11, 7})));
  CHECK(nothing_came_of(wallets::of(was_created, was_emptied).when(create_wallet{11, 7})));
}

TEST_CASE("rewards wallet: given Created, when exchanged, then it asks for its own gift, undone by returning it, and records nothing yet") {
  const auto r = wallets::of(was_created).when(exchange_wallet{});
  const auto a = asked(r);
  CHECK(as<exchange_gift>(a.command).wallet_id == 11);
  CHECK_FALSE(a.to.has_value());
  CHECK(a.undo.as<return_gift>() != nullptr);
  CHECK(r->if_refused.empty());
}

TEST_CASE("rewards wallet: given Created and the gift is handed out, when exchanged, then it is Exchanged") {
  const auto e = only<wallet_exchanged>(wallets::of(was_created).with(was_handed_out).when(exchange_wallet{}));
  CHECK(same(e, was_emptied));
  CHECK(same_facts(wallets::of(was_created, e).state, was_emptied));
}

TEST_CASE("rewards wallet: given Exchanged, when exchanged again, then it is refused and no gift is asked for") {
  CHECK(conflicts(wallets::of(was_created, was_emptied).when(exchange_wallet{})));
  CHECK(conflicts(wallets::of(was_created, was_emptied).with(was_handed_out).when(exchange_wallet{})));
}

TEST_CASE("rewards wallet: given nothing, when exchanged, then there is no such wallet") {
  CHECK(not_found(wallets{}.when(exchange_wallet{})));
}

// ---- gift

TEST_CASE("rewards gift: given nothing, when exchanged, then it is handed out for its wallet") {
  const auto e = only<gift_exchanged>(gifts{}.when(exchange_gift{11}));
  CHECK(same(e, was_handed_out));
  const auto after = gifts::of(e);
  CHECK(after.exists);
  CHECK(after.state.wallet_id == 11);
  CHECK(after.state.status == gift_status::exchanged);
  CHECK_FALSE(gone(after.state));
}

TEST_CASE("rewards gift: given a gift, when exchanged again, then there is no second one and the first is the answer") {
  CHECK(same(only_answer<gift_exchanged>(gifts::of(was_handed_out).when(exchange_gift{11})), was_handed_out));
}

TEST_CASE("rewards gift: given a gift, when returned, then it is gone") {
  const auto e = only<gift_returned>(gifts::of(was_handed_out).when(return_gift{}));
  CHECK(same(e, was_returned));
  const auto after = gifts::of(was_handed_out, e);
  CHECK_FALSE(after.exists);
  CHECK(gone(after.state));
}

TEST_CASE("rewards gift: given no gift or a returned one, when returned, then nothing changes") {
  CHECK(nothing_came_of(gifts{}.when(return_gift{})));
  CHECK(nothing_came_of(gifts::of(was_handed_out, was_returned).when(return_gift{})));
}

TEST_CASE("rewards gift: given a returned gift, when exchanged, then it is handed out afresh") {
  const auto past = gifts::of(was_handed_out, was_returned);
  const auto e = only<gift_exchanged>(past.when(exchange_gift{11}));
  CHECK(same(e, was_handed_out));
  CHECK(past.then(e).exists);
}

// ---- who talks to whom

TEST_CASE("rewards: an achieved mission allocates the reward of its own number") {
  const auto all = told_by(rewards::rewards(), was_achieved);
  REQUIRE(all.size() == 1);
  CHECK(same(as<allocate_reward>(all[0].command), allocate_reward{11, 7}));
  CHECK_FALSE(all[0].to.has_value());
}

TEST_CASE("rewards: an allocated reward creates its wallet and tells its mission") {
  const auto all = told_by(rewards::rewards(), was_allocated);
  REQUIRE(all.size() == 2);
  CHECK(same(as<create_wallet>(all[0].command), create_wallet{11, 7}));
  CHECK(same(as<reward_mission>(all[1].command), reward_mission{11}));
  for (const auto& t : all) CHECK_FALSE(t.to.has_value());
}

TEST_CASE("rewards: an exchanged wallet exchanges its reward, and nothing else tells anybody") {
  const auto system = rewards::rewards();
  CHECK(names_told_by(system, was_emptied) == std::vector<std::string>{"exchange_reward"});
  CHECK(names_told_by(system, was_rewarded).empty());
  CHECK(names_told_by(system, was_claimed).empty());
  CHECK(names_told_by(system, was_created).empty());
  CHECK(names_told_by(system, was_handed_out).empty());
  CHECK(names_told_by(system, was_returned).empty());
  CHECK(system.notifications.empty());
  CHECK(system.settings.empty());
}

TEST_CASE("rewards: only the gift can be gone") {
  const auto system = rewards::rewards();
  for (const auto& c : system.contexts) CHECK(static_cast<bool>(c.gone) == (c.name == "gift"));
  const gift handed_out{11, gift_status::exchanged, false}, returned{11, gift_status::exchanged, true};
  const auto& is_gone = system.context_named("gift").gone;
  CHECK_FALSE(is_gone(&handed_out));
  CHECK(is_gone(&returned));
}

// ---- what people look at

TEST_CASE("rewards mypage: a mission's row gathers its reward, wallet and gift as they come") {
  shown<mypage> page(rewards::rewards(), "mypage");
  page.take(was_achieved);
  CHECK(same(page.row(), mypage{7, 11, {}, {}, {}, mission_status::achieved, {}, {}}));
  page.take(was_allocated);
  CHECK(same(page.row(), mypage{7, 11, 11, {}, {}, mission_status::achieved, reward_status::allocated, {}}));
  page.take(was_created);
  CHECK(same(page.row(), mypage{7, 11, 11, 11, {}, mission_status::achieved, reward_status::allocated, wallet_status::created}));
  page.take(was_handed_out).take(was_emptied);
  CHECK(same(page.row(), mypage{7, 11, 11, 11, 11, mission_status::achieved, reward_status::allocated, wallet_status::exchanged}));
  page.take(was_claimed);
  CHECK(same(page.row(), mypage{7, 11, 11, 11, 11, mission_status::achieved, reward_status::exchanged, wallet_status::exchanged}));
  CHECK(page.size() == 1);
}

TEST_CASE("rewards mypage: each mission has its own row, and what belongs to no mission makes none") {
  shown<mypage> page(rewards::rewards(), "mypage");
  page.take(was_achieved, 1).take(was_achieved, 2).take(was_allocated, 2);
  CHECK_FALSE(page.row(1).reward_id.has_value());
  CHECK(page.row(2).reward_id == 2);
  page.take(was_allocated, 3).take(was_claimed, 3).take(was_created, 3).take(was_emptied, 3).take(was_handed_out, 3);
  CHECK(page.size() == 2);
}

TEST_CASE("rewards: a mission is answered with its reward's number, null until there is one") {
  CHECK(answered(missions::of(was_achieved).state) == R"("customerId":7,"rewardId":null,"status":"Achieved")");
}

TEST_CASE("rewards: a mission is sent with its customer; the status may be left out") {
  const auto& type = type_of<achieve_mission>();
  CHECK(from_json(type, nlohmann::json{{"customerId", 7}, {"status", "Achieved"}}).ok());
  const auto r = from_json(type, nlohmann::json{{"customerId", 7}});
  REQUIRE(r.ok());
  CHECK(same(as<achieve_mission>(*r), achieve_mission{7, mission_status::achieved}));
  CHECK(invalid(from_json(type, nlohmann::json{{"status", "Achieved"}}), "customerId"));
  CHECK(invalid(from_json(type, nlohmann::json{{"customerId", 0}}), "customerId"));
  CHECK(invalid(from_json(type, nlohmann::json{{"customerId", 7}, {"status", "Failed"}}), "status"));
}
