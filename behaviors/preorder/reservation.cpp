#include "behaviors/preorder/reservation.hpp"

#include "behaviors/preorder/payment.hpp"

namespace crema::preorder {

namespace {

reservation_cancelled cancelled(const reservation_facts& s, timestamp now, bool unpaid) {
  reservation_cancelled e{s};
  e.status = reservation_cancelled_status;
  e.modified_at = now;
  e.cancelled = true;
  e.unpaid = unpaid;
  return e;
}

}  // namespace

result<outcome> decide(const reservation&, const reserve& c, const given& g) {
  if (g.exists) return rejection::conflict("This reservation has been made already.");
  if (c.status == reservation_cancelled_status)
    return rejection::invalid("status", "Field 'status' must not be 'reservation_cancelled' from the start; leave it out.");
  const reservation_created created{
      {c.user_id, c.user_address, c.product_id, c.product_name, c.price, c.card_no, c.status, g.now, g.now, false, false}};
  if (g.reply<payment_created>()) return record_event(created);
  return ask(pay_reservation{static_cast<std::int64_t>(g.id), c.user_id, c.product_id, c.product_name, c.price, c.card_no})
      .undone_by(void_payment{})
      .recording_if_refused(created)
      .recording_if_refused(cancelled(created, g.now, true));
}

result<outcome> decide(const reservation& s, const cancel_reservation&, const given& g) {
  if (!g.exists) return rejection::not_found("There is no such reservation.");
  return record_event(cancelled(s, g.now, false));
}

void evolve(reservation& s, const reservation_created& e) { s = {e}; }

void evolve(reservation& s, const reservation_cancelled& e) { s = {e}; }

bool gone(const reservation& s) { return s.cancelled; }

}  // namespace crema::preorder
