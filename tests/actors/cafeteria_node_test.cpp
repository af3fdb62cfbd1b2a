// The cafeteria on a whole node in virtual time: chains, sagas, stopped contexts, crashes between any two steps.
#include "behaviors/cafeteria/cafeteria.hpp"

#include "behaviors/cafeteria/customercenter.hpp"
#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "behaviors/cafeteria/payment.hpp"
#include "behaviors/cafeteria/sale.hpp"
#include "storage/filtered/filtered_store.hpp"
#include "storage/wrapping_store.hpp"
#include "tests/actors/stepped_node.hpp"

using namespace crema;
using namespace crema::cafeteria;
using crema::testing::stepped_node;
using std::chrono::milliseconds;

namespace {

constexpr std::uint16_t mypages = 0, orderinfos = 1, sale_pages = 2;

place_order coffee(std::int64_t amt = 1000) { return {"01012345679", "coffee", 2, amt}; }

actors::runtime_settings slowed(milliseconds payment, milliseconds time_limit) {
  actors::runtime_settings s;
  s.contexts["payment"].slow_min = s.contexts["payment"].slow_max = payment;
  s.contexts["payment"].bulkhead.call_timeout = time_limit;
  return s;
}

// How often the index is looked into, as it is found through snapshots.
class counts_looks final : public storage::wrapping_store {
 public:
  using wrapping_store::wrapping_store;
  std::unique_ptr<storage::snapshot> read() const override { return std::make_unique<counting>(below_->read(), looks); }

  mutable int looks = 0;

 private:
  class counting final : public storage::snapshot {
   public:
    counting(std::unique_ptr<storage::snapshot> below, int& looks) : below_(std::move(below)), looks_(looks) {}
    std::optional<std::string_view> get(storage::table t, std::string_view key) const override { return note(t), below_->get(t, key); }
    std::unique_ptr<storage::cursor> open(storage::table t) const override { return note(t), below_->open(t); }
    std::uint64_t count(storage::table t) const override { return below_->count(t); }

   private:
    void note(storage::table t) const { looks_ += t == storage::table::index ? 1 : 0; }
    const std::unique_ptr<storage::snapshot> below_;
    int& looks_;
  };
};

}  // namespace

TEST_CASE("node: given a filter of the index, when a customer orders who is new, then nobody looks into the index") {
  const auto counted = std::make_shared<counts_looks>(storage::make_memory_store());
  stepped_node n(crema::cafeteria::cafeteria(), {}, storage::make_filtered_store(counted, 65536, storage::learning::at_opening));
  n.settle();
  counted->looks = 0;
  for (int i = 0; i < 20; ++i) REQUIRE_FALSE(n.ask("order", {}, place_order{"0101234567" + std::to_string(i), "coffee", 1, 1000}).refused);
  CHECK(n.rows_in(storage::table::views) == 60);
  CHECK(counted->looks == 0);
  n.crash();  // what was known of customers is forgotten
  n.settle();
  counted->looks = 0;
  REQUIRE_FALSE(n.ask("order", {}, place_order{"01012345670", "coffee", 1, 1000}).refused);
  CHECK(n.row<sale>("sale", 1)->sum_amt == 2000);
  CHECK(counted->looks > 0);
}

TEST_CASE("node: given a fresh one, when an order is placed, then order, payment, sale, drink and views are there and nothing waits") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  const auto a = n.ask("order", {}, coffee());
  REQUIRE_FALSE(a.refused);
  CHECK(a.resource.id == 1);
  CHECK(n.row<order>("order", 1)->status == order_status::ordered);
  CHECK(n.row<payment>("payment", 1)->status == payment_status::payment_approved);
  CHECK(n.row<sale>("sale", 1)->sum_amt == 1000);
  CHECK(n.row<drink>("drink", 1)->status == drink_status::payment_approved);
  CHECK(n.view_row<mypage>(mypages, 1)->status == mypage_status::ordered);
  CHECK(n.view_row<orderinfo>(orderinfos, 1).has_value());
  CHECK(n.view_row<sale_page>(sale_pages, 1)->sum_amt == 1000);
  REQUIRE(n.sink->delivered.size() == 1);
  CHECK(n.sink->delivered[0].to == "01012345679");
  CHECK(n.rows_in(storage::table::outbox) == 0);
}

