// The breakfast as a whole, on the board (board.hpp). A failing case prints its seed; CREMA_SEED runs one.
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "behaviors/breakfast/breakfast.hpp"
#include "behaviors/breakfast/catalog.hpp"
#include "behaviors/breakfast/customer.hpp"
#include "behaviors/breakfast/delivery.hpp"
#include "behaviors/breakfast/order.hpp"
#include "behaviors/breakfast/pay.hpp"
#include "behaviors/breakfast/views.hpp"
#include "tests/behaviors/board.hpp"

using namespace crema;
using namespace crema::breakfast;
using crema::testing::board;
using crema::testing::chance;

namespace {

enum : std::uint16_t { in_customer, in_catalog, in_order, in_pay, in_delivery };
enum : std::size_t { my_orders, catalog_views };

/// By catalogue: what was put into stock from outside, whoever ordered it since.
using supply = std::map<std::uint64_t, std::int64_t>;

value two(std::int64_t catalog_id = 1, std::int64_t customer_id = 1) { return value::of(place_order{2, catalog_id, customer_id}); }

void open_shop(board& b, supply& put_in, std::uint64_t catalogs, std::int64_t stock) {
  for (std::uint64_t id = 1; id <= catalogs; ++id) {
    REQUIRE_FALSE(b.tell(in_catalog, id, value::of(register_catalog{"toast", stock, 0.1_dec})));
    put_in[id] = stock;
    REQUIRE_FALSE(b.tell(in_customer, id, value::of(join{{"guest", {}, {}, {}}})));
  }
}

bool stands(const order& o) { return o.status != delivery_status::canceled; }

/// What holds at any moment.
void nothing_false_is_shown(const board& b) {
  for (const auto& [id, c] : b.collection<catalog>(in_catalog)) CHECK(c->stock >= 0);
  for (const auto& [id, o] : b.collection<order>(in_order)) {
    const auto* p = b.state<pay>(in_pay, id);
    REQUIRE(p != nullptr);
    if (stands(*o)) CHECK(p->status == pay_status::paid);
    if (o->status == delivery_status::canceled) {
      const auto* d = b.state<delivery>(in_delivery, id);
      REQUIRE(d != nullptr);
      CHECK(d->status == delivery_status::canceled);
    }
  }
  CHECK(b.view<my_order>(my_orders).size() == b.collection<order>(in_order).size());
  for (const auto& row : b.view<my_order>(my_orders)) {
    const auto* o = b.state<order>(in_order, static_cast<std::uint64_t>(row.order_id));
    REQUIRE(o != nullptr);
    CHECK(stands(*o) == (row.status != delivery_status::canceled));
  }
}

/// What holds whenever every message has been delivered.
void all_is_well(const board& b, std::uint64_t tried, const supply& put_in, bool auto_ship) {
  nothing_false_is_shown(b);
  auto left = put_in;
  std::size_t cancels = 0;
  for (std::uint64_t id = 1; id <= tried; ++id) {
    INFO("order " << id);
    const auto number = static_cast<std::int64_t>(id);
    const auto* o = b.state<order>(in_order, id);
    const auto* p = b.state<pay>(in_pay, id);
    const auto* d = b.state<delivery>(in_delivery, id);
    const auto row = b.row<my_order>(my_orders, id);
    if (o == nullptr) {
      CHECK(p == nullptr);
      CHECK(d == nullptr);
      CHECK_FALSE(row);
      continue;
    }
    REQUIRE(p != nullptr);
    REQUIRE(d != nullptr);
    REQUIRE(row);
    CHECK(p->order_id == number);
    CHECK(p->qty == o->qty);
    CHECK(p->catalog_id == o->catalog_id);
    CHECK_FALSE(p->voided);
    CHECK(d->order_id == number);
    CHECK_FALSE(d->unknown);
    const bool canceled = !stands(*o);
    cancels += canceled ? 1 : 0;
    CHECK(canceled == (p->status == pay_status::canceled));
    CHECK(canceled == (d->status == delivery_status::canceled));
    if (!canceled) {
      left[static_cast<std::uint64_t>(o->catalog_id)] -= o->qty;
      CHECK(o->status == (d->status == delivery_status::ordered ? std::nullopt : std::optional(d->status)));
      if (auto_ship) CHECK(d->status != delivery_status::ordered);
    }
    CHECK(row->order_id == number);
    CHECK(row->customer_id == o->customer_id);
    CHECK(row->catalog_id == o->catalog_id);
    CHECK(row->qty == o->qty);
    CHECK(row->delivery_id == number);
    // Where a cancel that failed met a delivery before it was prepared, the row says nothing until the delivery starts.
    CHECK((row->status == d->status || (!row->status && d->status == delivery_status::ordered)));
  }
  CHECK(b.recorded<order_canceled>().size() == cancels);
  CHECK(b.collection<delivery>(in_delivery).size() == b.collection<order>(in_order).size());
  CHECK(b.collection<pay>(in_pay).size() == b.collection<order>(in_order).size());
  for (const auto& [id, stock] : left) {
    INFO("catalogue " << id);
    const auto* c = b.state<catalog>(in_catalog, id);
    const auto row = b.row<catalog_view>(catalog_views, id);
    CHECK((c != nullptr) == row.has_value());
    if (c == nullptr || !row) continue;  // removed
    CHECK(c->stock == stock);
    const catalog_view expected{static_cast<std::int64_t>(id), c->name, c->stock, c->price};
    CHECK(crema::testing::same(*row, expected));
  }
}

}  // namespace

