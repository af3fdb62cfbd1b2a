// The reward of a mission: allocated when the mission is achieved, exchanged when its wallet is.
//
// Pure; called by the reward's entity, one message at a time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/rewards/fields.hpp"

namespace crema::rewards {
enum class reward_status : std::uint8_t { allocated, exchanged };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::rewards::reward_status>{"RewardAllocated", "RewardExchanged"};

namespace crema::rewards {

struct reward_facts {
  std::int64_t mission_id = 0;
  std::int64_t customer_id = 0;
  reward_status status{};

  static std::vector<field_spec> fields() {
    return {mission_id_field<&reward_facts::mission_id>(), customer_id_field<&reward_facts::customer_id>(),
            field<&reward_facts::status>("status")};
  }
};

// ---- state

struct reward : reward_facts {
  static constexpr std::string_view type_name = "reward";
};

// ---- commands

struct allocate_reward {
  static constexpr std::string_view type_name = "allocate_reward";
  std::int64_t mission_id = 0;
  std::int64_t customer_id = 0;

  static std::vector<field_spec> fields() {
    return {mission_id_field<&allocate_reward::mission_id>(), customer_id_field<&allocate_reward::customer_id>()};
  }
};

struct exchange_reward {
  static constexpr std::string_view type_name = "exchange_reward";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct reward_allocated : reward_facts {
  static constexpr std::string_view type_name = "RewardAllocated";
};

struct reward_exchanged : reward_facts {
  static constexpr std::string_view type_name = "RewardExchanged";
};

// ---- rules

result<outcome> decide(const reward&, const allocate_reward&, const given&);  // nothing → reward_allocated
result<outcome> decide(const reward&, const exchange_reward&, const given&);  // RewardAllocated → reward_exchanged

void evolve(reward&, const reward_allocated&);
void evolve(reward&, const reward_exchanged&);

}  // namespace crema::rewards
