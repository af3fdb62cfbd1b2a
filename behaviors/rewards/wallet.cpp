#include "behaviors/rewards/wallet.hpp"

#include "behaviors/rewards/gift.hpp"

namespace crema::rewards {

result<outcome> decide(const wallet&, const create_wallet& c, const given& g) {
  if (g.exists) return nothing();
  return record_event(wallet_created{{c.reward_id, c.customer_id, wallet_status::created}});
}

result<outcome> decide(const wallet& s, const exchange_wallet&, const given& g) {
  if (!g.exists) return rejection::not_found("There is no such wallet.");
  if (s.status == wallet_status::exchanged) return rejection::conflict("This wallet has been exchanged for a gift already.");
  if (!g.reply<gift_exchanged>()) return ask(exchange_gift{static_cast<std::int64_t>(g.id)}).undone_by(return_gift{});
  return record_event(wallet_exchanged{{s.reward_id, s.customer_id, wallet_status::exchanged}});
}

void evolve(wallet& s, const wallet_created& e) { s = {e}; }

void evolve(wallet& s, const wallet_exchanged& e) { s = {e}; }

}  // namespace crema::rewards
