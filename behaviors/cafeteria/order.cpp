#include "behaviors/cafeteria/order.hpp"

#include "behaviors/cafeteria/payment.hpp"

namespace crema::cafeteria {

result<outcome> decide(const order&, const place_order& c, const given& g) {
  if (g.exists) return rejection::conflict("This order has been placed already.");
  const auto order_id = static_cast<std::int64_t>(g.id);
  if (!g.reply<payment_approved>())
    return ask(approve_payment{order_id, c.phone_number, c.product_name, c.qty, c.amt}).undone_by(void_payment{order_id});
  return record_event(ordered{c.phone_number, c.product_name, c.qty, c.amt, g.now, order_status::ordered});
}

result<outcome> decide(const order& s, const cancel_order&, const given& g) {
  if (!g.exists) return rejection::not_found("There is no such order.");
  if (s.status == order_status::order_canceled) return nothing();
  return record_event(
      order_canceled{s.phone_number, s.product_name, s.qty, s.amt, s.create_time, order_status::order_canceled, s.cancel_attempt + 1});
}

result<outcome> decide(const order& s, const revert_cancel& c, const given& g) {
  // Only the attempt that failed is reverted: a repeated "no" to an earlier one must not take back a newer cancel.
  if (!g.exists || s.status != order_status::order_canceled || s.cancel_attempt != c.cancel_attempt) return nothing();
  return record_event(order_cancel_reverted{s.phone_number, s.product_name, s.qty, s.amt, s.create_time, order_status::ordered});
}

void evolve(order& s, const ordered& e) { s = {e.phone_number, e.product_name, e.qty, e.amt, e.create_time, e.status, 0}; }

void evolve(order& s, const order_canceled& e) {
  s.status = e.status;
  s.cancel_attempt = e.cancel_attempt;
}

void evolve(order& s, const order_cancel_reverted& e) { s.status = e.status; }

}  // namespace crema::cafeteria
