#include "behaviors/preorder/payment.hpp"

namespace crema::preorder {

namespace {

result<outcome> taken_back(const payment& s, const given& g, bool voided) {
  if (!g.exists) return nothing();
  payment_cancelled e{s};
  e.status = payment_status::cancelled;
  e.modified_at = g.now;
  e.voided = voided;
  return record_event(e);
}

}  // namespace

result<outcome> decide(const payment& s, const pay_reservation& c, const given& g) {
  if (g.exists) return nothing().answering(payment_created{s});
  return record_event(payment_created{
      {c.reservation_id, c.user_id, c.product_id, c.product_name, c.price, c.card_no, payment_status::paid, g.now, g.now, false}});
}

result<outcome> decide(const payment& s, const void_payment&, const given& g) { return taken_back(s, g, true); }

result<outcome> decide(const payment& s, const cancel_payment&, const given& g) { return taken_back(s, g, false); }

void evolve(payment& s, const payment_created& e) { s = {e}; }

void evolve(payment& s, const payment_cancelled& e) { s = {e}; }

bool gone(const payment& s) { return s.status == payment_status::cancelled; }

}  // namespace crema::preorder
