// The cafeteria as a whole, on the board (board.hpp). What must hold then is said once, in `all_is_well`.
// A failing case prints its seed; CREMA_SEED runs one.
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "behaviors/cafeteria/cafeteria.hpp"
#include "behaviors/cafeteria/customercenter.hpp"
#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "behaviors/cafeteria/payment.hpp"
#include "behaviors/cafeteria/sale.hpp"
#include "tests/behaviors/board.hpp"

using namespace crema;
using namespace crema::cafeteria;
using crema::testing::board;
using crema::testing::chance;

namespace {

enum : std::uint16_t { in_order, in_payment, in_drink, in_sale };
enum : std::size_t { mypages, orderinfos, sale_pages };

const std::string phone = "01033132570";

value coffee(std::int64_t amt = 1000, const std::string& who = phone) { return value::of(place_order{who, "coffee", 2, amt}); }

/// What holds at any moment: what is shown belongs to an order that stands, and the ledger adds up.
void nothing_false_is_shown(const board& b) {
  const auto stands = [&](std::int64_t order_id) { return b.state<order>(in_order, std::to_string(order_id)) != nullptr; };
  for (const auto& row : b.view<mypage>(mypages)) CHECK(stands(row.order_id));
  for (const auto& row : b.view<orderinfo>(orderinfos)) CHECK(stands(row.order_id));
  std::map<std::string, std::int64_t> ledger;
  for (const auto& row : b.view<sale_page>(sale_pages)) {
    CHECK(stands(row.order_id));
    auto& sum = ledger[sale_key(row.phone_number, row.yyyymm)];
    sum += row.amt;
    CHECK(sum == row.sum_amt);
  }
}

/// What holds whenever every message has been delivered.
void all_is_well(const board& b, std::uint64_t orders_tried) {
  CHECK(b.dead_letters.empty());
  nothing_false_is_shown(b);
  std::map<std::string, std::int64_t> standing;
  for (std::uint64_t id = 1; id <= orders_tried; ++id) {
    INFO("order " << id);
    const auto* o = b.state<order>(in_order, id);
    const auto* p = b.state<payment>(in_payment, id);
    const auto* d = b.state<drink>(in_drink, id);
    const auto page = b.row<mypage>(mypages, id);
    const auto info = b.row<orderinfo>(orderinfos, id);
    if (o == nullptr) {  // the whole order or none of it
      CHECK(p == nullptr);
      CHECK(d == nullptr);
      CHECK_FALSE(page);
      CHECK_FALSE(info);
      continue;
    }
    REQUIRE(p != nullptr);
    REQUIRE(d != nullptr);
    REQUIRE(page);
    REQUIRE(info);
    const bool canceled = o->status == order_status::order_canceled;
    CHECK(canceled == (p->status == payment_status::payment_canceled));
    CHECK(canceled == (d->status == drink_status::drink_canceled));
    CHECK(info->status == d->status);
    const auto shown = canceled                                      ? mypage_status::order_canceled
                       : d->status == drink_status::payment_approved ? mypage_status::ordered
                       : d->status == drink_status::receipted        ? mypage_status::receipted
                                                                     : mypage_status::made;
    CHECK(page->status == shown);
    if (!canceled) standing[sale_key(p->phone_number, p->yyyymm)] += p->amt;
  }
  std::map<std::string, std::int64_t> ledger;
  for (const auto& row : b.view<sale_page>(sale_pages)) ledger[sale_key(row.phone_number, row.yyyymm)] = row.sum_amt;
  for (const auto& [key, s] : b.collection<sale>(in_sale)) {
    CHECK(s->sum_amt == standing[key]);
    CHECK(ledger.contains(key));
  }
  for (const auto& [key, sum] : ledger) {
    CHECK(sum == standing[key]);
    CHECK(b.state<sale>(in_sale, key) != nullptr);
  }
}

std::vector<std::string> told_to(const board& b, const std::string& who) {
  std::vector<std::string> texts;
  for (const auto& n : b.told)
    if (n.to == who) texts.push_back(n.text);
  return texts;
}

}  // namespace

TEST_CASE("cafeteria: an order is paid and counted at once, and known to the barista in its time") {
  board b(crema::cafeteria::cafeteria());
  chance random(1);
  REQUIRE_FALSE(b.tell(in_order, 1, coffee()));
  CHECK(b.state<order>(in_order, 1)->status == order_status::ordered);
  CHECK(b.state<payment>(in_payment, 1)->status == payment_status::payment_approved);
  CHECK(b.state<sale>(in_sale, sale_key(phone, "202102"))->sum_amt == 1000);
  CHECK(b.state<drink>(in_drink, 1) == nullptr);
  b.deliver_all(random);
  CHECK(b.state<drink>(in_drink, 1)->status == drink_status::payment_approved);
  all_is_well(b, 1);
}

