#include "behaviors/hotel/mypage.hpp"

namespace crema::hotel {

void apply(rows<mypage>& all, const booked& e, const event_meta& m) {
  all.upsert(m.id, [&](mypage& row) {
    row = {e.book_id, e.room_id, e.guest_id, e.host_id, e.price, e.start_date, e.end_date, e.status, row.pay};
  });
}

void apply(rows<mypage>& all, const book_canceled& e, const event_meta& m) {
  all.update(m.id, [&](mypage& row) { row.book = e.status; });
}

// Paid before it is booked: the payment is the booking's step.
void apply(rows<mypage>& all, const payment_approved& e, const event_meta& m) {
  all.upsert(m.id, [&](mypage& row) { row.pay = e.status; });
}

void apply(rows<mypage>& all, const payment_canceled& e, const event_meta& m) {
  all.update(m.id, [&](mypage& row) { row.pay = e.status; });
}

}  // namespace crema::hotel
