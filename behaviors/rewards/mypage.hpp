// What the customer looks at: one row a mission, under the mission's number, to which the reward, the wallet and the gift are added.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "behaviors/rewards/gift.hpp"
#include "behaviors/rewards/mission.hpp"
#include "behaviors/rewards/reward.hpp"
#include "behaviors/rewards/wallet.hpp"

namespace crema::rewards {

struct mypage {
  static constexpr std::string_view type_name = "mypage";
  std::int64_t customer_id = 0;
  std::int64_t mission_id = 0;
  std::optional<std::int64_t> reward_id{};
  std::optional<std::int64_t> wallet_id{};
  std::optional<std::int64_t> gift_id{};
  mission_status mission{};
  std::optional<reward_status> reward{};
  std::optional<wallet_status> wallet{};

  static std::vector<field_spec> fields() {
    return {customer_id_field<&mypage::customer_id>(),
            mission_id_field<&mypage::mission_id>(),
            reward_id_field<&mypage::reward_id>(),
            wallet_id_field<&mypage::wallet_id>(),
            field<&mypage::gift_id>("giftId").means("The number of the gift."),
            field<&mypage::mission>("missionStatus"),
            field<&mypage::reward>("rewardStatus"),
            field<&mypage::wallet>("walletStatus")};
  }
};

void apply(rows<mypage>&, const mission_achieved&, const event_meta&);
void apply(rows<mypage>&, const reward_allocated&, const event_meta&);
void apply(rows<mypage>&, const reward_exchanged&, const event_meta&);
void apply(rows<mypage>&, const wallet_created&, const event_meta&);
void apply(rows<mypage>&, const wallet_exchanged&, const event_meta&);
void apply(rows<mypage>&, const gift_exchanged&, const event_meta&);

}  // namespace crema::rewards
