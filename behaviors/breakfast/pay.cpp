#include "behaviors/breakfast/pay.hpp"

namespace crema::breakfast {

namespace {

outcome taken_back(const pay& s, bool voided) {
  canceled e{s};
  e.status = pay_status::canceled;
  e.voided = voided;
  return record_event(e);
}

}  // namespace

result<outcome> decide(const pay& s, const approve_pay& c, const given& g) {
  if (g.exists && s.status == pay_status::canceled) return rejection::conflict("The payment of this order has been canceled.");
  if (g.exists) return nothing().answering(paid{s});
  return record_event(paid{{static_cast<std::int64_t>(g.id), c.qty, c.amount, pay_status::paid, c.catalog_id, false}});
}

result<outcome> decide(const pay& s, const void_pay&, const given& g) {
  if (!g.exists || s.status == pay_status::canceled) return nothing();
  return taken_back(s, true);
}

result<outcome> decide(const pay& s, const cancel_pay&, const given& g) {
  if (!g.exists || s.status == pay_status::canceled) return nothing();
  return taken_back(s, false);
}

void evolve(pay& s, const paid& e) { s = {e}; }

void evolve(pay& s, const canceled& e) { s = {e}; }

bool gone(const pay& s) { return s.voided; }

}  // namespace crema::breakfast
