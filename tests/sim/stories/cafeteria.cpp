// The cafeteria: order, payment, drink and sale tell the same story; a ledger's last row is its sale; nothing counts twice.
#include "behaviors/cafeteria/cafeteria.hpp"

#include "behaviors/cafeteria/customercenter.hpp"
#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "behaviors/cafeteria/payment.hpp"
#include "behaviors/cafeteria/sale.hpp"
#include "tests/sim/story.hpp"

namespace crema::sim {

using namespace cafeteria;
using http::method;
using testing::chance;

namespace {

wish next(chance& random, const knowledge& known) {
  const auto order_id = std::to_string(known.some("orders", random));
  switch (random.below(8)) {
    case 0: return {method::patch, "/orders/" + order_id, {{"status", "OrderCanceled"}}};
    case 1: return {method::patch, "/drinks/" + order_id, {{"status", "Receipted"}}};
    case 2: return {method::patch, "/drinks/" + order_id, {{"status", "Made"}}};
    default: break;
  }
  // The product's name is as unlike any other as the request is, so that a second order would show.
  return {method::post,
          "/orders",
          {{"phoneNumber", "010" + std::to_string(random.below(3))},
           {"productName", "coffee " + std::to_string(known.asked)},
           {"qty", 1 + random.below(4)},
           {"amt", random.below(5000)}}};
}

mypage_status shown_of(const order& o, const drink& d) {
  if (o.status == order_status::order_canceled) return mypage_status::order_canceled;
  if (d.status == drink_status::payment_approved) return mypage_status::ordered;
  return d.status == drink_status::receipted ? mypage_status::receipted : mypage_status::made;
}

// Returns what stands, by phone number and month.
std::map<std::string, std::int64_t> check_orders(const final_state& end, findings& found) {
  const auto orders = end.rows<order>("order");
  const auto payments = end.rows<payment>("payment");
  const auto drinks = end.rows<drink>("drink");
  const auto pages = end.view<mypage>("mypage");
  const auto infos = end.view<orderinfo>("orderinfo");
  std::map<std::string, std::int64_t> standing;
  for (const auto* rest : {"payments", "drinks", "mypages", "orderinfos"}) {
    const std::string name(rest);
    const auto size = name == "payments"  ? payments.size()
                      : name == "drinks"  ? drinks.size()
                      : name == "mypages" ? pages.size()
                                          : infos.size();
    found.expect(size == orders.size(), "there are ", orders.size(), " orders, and ", size, " ", rest);
  }
  for (const auto& [id, o] : orders) {
    const bool whole = payments.contains(id) && drinks.contains(id) && pages.contains(id) && infos.contains(id);
    found.expect(whole, "order ", id, " lacks its payment, its drink or a page");
    if (!whole) continue;
    const auto& p = payments.at(id);
    const auto& d = drinks.at(id);
    const bool canceled = o.status == order_status::order_canceled;
    found.expect(canceled == (p.status == payment_status::payment_canceled), "order ", id, " and its payment disagree");
    found.expect(canceled == (d.status == drink_status::drink_canceled), "order ", id, " and its drink disagree");
    found.expect(infos.at(id).status == d.status, "orderinfo ", id, " does not show its drink");
    found.expect(pages.at(id).status == shown_of(o, d), "mypage ", id, " does not show its order");
    found.expect(p.amt == o.amt, "order ", id, " costs ", o.amt, ", paid was ", p.amt);
    if (!canceled) standing[sale_key(p.phone_number, p.yyyymm)] += p.amt;
  }
  for (const auto& [id, p] : payments) found.expect(orders.contains(id), "payment ", id, " is of no order");
  return standing;
}

void check_sales(const final_state& end, std::map<std::string, std::int64_t> standing, findings& found) {
  std::map<std::string, std::int64_t> ledger;
  for (const auto& [id, row] : end.view<sale_page>("salePage")) {
    auto& sum = ledger[sale_key(row.phone_number, row.yyyymm)];
    sum += row.amt;
    found.expect(sum == row.sum_amt, "the ledger's row ", id, " says ", row.sum_amt, ", its rows add up to ", sum);
  }
  for (const auto& [id, s] : end.rows<sale>("sale")) {
    const auto key = sale_key(s.phone_number, s.yyyymm);
    found.expect(s.sum_amt == standing[key], "sale ", key, " is ", s.sum_amt, ", what stands is ", standing[key]);
    found.expect(ledger.contains(key) && ledger[key] == s.sum_amt, "sale ", key, " is not its ledger's last row");
  }
  for (const auto& [key, sum] : standing)
    found.expect(ledger[key] == sum, "the ledger of ", key, " ends with ", ledger[key], ", not ", sum);
}

void check(const final_state& end, findings& found) {
  check_sales(end, check_orders(end, found), found);
  std::map<std::string, int> names;
  for (const auto& [id, o] : end.rows<order>("order")) ++names[o.product_name];
  for (const auto& [name, times] : names) found.expect(times == 1, "'", name, "' was ordered once, and made ", times, " times");
  for (const auto* a : end.granted(method::post, "orders"))
    found.expect(names.contains(a->body["productName"].get<std::string>()), "the order of request ", a->number, " is lost");
}

void furnish(system_settings&, chance&) {}

}  // namespace

story cafeteria_story() { return {"cafeteria", &cafeteria::cafeteria, furnish, {}, next, check}; }

}  // namespace crema::sim