TEST_CASE("node: given an order placed, when nothing was committed yet, then nobody has an answer") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  const auto p = n.send("order", {}, coffee());
  n.run_actors();
  CHECK_FALSE(p->done());
  CHECK_FALSE(n.row<order>("order", 1));
  n.commit();
  CHECK(p->done());
  CHECK(n.row<order>("order", 1).has_value());
}

TEST_CASE("node: given an order that was not committed, when the node crashes, then nothing of it is left and the number is used again") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  (void)n.send("order", {}, coffee());
  n.run_actors();
  n.crash();
  n.settle();
  CHECK(n.event_names().empty());
  CHECK(n.ask("order", {}, coffee()).resource.id == 1);
}

TEST_CASE("node: given a standing order, when it is canceled, then drink, payment and sale follow, and twice is once") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  (void)n.ask("order", {}, coffee());
  const auto a = n.ask("order", 1, cancel_order{});
  REQUIRE_FALSE(a.refused);
  CHECK(n.row<order>("order", 1)->status == order_status::order_canceled);
  CHECK(n.row<drink>("drink", 1)->status == drink_status::drink_canceled);
  CHECK(n.row<payment>("payment", 1)->status == payment_status::payment_canceled);
  CHECK(n.row<sale>("sale", 1)->sum_amt == 0);
  CHECK(n.view_row<sale_page>(sale_pages, 2)->sum_amt == 0);
  const auto events = n.event_names().size();
  CHECK_FALSE(n.ask("order", 1, cancel_order{}).refused);
  CHECK(n.event_names().size() == events);
}

TEST_CASE("node: given a receipted drink, when the order is canceled, then the cancel is taken back and the customer is told") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  (void)n.ask("order", {}, coffee());
  (void)n.ask("drink", 1, receipt_drink{});
  (void)n.ask("order", 1, cancel_order{});
  CHECK(n.row<order>("order", 1)->status == order_status::ordered);
  CHECK(n.row<payment>("payment", 1)->status == payment_status::payment_approved);
  CHECK(n.row<sale>("sale", 1)->sum_amt == 1000);
  CHECK(n.view_row<mypage>(mypages, 1)->status == mypage_status::receipted);
  CHECK(n.sink->delivered.back().text == "Your Order is already started. You cannot cancel!!");
}

TEST_CASE("node: given a stopped sale, when an order is placed, then it is refused at once and nothing is kept; started again, it works") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  n.switch_context("sale", false);
  const auto a = n.ask("order", {}, coffee());
  REQUIRE(a.refused);
  CHECK(a.refused->kind == rejection_kind::stopped);
  CHECK(n.event_names().empty());
  n.switch_context("sale", true);
  CHECK_FALSE(n.ask("order", {}, coffee()).refused);
  CHECK(n.row<sale>("sale", 1)->sum_amt == 1000);
}

TEST_CASE(
    "node: given a stopped drink, when orders are placed and one is canceled, then all is settled when it comes back, also across a "
    "crash") {
  for (const bool crashed : {false, true}) {
    stepped_node n(crema::cafeteria::cafeteria());
    n.settle();
    n.switch_context("drink", false);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(n.ask("order", {}, coffee()).refused);
    CHECK_FALSE(n.ask("order", 2, cancel_order{}).refused);
    CHECK_FALSE(n.row<drink>("drink", 1));
    CHECK(n.rows_in(storage::table::outbox) > 0);
    if (crashed)
      n.crash();
    else
      n.switch_context("drink", true);
    n.settle();
    CHECK(n.row<drink>("drink", 1)->status == drink_status::payment_approved);
    CHECK(n.row<drink>("drink", 2)->status == drink_status::drink_canceled);
    CHECK(n.row<payment>("payment", 2)->status == payment_status::payment_canceled);
    CHECK(n.row<sale>("sale", 1)->sum_amt == 2000);
    CHECK(n.rows_in(storage::table::outbox) == 0);
  }
}

