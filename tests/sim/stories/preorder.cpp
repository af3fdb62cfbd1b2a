// The pre-reservations: each that stands is paid and has its receipt, each that was cancelled has neither, and all are shown.
#include "behaviors/preorder/preorder.hpp"

#include "behaviors/preorder/my_reservation.hpp"
#include "behaviors/preorder/payment.hpp"
#include "behaviors/preorder/receipt.hpp"
#include "behaviors/preorder/reservation.hpp"
#include "tests/sim/story.hpp"

namespace crema::sim {

using namespace preorder;
using http::method;
using testing::chance;

namespace {

constexpr std::int64_t expected_after_ms = 21LL * 24 * 3600 * 1000;

wish next(chance& random, const knowledge& known) {
  if (random.one_in(3)) return {method::remove, "/preReservations/" + std::to_string(known.some("preReservations", random))};
  return {method::post,
          "/preReservations",
          {{"userId", 1 + random.below(3)}, {"productName", "phone"}, {"price", known.asked}, {"cardNo", "1234-5678-9012-1234"}}};
}

struct history {
  int created = 0, cancelled = 0, unpaid = 0;
};

std::map<std::uint64_t, history> histories(const final_state& end) {
  std::map<std::uint64_t, history> of;
  for (const auto& [id, e] : end.recorded<reservation_created>()) ++of[id].created;
  for (const auto& [id, e] : end.recorded<reservation_cancelled>()) {
    ++of[id].cancelled;
    of[id].unpaid += e.unpaid ? 1 : 0;
  }
  return of;
}

void check_standing(std::uint64_t id, const reservation& r, const final_state& end, findings& found) {
  const auto paid = end.door.get({false, end.system.context_named("payment").index}, id);
  const auto issued = end.door.get({false, end.system.context_named("receipt").index}, id);
  found.expect(paid && issued, "reservation ", id, " lacks its payment or its receipt");
  if (!paid || !issued) return;
  const auto& p = *paid->row.as<payment>();
  const auto& c = *issued->row.as<receipt>();
  const auto number = static_cast<std::int64_t>(id);
  found.expect(p.reservation_id == number && c.reservation_id == number && c.payment_id == number, "reservation ", id,
               " and its own do not name one another");
  found.expect(p.user_id == r.user_id && c.user_id == r.user_id && p.price == r.price, "reservation ", id, " and its payment disagree");
  found.expect(c.expected_delivery_at.ms == p.created_at.ms + expected_after_ms, "receipt ", id, " promises another day");
  found.expect(r.card_no.value_or("").find("5678") == std::string::npos, "reservation ", id, " shows its whole card number");
}

void check_row(std::uint64_t id, const my_reservation& row, const history& h, bool stands, findings& found) {
  found.expect(row.reservation_id == static_cast<std::int64_t>(id), "myReservation ", id, " is of another reservation");
  if (stands)
    found.expect(row.payment == payment_status::paid && row.receipt == receipt_status::issued, "myReservation ", id,
                 " is not shown as paid");
  else if (h.unpaid > 0)
    found.expect(!row.payment && !row.receipt, "myReservation ", id, " was never paid, and shows a payment");
  else
    found.expect(row.payment == payment_status::cancelled && row.receipt == receipt_status::cancelled, "myReservation ", id,
                 " is cancelled, and not shown so");
}

void check(const final_state& end, findings& found) {
  const auto reservations = end.rows<reservation>("prereservation");
  const auto view = end.view<my_reservation>("myReservation");
  const auto of = histories(end);
  for (const auto& [id, r] : reservations) check_standing(id, r, end, found);
  for (const auto& [id, h] : of) {
    const bool stands = reservations.contains(id);
    found.expect(h.created == 1 && h.cancelled == (stands ? 0 : 1), "reservation ", id, " was made ", h.created, " times and cancelled ",
                 h.cancelled, " times");
    found.expect(view.contains(id), "reservation ", id, " is not shown");
    if (view.contains(id)) check_row(id, view.at(id), h, stands, found);
  }
  found.expect(view.size() == of.size(), "there are ", of.size(), " reservations, and ", view.size(), " are shown");
  found.expect(end.rows<payment>("payment").size() == reservations.size(), "there are payments of no reservation");
  found.expect(end.rows<receipt>("receipt").size() == reservations.size(), "there are receipts of no reservation");
  for (const auto* a : end.granted(method::remove, "preReservations"))
    found.expect(!reservations.contains(number_at_end(a->path)), "request ", a->number, " cancelled a reservation that stands");
}

void furnish(system_settings&, chance&) {}

}  // namespace

story preorder_story() { return {"preorder", &preorder::preorder, furnish, {}, next, check}; }

}  // namespace crema::sim
