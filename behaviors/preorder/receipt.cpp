#include "behaviors/preorder/receipt.hpp"

namespace crema::preorder {

result<outcome> decide(const receipt&, const issue_receipt& c, const given& g) {
  if (g.exists) return nothing();
  const timestamp expected{c.paid_at.ms + std::chrono::milliseconds(delivery_time).count()};
  return record_event(receipt_created{
      {c.payment_id, c.reservation_id, c.user_id, c.product_id, c.product_name, c.price, receipt_status::issued, expected, g.now, g.now}});
}

// Both messages come from the payment, so the cancel cannot come first.
result<outcome> decide(const receipt& s, const cancel_receipt&, const given& g) {
  if (!g.exists) return nothing();
  receipt_cancelled e{s};
  e.status = receipt_status::cancelled;
  e.modified_at = g.now;
  return record_event(e);
}

void evolve(receipt& s, const receipt_created& e) { s = {e}; }

void evolve(receipt& s, const receipt_cancelled& e) { s = {e}; }

bool gone(const receipt& s) { return s.status == receipt_status::cancelled; }

}  // namespace crema::preorder
