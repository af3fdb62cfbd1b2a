#include "behaviors/rewards/rewards.hpp"

#include <cstdint>
#include <utility>

#include "behaviors/rewards/gift.hpp"
#include "behaviors/rewards/mission.hpp"
#include "behaviors/rewards/mypage.hpp"
#include "behaviors/rewards/reward.hpp"
#include "behaviors/rewards/wallet.hpp"

namespace crema::rewards {

namespace {

std::int64_t number_of(const event_meta& m) { return static_cast<std::int64_t>(m.id); }

}  // namespace

system_declaration rewards() {
  system_builder s("rewards");

  // Their order numbers them on disk: FROZEN, append only.
  s.context<mission>("mission", "mission", "missions")
      .handles<achieve_mission, reward_mission>()
      .records<mission_achieved, mission_rewarded>()
      .on_create<achieve_mission>()
      .finder("findByCustomerId", &mission::customer_id);

  s.context<reward>("reward", "reward", "rewards")
      .handles<allocate_reward, exchange_reward>()
      .records<reward_allocated, reward_exchanged>()
      .finder("findByCustomerId", &reward::customer_id);

  s.context<wallet>("wallet", "wallet", "wallets")
      .handles<create_wallet, exchange_wallet>()
      .records<wallet_created, wallet_exchanged>()
      .on_status<exchange_wallet>("Exchanged")
      .finder("findByCustomerId", &wallet::customer_id);

  s.context<gift>("gift", "gift", "gifts")
      .handles<exchange_gift, return_gift>()
      .records<gift_exchanged, gift_returned>()
      .gone_when([](const gift& x) { return gone(x); });

  s.context("mypage");

  // Who talks to whom. (wallet asks gift: in its decider.)
  s.whenever<mission_achieved>().tell<allocate_reward>([](const mission_achieved& e, const event_meta& m) {
    return allocate_reward{number_of(m), e.customer_id};
  });
  s.whenever<reward_allocated>()
      .tell<create_wallet>([](const reward_allocated& e, const event_meta& m) {
        return create_wallet{number_of(m), e.customer_id};
      })
      .tell<reward_mission>([](const reward_allocated&, const event_meta& m) { return reward_mission{number_of(m)}; });
  s.whenever<wallet_exchanged>().tell<exchange_reward>([](const wallet_exchanged&) { return exchange_reward{}; });

  // What people look at. Numbered like the contexts: FROZEN, append only.
  s.view<mypage>("mypage", "mypage", "mypages")
      .takes<mission_achieved, reward_allocated, reward_exchanged, wallet_created, wallet_exchanged, gift_exchanged>()
      .finder("findByMissionId", &mypage::mission_id)
      .finder("findByRewardId", &mypage::reward_id)
      .finder("findByCustomerId", &mypage::customer_id);

  return std::move(s).build();
}

}  // namespace crema::rewards
