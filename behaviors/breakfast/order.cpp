#include "behaviors/breakfast/order.hpp"

#include "behaviors/breakfast/catalog.hpp"
#include "behaviors/breakfast/customer.hpp"
#include "behaviors/breakfast/pay.hpp"

namespace crema::breakfast {

result<outcome> decide(const order&, const place_order& c, const given& g) {
  if (g.exists) return rejection::conflict("This order has been placed already.");
  if (!g.reply<customer_joined>()) return ask(check_customer{}).at(static_cast<std::uint64_t>(c.customer_id));
  const auto* stock = g.reply<stock_changed>();
  if (stock == nullptr) return ask(take_stock{c.qty}).at(static_cast<std::uint64_t>(c.catalog_id)).undone_by(give_back_stock{c.qty});
  if (!g.reply<paid>()) return ask(approve_pay{c.qty, stock->price * c.qty, c.catalog_id}).undone_by(void_pay{});
  return record_event(ordered{{c.qty, c.catalog_id, c.customer_id, std::nullopt}});
}

result<outcome> decide(const order& s, const cancel_order&, const given& g) {
  if (!g.exists) return rejection::not_found("There is no such order.");
  if (s.status == delivery_status::canceled) return nothing();
  if (!g.reply<delivery_canceled>()) return ask(cancel_delivery{}).undone_by(resume_delivery{});
  return record_event(order_canceled{{s.qty, s.catalog_id, s.customer_id, delivery_status::canceled}});
}

result<outcome> decide(const order& s, const note_delivery& c, const given& g) {
  if (!g.exists || s.status == delivery_status::canceled || s.status == c.status) return nothing();
  return record_event(order_status_changed{{s.qty, s.catalog_id, s.customer_id, c.status}});
}

void evolve(order& s, const ordered& e) { s = {e}; }

void evolve(order& s, const order_canceled& e) { s = {e}; }

void evolve(order& s, const order_status_changed& e) { s = {e}; }

}  // namespace crema::breakfast
