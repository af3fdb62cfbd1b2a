#include "behaviors/rewards/reward.hpp"

namespace crema::rewards {

result<outcome> decide(const reward&, const allocate_reward& c, const given& g) {
  if (g.exists) return nothing();
  return record_event(reward_allocated{{c.mission_id, c.customer_id, reward_status::allocated}});
}

result<outcome> decide(const reward& s, const exchange_reward&, const given& g) {
  if (!g.exists || s.status == reward_status::exchanged) return nothing();
  return record_event(reward_exchanged{{s.mission_id, s.customer_id, reward_status::exchanged}});
}

void evolve(reward& s, const reward_allocated& e) { s = {e}; }

void evolve(reward& s, const reward_exchanged& e) { s = {e}; }

}  // namespace crema::rewards
