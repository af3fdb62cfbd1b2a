#include "behaviors/hotel/pay.hpp"

namespace crema::hotel {

namespace {

outcome taken_back(const payment& s, bool voided) {
  payment_canceled e{s};
  e.status = pay_status::canceled;
  e.voided = voided;
  return record_event(e);
}

}  // namespace

result<outcome> decide(const payment& s, const approve_payment& c, const given& g) {
  if (g.exists && s.status == pay_status::canceled) return rejection::conflict("The payment of this booking has been canceled.");
  if (g.exists) return nothing().answering(payment_approved{s});
  return record_event(
      payment_approved{{c.book_id, c.room_id, c.guest_id, c.host_id, c.price, c.start_date, c.end_date, pay_status::approved, false}});
}

result<outcome> decide(const payment& s, const void_payment&, const given& g) {
  if (!g.exists || s.status == pay_status::canceled) return nothing();
  return taken_back(s, true);
}

result<outcome> decide(const payment& s, const cancel_payment&, const given& g) {
  if (!g.exists || s.status == pay_status::canceled) return nothing();
  return taken_back(s, false);
}

void evolve(payment& s, const payment_approved& e) { s = {e}; }

void evolve(payment& s, const payment_canceled& e) { s = {e}; }

bool gone(const payment& s) { return s.voided; }

}  // namespace crema::hotel
