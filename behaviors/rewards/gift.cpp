#include "behaviors/rewards/gift.hpp"

namespace crema::rewards {

result<outcome> decide(const gift& s, const exchange_gift& c, const given& g) {
  if (g.exists) return nothing().answering(gift_exchanged{{s.wallet_id, s.status}});
  return record_event(gift_exchanged{{c.wallet_id, gift_status::exchanged}});
}

result<outcome> decide(const gift& s, const return_gift&, const given& g) {
  if (!g.exists) return nothing();
  return record_event(gift_returned{{s.wallet_id, s.status}});
}

void evolve(gift& s, const gift_exchanged& e) { s = {e.wallet_id, e.status, false}; }

void evolve(gift& s, const gift_returned&) { s.returned = true; }

bool gone(const gift& s) { return s.returned; }

}  // namespace crema::rewards
