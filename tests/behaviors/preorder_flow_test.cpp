// The pre-reservations as a whole, on the board (board.hpp). A failing case prints its seed; CREMA_SEED runs one.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "behaviors/preorder/my_reservation.hpp"
#include "behaviors/preorder/payment.hpp"
#include "behaviors/preorder/preorder.hpp"
#include "behaviors/preorder/receipt.hpp"
#include "behaviors/preorder/reservation.hpp"
#include "tests/behaviors/board.hpp"

using namespace crema;
using namespace crema::preorder;
using crema::testing::board;
using crema::testing::chance;

namespace {

enum : std::uint16_t { in_reservation, in_payment, in_receipt };
enum : std::size_t { my_reservations };
constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

value phone(std::int64_t user = 1) { return value::of(reserve{user, "Seoul", 3, "phone", 1000 + user, "1234-****-****-1234"}); }

/// What holds at any moment: a reservation is paid, and nothing is shown that is not so.
void nothing_false_is_shown(const board& b) {
  for (const auto& [id, r] : b.collection<reservation>(in_reservation)) CHECK(b.state<payment>(in_payment, id) != nullptr);
  for (const auto& row : b.view<my_reservation>(my_reservations)) {
    const auto id = static_cast<std::uint64_t>(row.reservation_id);
    const auto* r = b.state<reservation>(in_reservation, id);
    CHECK((r == nullptr) == (row.status == reservation_cancelled_status));
    if (row.payment == payment_status::paid) CHECK(b.state<payment>(in_payment, id) != nullptr);
    CHECK((row.receipt == receipt_status::issued) == (b.state<receipt>(in_receipt, id) != nullptr));
  }
}

/// What holds whenever every message has been delivered. `reserved`: every reservation that was taken up, paid or not.
void all_is_well(const board& b, std::uint64_t tried, const std::set<std::uint64_t>& reserved) {
  nothing_false_is_shown(b);
  struct history {
    int created = 0, cancelled = 0, unpaid = 0;
  };
  std::map<std::uint64_t, history> of;
  for (const auto& h : b.recorded<reservation_created>()) ++of[h.id].created;
  for (const auto& h : b.recorded<reservation_cancelled>()) {
    ++of[h.id].cancelled;
    if (h.event.as<reservation_cancelled>()->unpaid) ++of[h.id].unpaid;
  }
  std::set<std::uint64_t> kept;
  for (const auto& row : b.view<my_reservation>(my_reservations)) kept.insert(static_cast<std::uint64_t>(row.reservation_id));
  CHECK(kept == reserved);
  for (std::uint64_t id = 1; id <= tried; ++id) {
    INFO("reservation " << id);
    const auto number = static_cast<std::int64_t>(id);
    const auto* r = b.state<reservation>(in_reservation, id);
    const auto* p = b.state<payment>(in_payment, id);
    const auto* c = b.state<receipt>(in_receipt, id);
    const auto row = b.row<my_reservation>(my_reservations, id);
    CHECK((p != nullptr) == (r != nullptr));
    CHECK((c != nullptr) == (r != nullptr));
    if (!reserved.contains(id)) {
      CHECK_FALSE(of.contains(id));
      CHECK(r == nullptr);
      CHECK_FALSE(row);
      continue;
    }
    CHECK(of[id].created == 1);
    CHECK(of[id].cancelled == (r == nullptr ? 1 : 0));
    REQUIRE(row);
    CHECK(row->reservation_id == number);
    CHECK(row->price == 1000 + row->user_id);
    if (r != nullptr && p != nullptr && c != nullptr) {
      CHECK(p->reservation_id == number);
      CHECK(c->reservation_id == number);
      CHECK(c->payment_id == number);
      CHECK(p->user_id == r->user_id);
      CHECK(c->user_id == r->user_id);
      CHECK(c->expected_delivery_at.ms == p->created_at.ms + 21 * day_ms);
      const my_reservation expected{number,          number,   number,    r->user_id, r->user_address, r->product_id,
                                    r->product_name, r->price, r->status, p->status,  c->status,       c->expected_delivery_at};
      CHECK(crema::testing::same(*row, expected));
    } else if (of[id].unpaid != 0) {
      CHECK_FALSE(row->payment_id);
      CHECK_FALSE(row->payment);
      CHECK_FALSE(row->receipt_id);
      CHECK_FALSE(row->receipt);
      CHECK_FALSE(row->expected_delivery_at);
    } else {
      CHECK(row->payment == payment_status::cancelled);
      CHECK(row->receipt == receipt_status::cancelled);
      CHECK(row->expected_delivery_at);
    }
  }
  CHECK(b.collection<payment>(in_payment).size() == b.collection<reservation>(in_reservation).size());
  CHECK(b.collection<receipt>(in_receipt).size() == b.collection<reservation>(in_reservation).size());
}

}  // namespace

