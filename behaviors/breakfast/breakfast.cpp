#include "behaviors/breakfast/breakfast.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "behaviors/breakfast/catalog.hpp"
#include "behaviors/breakfast/customer.hpp"
#include "behaviors/breakfast/delivery.hpp"
#include "behaviors/breakfast/order.hpp"
#include "behaviors/breakfast/pay.hpp"
#include "behaviors/breakfast/views.hpp"

namespace crema::breakfast {

system_declaration breakfast() {
  system_builder s("breakfast");
  s.setting({"autoShip", true, "Whether a delivery starts by itself.", 0, 0});
  s.every_event_says("me", true);

  // Their order numbers them on disk: FROZEN, append only.
  s.context<customer>("customer", "customer", "customers")
      .handles<join, replace_customer, change_customer, leave, check_customer>()
      .records<customer_joined, customer_changed, customer_left>()
      .on_create<join>()
      .on_replace<replace_customer>()
      .on_patch<change_customer>()
      .on_remove<leave>()
      .gone_when([](const customer& x) { return gone(x); });

  s.context<catalog>("foodCatalog", "foodCatalog", "foodCatalogs")
      .handles<register_catalog, replace_catalog, change_catalog, remove_catalog, take_stock, give_back_stock>()
      .records<catalog_registered, catalog_changed, catalog_removed, stock_changed>()
      .on_create<register_catalog>()
      .on_replace<replace_catalog>()
      .on_patch<change_catalog>()
      .on_remove<remove_catalog>()
      .gone_when([](const catalog& x) { return gone(x); });

  s.context<order>("order", "order", "orders")
      .handles<place_order, cancel_order, note_delivery>()
      .records<ordered, order_canceled, order_status_changed>()
      .on_create<place_order>()
      .on_remove<cancel_order>()
      .finder("findByCustomerid", &order::customer_id);

  s.context<pay>("pay", "pay", "pays")
      .handles<approve_pay, void_pay, cancel_pay>()
      .records<paid, canceled>()
      .gone_when([](const pay& x) { return gone(x); })
      .finder("findByOrderid", &pay::order_id);

  s.context<delivery>("delivery", "delivery", "deliveries")
      .handles<prepare_delivery, start_delivery, start_if_resumed, complete_delivery, cancel_delivery, resume_delivery>()
      .records<delivery_ordered, shipped, delivered, delivery_canceled, delivery_resumed>()
      .on_status<start_delivery>("Delivery Start")
      .on_status<complete_delivery>("Delivery Completed")
      .gone_when([](const delivery& x) { return gone(x); })
      .finder("findByOrderId", &delivery::order_id);

  // Who talks to whom. (order asks customer, foodCatalog, pay; its cancel asks delivery: in its decider.)
  s.whenever<ordered>().tell<prepare_delivery>([](const ordered&) { return prepare_delivery{}; });
  s.whenever<shipped>().tell<note_delivery>([](const shipped& e) { return note_delivery{e.status}; });
  s.whenever<delivered>().tell<note_delivery>([](const delivered& e) { return note_delivery{e.status}; });

  s.whenever<delivery_canceled>().tell<cancel_pay>([](const delivery_canceled&) { return cancel_pay{}; });
  s.whenever<canceled>().tell<give_back_stock>(
      [](const canceled& e) { return e.voided ? std::nullopt : std::optional(give_back_stock{e.qty}); },
      [](const canceled& e) { return static_cast<std::uint64_t>(e.catalog_id); });

  // What people look at. Numbered like the contexts: FROZEN, append only.
  s.view<my_order>("customer", "myOrder", "myOrders")
      .takes<ordered, delivery_ordered, shipped, delivered, delivery_canceled>()
      .finder("findByCustomerid", &my_order::customer_id);

  s.view<catalog_view>("foodCatalog", "foodCatalogView", "foodCatalogViews")
      .takes<catalog_registered, catalog_changed, catalog_removed, stock_changed>()
      .finder("findByName", &catalog_view::name);

  return std::move(s).build();
}

}  // namespace crema::breakfast
