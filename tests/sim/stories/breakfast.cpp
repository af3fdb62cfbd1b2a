// The breakfast: what is not in the stock is in orders that stand; each order has its payment and its delivery, in agreement with it.
#include "behaviors/breakfast/breakfast.hpp"

#include "behaviors/breakfast/catalog.hpp"
#include "behaviors/breakfast/customer.hpp"
#include "behaviors/breakfast/delivery.hpp"
#include "behaviors/breakfast/order.hpp"
#include "behaviors/breakfast/pay.hpp"
#include "behaviors/breakfast/views.hpp"
#include "tests/sim/story.hpp"

namespace crema::sim {

using namespace breakfast;
using http::method;
using testing::chance;

namespace {

constexpr std::uint64_t catalogs = 3, customers = 2;
constexpr std::int64_t supplied = 40;  // of each: some orders find too little

std::vector<wish> opening() {
  std::vector<wish> all;
  for (std::uint64_t i = 0; i < catalogs; ++i)
    all.push_back({method::post, "/foodCatalogs", {{"name", "toast"}, {"stock", supplied}, {"price", 0.5}}});
  for (std::uint64_t i = 0; i < customers; ++i) all.push_back({method::post, "/customers", {{"name", "guest"}}});
  return all;
}

wish next(chance& random, const knowledge& known) {
  const auto order_id = std::to_string(known.some("orders", random));
  switch (random.below(12)) {
    case 0:
    case 1: return {method::remove, "/orders/" + order_id};
    case 2: return {method::patch, "/deliveries/" + order_id, {{"status", "Delivery Start"}}};
    case 3: return {method::patch, "/deliveries/" + order_id, {{"status", "Delivery Completed"}}};
    case 4: return {method::patch, "/customers/" + std::to_string(1 + random.below(customers)), {{"phone", "010"}}};
    case 5: return {method::put, "/customers/1", {{"name", "guest"}, {"age", 1 + random.below(90)}}};
    case 6: return {method::patch, "/foodCatalogs/" + std::to_string(1 + random.below(catalogs)), {{"price", 0.5}}};
    default: break;
  }
  return {method::post,
          "/orders",
          {{"qty", 1 + random.below(6)}, {"foodcaltalogid", 1 + random.below(catalogs)}, {"customerid", 1 + random.below(customers + 1)}}};
}

bool stands(const order& o) { return o.status != delivery_status::canceled; }

// Takes what stands from what was supplied.
void check_order(std::uint64_t id, const order& o, const final_state& end, bool auto_ship, findings& found) {
  const auto payed = end.door.get({false, end.system.context_named("pay").index}, id);
  const auto delivered = end.door.get({false, end.system.context_named("delivery").index}, id);
  found.expect(payed && delivered, "order ", id, " lacks its payment or its delivery");
  if (!payed || !delivered) return;
  const auto& p = *payed->row.as<pay>();
  const auto& d = *delivered->row.as<delivery>();
  found.expect(p.qty == o.qty && p.catalog_id == o.catalog_id, "order ", id, " and its payment disagree");
  found.expect(stands(o) == (p.status == pay_status::paid), "order ", id, " and its payment disagree on whether it stands");
  found.expect(stands(o) == (d.status != delivery_status::canceled), "order ", id, " and its delivery disagree on whether it stands");
  if (!stands(o)) return;
  found.expect(o.status == (d.status == delivery_status::ordered ? std::nullopt : std::optional(d.status)), "order ", id,
               " does not show its delivery");
  found.expect(!auto_ship || d.status != delivery_status::ordered, "delivery ", id, " never started");
}

void check_stock(const final_state& end, const std::map<std::uint64_t, order>& orders, findings& found) {
  std::map<std::uint64_t, std::int64_t> left;
  for (const auto* a : end.granted(method::post, "foodCatalogs")) left[number_at_end(a->granted->location)] = supplied;
  for (const auto& [id, o] : orders)
    if (stands(o)) left[static_cast<std::uint64_t>(o.catalog_id)] -= o.qty;
  const auto views = end.view<catalog_view>("foodCatalogView");
  for (const auto& [id, c] : end.rows<catalog>("foodCatalog")) {
    found.expect(c.stock == left[id] && c.stock >= 0, "catalogue ", id, " has ", c.stock, " left, and should have ", left[id]);
    found.expect(views.contains(id) && views.at(id).stock == c.stock, "the view of catalogue ", id, " shows another stock");
  }
}

void check(const final_state& end, findings& found) {
  const bool auto_ship = std::get<bool>(end.settings.at("autoShip"));
  const auto orders = end.rows<order>("order");
  for (const auto& [id, o] : orders) check_order(id, o, end, auto_ship, found);
  check_stock(end, orders, found);
  found.expect(end.rows<pay>("pay").size() == orders.size(), "there are payments of no order");
  found.expect(end.rows<delivery>("delivery").size() == orders.size(), "there are deliveries of no order");
  const auto pages = end.view<my_order>("myOrder");
  found.expect(pages.size() == orders.size(), "there are ", orders.size(), " orders, and ", pages.size(), " are shown");
  for (const auto& [id, o] : orders)
    found.expect(pages.contains(id) && stands(o) == (pages.at(id).status != delivery_status::canceled), "myOrder ", id,
                 " does not show its order");
  for (const auto* a : end.granted(method::remove, "orders"))
    found.expect(!stands(orders.at(number_at_end(a->path))), "request ", a->number, " canceled an order that stands");
}

void furnish(system_settings& settings, chance& random) { settings["autoShip"] = !random.one_in(3); }

}  // namespace

story breakfast_story() { return {"breakfast", &breakfast::breakfast, furnish, opening(), next, check}; }

}  // namespace crema::sim