TEST_CASE("breakfast: given a cancel came before the delivery knew of the order, when it fails, then the delivery starts after all") {
  for (const bool prepared_first : {false, true}) {
    board b(crema::breakfast::breakfast());
    chance random(1);
    supply put_in;
    open_shop(b, put_in, 1, 10);
    REQUIRE_FALSE(b.tell(in_order, 1, two()));
    bool once = prepared_first;  // the order's message arrives while the cancel is open, or after it
    b.meanwhile = [&] {
      const auto* d = b.state<delivery>(in_delivery, std::uint64_t{1});
      if (once && d != nullptr && d->unknown) once = !b.deliver_one(random);
    };
    b.answer_is_lost = [](const value& c) { return c.as<cancel_delivery>() != nullptr; };
    REQUIRE(b.tell(in_order, 1, value::of(cancel_order{})));
    CHECK_FALSE(once);
    const auto before = b.now;
    crema::testing::drain(b, random);
    if (prepared_first) CHECK(b.now > before);
    const auto* d = b.state<delivery>(in_delivery, std::uint64_t{1});
    REQUIRE(d != nullptr);
    CHECK(d->status == delivery_status::started);
    all_is_well(b, 1, put_in, true);
  }
}

TEST_CASE("breakfast: given two order the last units, then one wins") {
  board b(crema::breakfast::breakfast());
  chance random(1);
  supply put_in;
  open_shop(b, put_in, 1, 3);
  bool second = false;
  b.meanwhile = [&] {
    if (std::exchange(second, true)) return;
    CHECK_FALSE(b.tell(in_order, 2, two()));
  };
  const auto refused = b.tell(in_order, 1, two());
  REQUIRE(refused);
  CHECK(refused->kind == rejection_kind::conflict);
  crema::testing::drain(b, random);
  all_is_well(b, 2, put_in, true);
}

TEST_CASE("breakfast: whatever is ordered, canceled, delivered, changed, stopped and lost, in whatever order, all is well in the end") {
  constexpr std::uint64_t catalogs = 3;
  std::size_t standing = 0, canceled_orders = 0, resumed = 0, taken_back = 0, started_late = 0;
  const bool all_seeds = crema::testing::under_seeds(200, [&](chance& random) {
    board b(crema::breakfast::breakfast());
    const bool auto_ship = !random.one_in(3);
    b.set("autoShip", auto_ship);
    supply put_in;
    open_shop(b, put_in, catalogs, 30);
    std::uint64_t tried = 0;
    const auto something = [&] {
      const auto some = 1 + random.below(tried + 1);
      const auto catalog_id = 1 + random.below(catalogs);
      const auto order = [&] {
        return value::of(place_order{static_cast<std::int64_t>(1 + random.below(6)), static_cast<std::int64_t>(catalog_id),
                                     static_cast<std::int64_t>(1 + random.below(catalogs))});
      };
      switch (random.below(12)) {
        case 0:
        case 1:
        case 2: (void)b.tell(in_order, ++tried, order()); break;
        case 3:
          if (some <= tried) (void)b.tell(in_order, some, order());  // a number that failed may be given again
          break;
        case 4:
        case 5: (void)b.tell(in_order, some, value::of(cancel_order{})); break;
        case 6:
          if (!b.tell(in_order, ++tried, order())) (void)b.tell(in_order, tried, value::of(cancel_order{}));  // at once
          break;
        case 7: (void)b.tell(in_delivery, some, value::of(start_delivery{})); break;
        case 8: (void)b.tell(in_delivery, some, value::of(complete_delivery{})); break;
        case 9: crema::testing::stop_or_start(b, random); break;
        case 10: {
          const auto* c = b.state<catalog>(in_catalog, catalog_id);
          if (c == nullptr) break;
          const auto more = static_cast<std::int64_t>(random.below(10));
          const change_catalog change{"bagel", c->stock + more, 0.5_dec * static_cast<std::int64_t>(random.below(10))};
          if (!b.tell(in_catalog, catalog_id, value::of(change))) put_in[catalog_id] += more;
          break;
        }
        default:
          if (random.one_in(40)) (void)b.tell(in_catalog, catalogs, value::of(remove_catalog{}));
          if (random.one_in(40)) (void)b.tell(in_customer, catalogs, value::of(leave{}));
          break;
      }
    };
    crema::testing::trouble(b, random, something);
    for (int step = 0; step < 80; ++step) {
      something();
      b.deliver_some(random, 4);
      nothing_false_is_shown(b);
    }
    crema::testing::drain(b, random);
    all_is_well(b, tried, put_in, auto_ship);
    for (const auto& [id, o] : b.collection<order>(in_order)) ++(stands(*o) ? standing : canceled_orders);
    resumed += b.recorded<delivery_resumed>().size();
    for (const auto& h : b.recorded<canceled>()) taken_back += h.event.as<canceled>()->voided ? 1 : 0;
    started_late += b.now > crema::testing::feb_2021 ? 1 : 0;
  });
  if (all_seeds) {
    CHECK(standing > 100);
    CHECK(canceled_orders > 100);
    CHECK(resumed > 100);
    CHECK(taken_back > 100);
    CHECK(started_late > 10);
  }
}
