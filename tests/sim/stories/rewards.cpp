// The rewards: every mission gets its reward and its wallet, an exchanged wallet has one gift.
#include "behaviors/rewards/rewards.hpp"

#include "behaviors/rewards/gift.hpp"
#include "behaviors/rewards/mission.hpp"
#include "behaviors/rewards/mypage.hpp"
#include "behaviors/rewards/reward.hpp"
#include "behaviors/rewards/wallet.hpp"
#include "tests/sim/story.hpp"

namespace crema::sim {

using namespace rewards;
using http::method;
using testing::chance;

namespace {

wish next(chance& random, const knowledge& known) {
  if (random.one_in(2)) return {method::patch, "/wallets/" + std::to_string(known.some("missions", random)), {{"status", "Exchanged"}}};
  return {method::post, "/missions", {{"customerId", 1 + random.below(3)}, {"status", "Achieved"}}};
}

void check_mission(const final_state& end, std::uint64_t id, const mission& m, findings& found) {
  const auto rewarded = end.door.get({false, end.system.context_named("reward").index}, id);
  const auto kept = end.door.get({false, end.system.context_named("wallet").index}, id);
  const auto given = end.door.get({false, end.system.context_named("gift").index}, id);
  const auto shown = end.door.get({true, 0}, id);
  found.expect(rewarded && kept && shown, "mission ", id, " lacks its reward, its wallet or its page");
  if (!rewarded || !kept || !shown) return;
  const auto& r = *rewarded->row.as<reward>();
  const auto& w = *kept->row.as<wallet>();
  const auto& page = *shown->row.as<mypage>();
  const auto number = static_cast<std::int64_t>(id);
  const bool exchanged = w.status == wallet_status::exchanged;
  found.expect(m.reward_id == number && r.mission_id == number && w.reward_id == number, "mission ", id,
               " and its own do not name one another");
  found.expect(r.customer_id == m.customer_id && w.customer_id == m.customer_id, "mission ", id, " and its own have several customers");
  found.expect(exchanged == given.has_value(), "wallet ", id,
               exchanged ? " is exchanged, but has no gift" : " is not exchanged, but has a gift");
  found.expect(exchanged == (r.status == reward_status::exchanged), "reward ", id, " and its wallet disagree");
  found.expect(page.wallet == w.status && page.reward == r.status && page.gift_id.has_value() == exchanged, "mypage ", id,
               " does not show its wallet");
}

void check(const final_state& end, findings& found) {
  const auto missions = end.rows<mission>("mission");
  for (const auto& [id, m] : missions) check_mission(end, id, m, found);
  found.expect(end.rows<reward>("reward").size() == missions.size(), "there are more rewards than missions");
  found.expect(end.rows<wallet>("wallet").size() == missions.size(), "there are more wallets than missions");
  found.expect(end.view<mypage>("mypage").size() == missions.size(), "there are more pages than missions");
  const auto wallets = end.rows<wallet>("wallet");
  for (const auto& [id, g] : end.rows<gift>("gift"))
    found.expect(wallets.contains(id) && wallets.at(id).status == wallet_status::exchanged, "gift ", id, " is of no exchanged wallet");
  std::map<std::uint64_t, int> gifts, exchanges;
  for (const auto& [id, e] : end.recorded<gift_exchanged>()) ++gifts[id];
  for (const auto& [id, e] : end.recorded<gift_returned>()) --gifts[id];
  for (const auto& [id, e] : end.recorded<wallet_exchanged>()) ++exchanges[id];
  for (const auto& [id, n] : gifts)
    found.expect(n == exchanges[id] && n <= 1, "wallet ", id, " has ", n, " gifts for ", exchanges[id], " exchanges");
  for (const auto* a : end.granted(method::patch, "wallets"))
    found.expect(exchanges[number_at_end(a->path)] == 1, "request ", a->number, " exchanged a wallet that was not exchanged");
}

void furnish(system_settings&, chance&) {}

}  // namespace

story rewards_story() { return {"rewards", &rewards::rewards, furnish, {}, next, check}; }

}  // namespace crema::sim
