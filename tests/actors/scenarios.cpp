#include "tests/actors/scenarios.hpp"

namespace crema::testing {

std::int64_t count_ok(const answers& all) {
  std::int64_t n = 0;
  for (const auto& p : all) n += p->ok() ? 1 : 0;
  return n;
}

void check_cafeteria(stepped_node& n) {
  using namespace cafeteria;
  const auto orders = all_rows<order>(n, "order");
  const auto payments = all_rows<payment>(n, "payment");
  const auto drinks = all_rows<drink>(n, "drink");
  const auto sales = all_rows<sale>(n, "sale");
  CHECK(payments.size() == orders.size());
  CHECK(drinks.size() == orders.size());
  std::map<std::string, std::int64_t> standing;
  for (const auto& [id, o] : orders) {
    CAPTURE(id);
    const bool canceled = o.status == order_status::order_canceled;
    REQUIRE(payments.contains(id));
    REQUIRE(drinks.contains(id));
    CHECK((payments.at(id).status == payment_status::payment_canceled) == canceled);
    CHECK((drinks.at(id).status == drink_status::drink_canceled) == canceled);
    standing[o.phone_number] += canceled ? 0 : o.amt;
  }
  CHECK(sales.size() == standing.size());
  for (const auto& [id, s] : sales) CHECK(s.sum_amt == standing[s.phone_number]);
}

scenario place_orders() {
  return {"place orders", cafeteria::cafeteria, [](stepped_node& n) { n.settle(); },
          [](stepped_node& n) {
            return answers{n.send("order", {}, cafeteria::place_order{"01012345679", "coffee", 2, 1000}),
                           n.send("order", {}, cafeteria::place_order{"01012345679", "tea", 1, 500})};
          },
          [](stepped_node& n, const answers& all) {
            check_cafeteria(n);
            CHECK(all_rows<cafeteria::order>(n, "order").size() == static_cast<std::size_t>(count_ok(all)));
          }};
}

scenario cancel_orders() {
  return {"cancel orders", cafeteria::cafeteria,
          [](stepped_node& n) {
            n.settle();
            for (int i = 0; i < 2; ++i) REQUIRE_FALSE(n.ask("order", {}, cafeteria::place_order{"01012345679", "coffee", 2, 1000}).refused);
            REQUIRE_FALSE(n.ask("drink", 2, cafeteria::receipt_drink{}).refused);
          },
          [](stepped_node& n) {
            return answers{n.send("order", 1, cafeteria::cancel_order{}), n.send("order", 2, cafeteria::cancel_order{})};
          },
          [](stepped_node& n, const answers& all) {
            check_cafeteria(n);
            const auto first = n.row<cafeteria::order>("order", 1);
            CHECK((first->status == cafeteria::order_status::order_canceled) == all[0]->ok());
            CHECK(n.row<cafeteria::order>("order", 2)->status == cafeteria::order_status::ordered);  // it was begun: no cancel
          }};
}

std::shared_ptr<stepped_node::pending> begin_exchange(stepped_node& n) {
  n.settle();
  REQUIRE_FALSE(n.ask("mission", {}, rewards::achieve_mission{1, rewards::mission_status::achieved}).refused);
  return n.send("wallet", 1, rewards::exchange_wallet{});
}

void check_exchange(stepped_node& n) {
  const bool exchanged = n.row<rewards::wallet>("wallet", 1)->status == rewards::wallet_status::exchanged;
  CHECK(n.row<rewards::gift>("gift", 1).has_value() == exchanged);
  check_at_rest(n);
}

void settle_in_any_order(stepped_node& n, chance& random) {
  for (auto& jobs = n.coordinator().jobs; !jobs.empty() || n.commit();) {
    if (jobs.empty() || (random.one_in(5) && n.commit())) continue;
    std::swap(jobs.front(), jobs[random.below(jobs.size())]);
    n.coordinator().run_once();
  }
}

void check_accounts(stepped_node& n) {
  std::int64_t booked_sum = 0;
  for (const auto& [id, a] : all_rows<account>(n, "account")) {
    CAPTURE(id);
    booked_sum += a.booked;
    const auto s = n.row<shadow>("shadow", id);
    CHECK(s.has_value());
    if (s) CHECK(s->sum == a.balance);
    std::string told;  // of what the account did, the shadow is told in the same order
    for (std::size_t at = 0, end = 0; (end = a.tags.find(',', at)) != std::string::npos; at = end + 1) {
      const auto tag = a.tags.substr(at, end - at);
      if (tag[0] != '(' && tag[0] != '!' && tag.rfind("ring", 0) != 0) told += tag + ",";
    }
    if (s) CHECK(s->tags == told);
    CHECK(n.view_row<statement>(0, id)->sum == a.balance);
  }
  std::int64_t held = 0;
  for (const auto& [id, l] : all_rows<ledger>(n, "ledger")) held += l.sum;
  CHECK(held == booked_sum);
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

scenario account_mix() {
  return {"accounts", test_system,
          [](stepped_node& n) {
            n.settle();
            REQUIRE_FALSE(n.ask("account", {}, deposit{100, "open"}).refused);
          },
          [](stepped_node& n) {
            return answers{n.send("account", 1, deposit{5, "d"}), n.send("account", 1, transfer{7, "t", "one"}),
                           n.send("account", 1, transfer{9, "u", "two"}), n.send("account", 1, remind_later{3, "ring"}),
                           n.send("account", {}, deposit{11, "e"})};
          },
          [](stepped_node& n, const answers& all) {
            check_accounts(n);
            const auto a = n.row<account>("account", 1);
            REQUIRE(a.has_value());
            const char* const tags[] = {"d,", "t,", "u,", "(ring),"};
            const std::int64_t amounts[] = {5, 7, 9, 0};
            std::int64_t balance = 100;
            for (std::size_t i = 0; i < 4; ++i) {
              CAPTURE(tags[i]);
              CHECK(times(a->tags, tags[i]) == (all[i]->ok() ? 1U : 0U));
              balance += all[i]->ok() ? amounts[i] : 0;
            }
            CHECK(a->balance == balance);
            CHECK(times(a->tags, ",ring,") == (all[3]->ok() ? 1U : 0U));
            CHECK(all_rows<account>(n, "account").size() == (all[4]->ok() ? 2U : 1U));
          }};
}

std::vector<scenario> all_scenarios() { return {place_orders(), cancel_orders(), account_mix()}; }

actors::runtime_settings few_partitions() {
  actors::runtime_settings s;
  s.partitions = 2;
  return s;
}

actors::runtime_settings lanes_one_by_one() {
  auto s = few_partitions();
  s.batch_items_max = 1;
  return s;
}

}  // namespace crema::testing
