#include "behaviors/rewards/mission.hpp"

namespace crema::rewards {

result<outcome> decide(const mission&, const achieve_mission& c, const given& g) {
  if (g.exists) return rejection::conflict("This mission has been achieved already.");
  return record_event(mission_achieved{{c.customer_id, std::nullopt, c.status}});
}

result<outcome> decide(const mission& s, const reward_mission& c, const given& g) {
  if (!g.exists || s.reward_id) return nothing();
  return record_event(mission_rewarded{{s.customer_id, c.reward_id, s.status}});
}

void evolve(mission& s, const mission_achieved& e) { s = {e}; }

void evolve(mission& s, const mission_rewarded& e) { s = {e}; }

}  // namespace crema::rewards