TEST_CASE("cafeteria: the customer is told of every step, and of a cancel that came too late") {
  board b(crema::cafeteria::cafeteria());
  chance random(1);
  REQUIRE_FALSE(b.tell(in_order, 1, coffee()));
  b.deliver_all(random);
  REQUIRE_FALSE(b.tell(in_drink, 1, value::of(receipt_drink{})));
  REQUIRE_FALSE(b.tell(in_order, 1, value::of(cancel_order{})));
  b.deliver_all(random);
  REQUIRE_FALSE(b.tell(in_drink, 1, value::of(finish_drink{})));
  CHECK(told_to(b, phone) == std::vector<std::string>{"Your Order is Ordered", "Your Order is Receipted", "Your Order is OrderCanceled",
                                                      "Your Order is already started. You cannot cancel!!",
                                                      "Your Order is Made\nCome and Take it, Please!"});
  all_is_well(b, 1);
}

TEST_CASE("cafeteria: a cancel in time takes back drink, payment and the sale of the month in which it was counted") {
  board b(crema::cafeteria::cafeteria());
  chance random(1);
  REQUIRE_FALSE(b.tell(in_order, 1, coffee()));
  b.deliver_all(random);
  b.now = timestamp{1614556800000};  // the next month
  REQUIRE_FALSE(b.tell(in_order, 1, value::of(cancel_order{})));
  b.deliver_all(random);
  CHECK(b.state<sale>(in_sale, sale_key(phone, "202102"))->sum_amt == 0);
  CHECK(b.state<sale>(in_sale, sale_key(phone, "202103")) == nullptr);
  all_is_well(b, 1);
}

TEST_CASE("cafeteria: given a drink is receipted while a cancel is under way, when the cancel fails, then mypage shows Receipted") {
  board b(crema::cafeteria::cafeteria());
  chance random(1);
  REQUIRE_FALSE(b.tell(in_order, 1, coffee()));
  b.deliver_all(random);
  REQUIRE_FALSE(b.tell(in_order, 1, value::of(cancel_order{})));
  REQUIRE_FALSE(b.tell(in_drink, 1, value::of(receipt_drink{})));  // before cancel_drink is delivered
  CHECK(b.row<mypage>(mypages, 1)->status == mypage_status::order_canceled);
  b.deliver_all(random);
  CHECK(b.row<mypage>(mypages, 1)->status == mypage_status::receipted);
  CHECK(b.state<order>(in_order, 1)->status == order_status::ordered);
  all_is_well(b, 1);
}

TEST_CASE("cafeteria: given the sale is stopped, when an order is placed, then nothing of it is kept") {
  board b(crema::cafeteria::cafeteria());
  chance random(1);
  b.stopped = {in_sale};
  const auto refused = b.tell(in_order, 1, coffee());
  REQUIRE(refused);
  CHECK(refused->kind == rejection_kind::stopped);
  b.stopped.clear();
  b.deliver_all(random);
  CHECK(b.log().empty());
  REQUIRE_FALSE(b.tell(in_order, 2, coffee()));
  b.deliver_all(random);
  all_is_well(b, 2);
}

TEST_CASE(
    "cafeteria: given the payment's answer is lost after it was recorded, then it is taken back with its sale, and nobody ever knew") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    board b(crema::cafeteria::cafeteria());
    chance random(seed);
    b.answer_is_lost = [](const value& c) { return c.as<approve_payment>() != nullptr; };
    REQUIRE(b.tell(in_order, 1, coffee()));
    b.deliver_all(random);
    CHECK(b.state<sale>(in_sale, sale_key(phone, "202102")) == nullptr);
    CHECK(b.view<sale_page>(sale_pages).empty());
    CHECK(b.told.empty());
    for (const auto& h : b.log()) CHECK(h.from.first != in_drink);
    all_is_well(b, 1);
    // The number may be given to the next order.
    b.answer_is_lost = [](const value&) { return false; };
    REQUIRE_FALSE(b.tell(in_order, 1, coffee()));
    b.deliver_all(random);
    all_is_well(b, 1);
  }
}

