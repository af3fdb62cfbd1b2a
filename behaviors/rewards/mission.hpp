// The mission that a customer achieved. It stands whatever happens to the others; its reward follows.
//
// Pure; called by the mission's entity, one message at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/rewards/fields.hpp"

namespace crema::rewards {
enum class mission_status : std::uint8_t { achieved };
}
template <>
inline constexpr std::array<std::string_view, 1> crema::literals_of<crema::rewards::mission_status>{"Achieved"};

namespace crema::rewards {

struct mission_facts {
  std::int64_t customer_id = 0;
  std::optional<std::int64_t> reward_id{};  ///< none until the reward is allocated
  mission_status status{};

  static std::vector<field_spec> fields() {
    return {customer_id_field<&mission_facts::customer_id>(), reward_id_field<&mission_facts::reward_id>(),
            field<&mission_facts::status>("status")};
  }
};

// ---- state

struct mission : mission_facts {
  static constexpr std::string_view type_name = "mission";
};

// ---- commands

struct achieve_mission {
  static constexpr std::string_view type_name = "achieve_mission";
  std::int64_t customer_id = 0;
  mission_status status{};

  static std::vector<field_spec> fields() {
    return {customer_id_field<&achieve_mission::customer_id>(), field<&achieve_mission::status>("status")};
  }
};

struct reward_mission {
  static constexpr std::string_view type_name = "reward_mission";
  std::int64_t reward_id = 0;

  static std::vector<field_spec> fields() { return {reward_id_field<&reward_mission::reward_id>()}; }
};

// ---- events

struct mission_achieved : mission_facts {
  static constexpr std::string_view type_name = "MissionAchieved";
};

struct mission_rewarded : mission_facts {
  static constexpr std::string_view type_name = "MissionRewarded";
};

// ---- rules

result<outcome> decide(const mission&, const achieve_mission&, const given&);  // nothing → mission_achieved
result<outcome> decide(const mission&, const reward_mission&, const given&);   // no reward yet → mission_rewarded

void evolve(mission&, const mission_achieved&);
void evolve(mission&, const mission_rewarded&);

}  // namespace crema::rewards
