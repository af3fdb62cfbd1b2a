#include "behaviors/preorder/my_reservation.hpp"

namespace crema::preorder {

namespace {

void set_payment(rows<my_reservation>& all, const payment_facts& e, const event_meta& m) {
  all.upsert(m.id, [&](my_reservation& row) {  // paid before it is reserved: the payment is the reservation's step
    row.payment_id = static_cast<std::int64_t>(m.id);
    row.payment = e.status;
  });
}

void set_receipt(rows<my_reservation>& all, const receipt_facts& e, const event_meta& m) {
  all.update(m.id, [&](my_reservation& row) {
    row.receipt_id = static_cast<std::int64_t>(m.id);
    row.receipt = e.status;
    row.expected_delivery_at = e.expected_delivery_at;
  });
}

}  // namespace

void apply(rows<my_reservation>& all, const reservation_created& e, const event_meta& m) {
  all.upsert(m.id, [&](my_reservation& row) {
    row.reservation_id = static_cast<std::int64_t>(m.id);
    row.user_id = e.user_id;
    row.user_address = e.user_address;
    row.product_id = e.product_id;
    row.product_name = e.product_name;
    row.price = e.price;
    row.status = e.status;
  });
}

void apply(rows<my_reservation>& all, const reservation_cancelled& e, const event_meta& m) {
  all.update(m.id, [&](my_reservation& row) { row.status = e.status; });
}

void apply(rows<my_reservation>& all, const payment_created& e, const event_meta& m) { set_payment(all, e, m); }

void apply(rows<my_reservation>& all, const payment_cancelled& e, const event_meta& m) { set_payment(all, e, m); }

void apply(rows<my_reservation>& all, const receipt_created& e, const event_meta& m) { set_receipt(all, e, m); }

void apply(rows<my_reservation>& all, const receipt_cancelled& e, const event_meta& m) { set_receipt(all, e, m); }

}  // namespace crema::preorder