TEST_CASE("preorder: given the payment is stopped or its answer lost, then the reservation is history, and no receipt is ever issued") {
  for (const bool stopped : {false, true}) {
    board b(crema::preorder::preorder());
    chance random(1);
    if (stopped) b.stopped = {in_payment};
    b.answer_is_lost = [](const value&) { return true; };
    REQUIRE(b.tell(in_reservation, 1, phone()));
    const auto shown = b.row<my_reservation>(my_reservations, 1);
    REQUIRE(shown);
    CHECK(shown->status == reservation_cancelled_status);
    crema::testing::drain(b, random);
    CHECK(b.recorded<receipt_created>().empty());
    CHECK(b.recorded<payment_created>().size() == (stopped ? 0 : 1));
    all_is_well(b, 1, {1});
  }
}

TEST_CASE("preorder: given the receipt comes days after the payment, then the phone is expected 21 days after the payment") {
  board b(crema::preorder::preorder());
  chance random(1);
  b.stopped = {in_receipt};
  REQUIRE_FALSE(b.tell(in_reservation, 1, phone()));
  b.deliver_all(random);
  CHECK(b.state<receipt>(in_receipt, std::uint64_t{1}) == nullptr);
  b.now.ms += 5 * day_ms;
  crema::testing::drain(b, random);
  const auto* late = b.state<receipt>(in_receipt, std::uint64_t{1});
  REQUIRE(late != nullptr);
  CHECK(late->expected_delivery_at.ms == crema::testing::feb_2021.ms + 21 * day_ms);
  all_is_well(b, 1, {1});
}

TEST_CASE("preorder: whatever is reserved, cancelled, stopped and lost, in whatever order, all is well in the end") {
  std::size_t standing = 0, cancelled = 0, unpaid = 0, taken_back = 0;
  const bool all_seeds = crema::testing::under_seeds(200, [&](chance& random) {
    board b(crema::preorder::preorder());
    std::uint64_t tried = 0;
    std::set<std::uint64_t> reserved;
    const auto something = [&] {
      const auto some = 1 + random.below(tried + 1);
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2:
          ++tried;
          if (!b.stopped.contains(in_reservation)) reserved.insert(tried);
          (void)b.tell(in_reservation, tried, phone(static_cast<std::int64_t>(1 + random.below(3))));
          break;
        case 3:
        case 4: (void)b.tell(in_reservation, some, value::of(cancel_reservation{})); break;
        case 5: crema::testing::stop_or_start(b, random); break;
        case 6: b.now.ms += static_cast<std::int64_t>(random.below(10 * day_ms)); break;
        default: break;
      }
    };
    crema::testing::trouble(b, random, something);
    for (int step = 0; step < 80; ++step) {
      something();
      b.deliver_some(random, 4);
      nothing_false_is_shown(b);
    }
    crema::testing::drain(b, random);
    all_is_well(b, tried, reserved);
    standing += b.collection<reservation>(in_reservation).size();
    for (const auto& h : b.recorded<reservation_cancelled>()) ++(h.event.as<reservation_cancelled>()->unpaid ? unpaid : cancelled);
    for (const auto& h : b.recorded<payment_cancelled>()) taken_back += h.event.as<payment_cancelled>()->voided ? 1 : 0;
  });
  if (all_seeds) {
    CHECK(standing > 100);
    CHECK(cancelled > 100);
    CHECK(unpaid > 100);
    CHECK(taken_back > 100);
  }
}