TEST_CASE("node: given a slow payment, when it answers within its time, then the order stands; else 504 and nothing is kept") {
  SECTION("in time") {
    stepped_node n(crema::cafeteria::cafeteria(), slowed(milliseconds(600), milliseconds(610)));
    n.settle();
    const auto p = n.send("order", {}, coffee());
    n.advance(milliseconds(605));
    REQUIRE(p->done());
    CHECK_FALSE(p->answer->refused);
  }
  SECTION("too late") {
    stepped_node n(crema::cafeteria::cafeteria(), slowed(milliseconds(700), milliseconds(610)));
    n.settle();
    const auto p = n.send("order", {}, coffee());
    n.advance(milliseconds(620));
    REQUIRE(p->done());
    REQUIRE(p->answer->refused);
    CHECK(p->answer->refused->kind == rejection_kind::timed_out);
    n.advance(milliseconds(2000));
    CHECK(n.event_names().empty());
    CHECK(n.rows_in(storage::table::outbox) == 0);
  }
}

TEST_CASE("node: given a sale that answers after its asker gave up, then the step undoes itself and no view shows it") {
  // The sale is slow, the payment's patience with it is longer than the order's with the payment: the sale counts, the payment is
  // approved, and by then the order has given up.
  actors::runtime_settings s;
  s.contexts["sale"].slow_min = s.contexts["sale"].slow_max = milliseconds(100);
  s.contexts["payment"].bulkhead.call_timeout = milliseconds(50);
  stepped_node n(crema::cafeteria::cafeteria(), s);
  n.settle();
  const auto p = n.send("order", {}, coffee());
  n.advance(milliseconds(1000));
  REQUIRE(p->done());
  CHECK(p->answer->refused->kind == rejection_kind::timed_out);
  CHECK_FALSE(n.row<order>("order", 1));
  CHECK_FALSE(n.row<payment>("payment", 1));
  CHECK_FALSE(n.row<sale>("sale", 1));
  CHECK_FALSE(n.row<drink>("drink", 1));
  CHECK_FALSE(n.view_row<sale_page>(sale_pages, 1));
  CHECK(n.sink->delivered.empty());
  CHECK(n.rows_in(storage::table::outbox) == 0);
}

TEST_CASE("node: given a chain cut by a crash after each commit, then the customer finds the whole order or none") {
  for (int commits = 0; commits < 6; ++commits) {
    actors::runtime_settings s;
    s.batch_items_max = 1;  // every step its own commit: a crash can fall between any two of a chain
    stepped_node n(crema::cafeteria::cafeteria(), s);
    n.settle();
    const auto p = n.send("order", {}, coffee());
    n.run_actors();
    for (int i = 0; i < commits; ++i) n.commit();
    const bool answered = p->done();
    n.crash();
    n.settle();
    CAPTURE(commits, answered);
    const bool whole = n.row<order>("order", 1).has_value();
    if (answered) CHECK(whole);
    CHECK(n.row<payment>("payment", 1).has_value() == whole);
    CHECK(n.row<sale>("sale", 1).has_value() == whole);
    CHECK(n.row<drink>("drink", 1).has_value() == whole);
    CHECK(n.view_row<mypage>(mypages, 1).has_value() == whole);
    CHECK(n.view_row<sale_page>(sale_pages, 1).has_value() == whole);
    CHECK(n.rows_in(storage::table::outbox) == 0);
    CHECK(n.node().ready());
    CHECK(n.ask("order", {}, coffee()).resource.id > (whole ? 1U : 0U));
  }
}

