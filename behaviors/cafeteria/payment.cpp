#include "behaviors/cafeteria/payment.hpp"

#include "behaviors/cafeteria/sale.hpp"
#include "behaviors/core/json.hpp"

namespace crema::cafeteria {

namespace {

payment_canceled taken_back(const payment& s, bool voided) {
  return {s.order_id, s.phone_number, s.product_name, s.qty, s.amt, s.yyyymm, s.create_time, payment_status::payment_canceled, voided};
}

}  // namespace

result<outcome> decide(const payment& s, const approve_payment& c, const given& g) {
  if (g.exists) {
    if (s.status == payment_status::payment_canceled) return rejection::conflict("The payment of this order has been canceled.");
    return nothing().answering(
        payment_approved{s.order_id, s.phone_number, s.product_name, s.qty, s.amt, s.yyyymm, s.create_time, s.status});
  }
  // A voided payment (not existing, too) may be approved afresh: an order that was never recorded may leave its number to the next one.
  const auto* counted = g.reply<sale_counted>();
  if (counted == nullptr) {
    const auto month = to_month_text(g.now);
    return ask(count_sale{c.order_id, c.phone_number, c.product_name, month, c.amt})
        .undone_by(uncount_sale{c.order_id, c.phone_number, c.product_name, month, c.amt, true});
  }
  // The month is the one in which the sale was counted: between the two decisions it may have changed.
  return record_event(
      payment_approved{c.order_id, c.phone_number, c.product_name, c.qty, c.amt, counted->yyyymm, g.now, payment_status::payment_approved});
}

result<outcome> decide(const payment& s, const void_payment&, const given& g) {
  // A canceled payment belongs to an order that did come to be; there is nothing of a failed chain in it.
  if (!g.exists || s.status == payment_status::payment_canceled) return nothing();
  return record_event(taken_back(s, true));
}

result<outcome> decide(const payment& s, const cancel_payment&, const given& g) {
  if (!g.exists || s.status == payment_status::payment_canceled) return nothing();
  return record_event(taken_back(s, false));
}

void evolve(payment& s, const payment_approved& e) {
  s = {e.order_id, e.phone_number, e.amt, e.create_time, e.status, e.product_name, e.qty, e.yyyymm, false};
}

void evolve(payment& s, const payment_canceled& e) {
  s.status = e.status;
  s.voided = e.voided;
}

bool gone(const payment& s) { return s.voided; }

}  // namespace crema::cafeteria
