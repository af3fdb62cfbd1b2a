#include "behaviors/preorder/preorder.hpp"

#include <optional>
#include <utility>

#include "behaviors/preorder/my_reservation.hpp"
#include "behaviors/preorder/payment.hpp"
#include "behaviors/preorder/receipt.hpp"
#include "behaviors/preorder/reservation.hpp"

namespace crema::preorder {

system_declaration preorder() {
  system_builder s("preorder");

  // Their order numbers them on disk: FROZEN, append only.
  s.context<reservation>("prereservation", "preReservation", "preReservations")
      .handles<reserve, cancel_reservation>()
      .records<reservation_created, reservation_cancelled>()
      .on_create<reserve>()
      .on_remove<cancel_reservation>()
      .gone_when([](const reservation& x) { return gone(x); });

  s.context<payment>("payment", "payment", "payments")
      .handles<pay_reservation, void_payment, cancel_payment>()
      .records<payment_created, payment_cancelled>()
      .gone_when([](const payment& x) { return gone(x); })
      .finder("findByPreReservationId", &payment::reservation_id);

  s.context<receipt>("receipt", "receipt", "receipts")
      .handles<issue_receipt, cancel_receipt>()
      .records<receipt_created, receipt_cancelled>()
      .gone_when([](const receipt& x) { return gone(x); })
      .finder("findByPaidId", &receipt::payment_id);

  s.context("myreservation");

  // Who talks to whom. (prereservation asks payment: in its decider.)
  s.whenever<reservation_cancelled>().tell<cancel_payment>(
      [](const reservation_cancelled& e) { return e.unpaid ? std::nullopt : std::optional(cancel_payment{}); });

  s.whenever<payment_created>().tell<issue_receipt>([](const payment_created& e, const event_meta& m) {
    return issue_receipt{static_cast<std::int64_t>(m.id), e.reservation_id, e.user_id, e.product_id, e.product_name, e.price, e.created_at};
  });
  s.whenever<payment_cancelled>().tell<cancel_receipt>(
      [](const payment_cancelled& e) { return e.voided ? std::nullopt : std::optional(cancel_receipt{}); });

  // What people look at. Numbered like the contexts: FROZEN, append only.
  s.view<my_reservation>("myreservation", "myReservation", "myReservations")
      .takes<reservation_created, reservation_cancelled, payment_created, payment_cancelled, receipt_created, receipt_cancelled>()
      .finder("findByUserId", &my_reservation::user_id);

  return std::move(s).build();
}

}  // namespace crema::preorder