TEST_CASE("node: given an idempotency key, when the request comes again, also after a crash, then the first answer is given again") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  idempotency_key key;
  key.key.fill(7);
  key.fingerprint = 42;
  const auto first = n.ask("order", {}, coffee(), key);
  const auto again = n.ask("order", {}, coffee(), key);
  CHECK(again.resource.id == first.resource.id);
  CHECK(again.replayed);
  n.crash();
  n.settle();
  CHECK(n.ask("order", {}, coffee(), key).resource.id == first.resource.id);
  auto other = key;
  other.fingerprint = 43;
  CHECK(n.ask("order", {}, coffee(), other).refused->kind == rejection_kind::invalid);
  CHECK_FALSE(n.row<order>("order", 2));
}

TEST_CASE("node: given two requests with one key at the same time, then there is one order and two equal answers") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  idempotency_key key;
  key.key.fill(7);
  const auto a = n.send("order", {}, coffee(), key);
  const auto b = n.send("order", {}, coffee(), key);
  n.settle();
  REQUIRE(a->done());
  REQUIRE(b->done());
  CHECK(a->answer->resource.id == b->answer->resource.id);
  CHECK_FALSE(n.row<order>("order", 2));
}

TEST_CASE("node: given idle aggregates, when time passes, then they sleep, and wake with their state") {
  actors::runtime_settings s;
  s.idle = milliseconds(1000);
  stepped_node n(crema::cafeteria::cafeteria(), s);
  n.settle();
  (void)n.ask("order", {}, coffee());
  CHECK(n.node().inside().shared->awake > 0);
  n.advance(milliseconds(2500));
  CHECK(n.node().inside().shared->awake == 0);
  CHECK_FALSE(n.ask("order", 1, cancel_order{}).refused);
  CHECK(n.row<sale>("sale", 1)->sum_amt == 0);
}

TEST_CASE("node: given more aggregates than may be awake, when orders come, then the oldest sleep and nothing is lost") {
  actors::runtime_settings s;
  s.awake_max = 128;  // more than twice the partitions: each keeps its latest one
  stepped_node n(crema::cafeteria::cafeteria(), s);
  n.settle();
  for (int i = 0; i < 200; ++i) CHECK_FALSE(n.ask("order", {}, coffee(1)).refused);
  CHECK(n.shared().awake <= 192);
  n.advance(milliseconds(1000));
  CHECK(n.shared().awake <= 128);
  CHECK(n.row<sale>("sale", 1)->sum_amt == 200);
}

TEST_CASE("node: given a stale version, when a command comes with it, then it is refused and the present one is named") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  (void)n.ask("order", {}, coffee());
  const auto p = n.send("order", 1, cancel_order{}, {}, 9);
  n.settle();
  CHECK(p->answer->refused->kind == rejection_kind::stale);
  const auto q = n.send("order", 1, cancel_order{}, {}, 1);
  n.settle();
  CHECK_FALSE(q->answer->refused);
}

TEST_CASE("node: given a failing notification, when time passes, then it is tried again under the same id") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.sink->failures_left = 2;
  n.settle();
  (void)n.ask("order", {}, coffee());
  CHECK(n.sink->delivered.empty());
  n.advance(milliseconds(3000));
  REQUIRE(n.sink->delivered.size() == 1);
  CHECK(n.rows_in(storage::table::outbox) == 0);
}

TEST_CASE("node: given a stopped customercenter, when orders come, then views and notifications are complete after its start") {
  stepped_node n(crema::cafeteria::cafeteria());
  n.settle();
  n.switch_context("customercenter", false);
  for (int i = 0; i < 3; ++i) (void)n.ask("order", {}, coffee());
  CHECK_FALSE(n.view_row<mypage>(mypages, 1));
  CHECK(n.sink->delivered.empty());
  n.switch_context("customercenter", true);
  n.settle();
  for (std::uint64_t id = 1; id <= 3; ++id) CHECK(n.view_row<mypage>(mypages, id).has_value());
  CHECK(n.view_row<sale_page>(sale_pages, 3)->sum_amt == 3000);
  CHECK(n.sink->delivered.size() == 3);
}