TEST_CASE("cafeteria: given the sale's answer is lost, then no payment is made and the sale is taken back") {
  board b(crema::cafeteria::cafeteria());
  chance random(1);
  b.answer_is_lost = [](const value& c) { return c.as<count_sale>() != nullptr; };
  REQUIRE(b.tell(in_order, 1, coffee()));
  b.deliver_all(random);
  CHECK(b.state<sale>(in_sale, sale_key(phone, "202102")) == nullptr);
  all_is_well(b, 1);
}

TEST_CASE("cafeteria: given a chain fails, when an order comes between its count and the undoing, then the ledger shows only what stands") {
  board b(crema::cafeteria::cafeteria());
  chance random(1);
  b.answer_is_lost = [](const value& c) { return c.as<approve_payment>() != nullptr; };
  REQUIRE(b.tell(in_order, 1, coffee(1000)));
  b.answer_is_lost = [](const value&) { return false; };
  REQUIRE_FALSE(b.tell(in_order, 2, coffee(300)));
  CHECK(b.state<sale>(in_sale, sale_key(phone, "202102"))->sum_amt == 1300);
  const auto ledger = b.view<sale_page>(sale_pages);
  REQUIRE(ledger.size() == 1);
  CHECK(ledger.front().sum_amt == 300);
  b.deliver_all(random);
  CHECK(b.state<sale>(in_sale, sale_key(phone, "202102"))->sum_amt == 300);
  CHECK(b.view<sale_page>(sale_pages).size() == 1);
  all_is_well(b, 2);
}

TEST_CASE("cafeteria: whatever is ordered, canceled, made, stopped and lost, in whatever order, all is well in the end") {
  crema::testing::under_seeds(300, [](chance& random) {
    board b(crema::cafeteria::cafeteria());
    crema::testing::trouble(b, random);
    std::uint64_t tried = 0;
    for (int step = 0; step < 120; ++step) {
      const auto some = tried == 0 ? 0 : 1 + random.below(tried);
      switch (random.below(8)) {
        case 0:
        case 1:
          (void)b.tell(in_order, ++tried, coffee(static_cast<std::int64_t>(random.below(5000)), "010" + std::to_string(random.below(3))));
          break;
        case 2:
          if (some != 0) (void)b.tell(in_order, some, value::of(cancel_order{}));
          break;
        case 3:
          if (some != 0) (void)b.tell(in_drink, some, value::of(receipt_drink{}));
          break;
        case 4:
          if (some != 0) (void)b.tell(in_drink, some, value::of(finish_drink{}));
          break;
        case 5: crema::testing::stop_or_start(b, random); break;
        case 6:
          if (random.one_in(10)) b.now.ms += 31LL * 24 * 3600 * 1000;
          break;
        default: break;
      }
      b.deliver_some(random, 3);
      nothing_false_is_shown(b);
    }
    crema::testing::drain(b, random);
    all_is_well(b, tried);
  });
}

TEST_CASE("cafeteria: a policy's command that comes twice counts once") {
  // The sale is the exception: it sees many orders, remembers none, and relies on the runtime's exactly-once.
  board b(crema::cafeteria::cafeteria());
  chance random(7);
  REQUIRE_FALSE(b.tell(in_order, 1, coffee()));
  b.deliver_all(random);
  REQUIRE_FALSE(b.tell(in_order, 2, coffee()));
  b.deliver_all(random);
  REQUIRE_FALSE(b.tell(in_drink, 2, value::of(receipt_drink{})));
  REQUIRE_FALSE(b.tell(in_order, 1, value::of(cancel_order{})));
  REQUIRE_FALSE(b.tell(in_order, 2, value::of(cancel_order{})));
  b.deliver_all(random);
  const auto before = b.log().size();
  const auto again = [&](std::uint16_t context, std::uint64_t id, const value& command) {
    CHECK_FALSE(b.tell(context, id, command));
    b.deliver_all(random);
    CHECK(b.log().size() == before);
  };
  for (std::int64_t id = 1; id <= 2; ++id) {
    const auto number = static_cast<std::uint64_t>(id);
    again(in_drink, number, value::of(make_drink{id, phone, "coffee", 2}));
    again(in_drink, number, value::of(cancel_drink{id, phone, "coffee", 2, 1}));
  }
  again(in_order, 2, value::of(revert_cancel{2, 1}));
  again(in_payment, 1, value::of(cancel_payment{1}));
  again(in_payment, 2, value::of(approve_payment{2, phone, "coffee", 2, 1000}));
  all_is_well(b, 2);
}
