#include "behaviors/breakfast/views.hpp"

namespace crema::breakfast {

namespace {

void move_on(rows<my_order>& all, const auto& e, const event_meta& m) {
  all.update(m.id, [&](my_order& row) {
    row.delivery_id = static_cast<std::int64_t>(m.id);
    row.status = e.status;
  });
}

// By how much, not to what: an order whose chain is still open has taken stock already, but is not shown before it counts.
void change(rows<catalog_view>& all, const auto& e, const event_meta& m) {
  all.upsert(m.id, [&](catalog_view& row) {
    row.catalog_id = static_cast<std::int64_t>(m.id);
    row.name = e.name;
    row.price = e.price;
    row.stock += e.stock_change;
  });
}

}  // namespace

void apply(rows<my_order>& all, const ordered& e, const event_meta& m) {
  all.put(m.id, {static_cast<std::int64_t>(m.id), e.customer_id, e.catalog_id, e.qty, std::nullopt, e.status});
}

void apply(rows<my_order>& all, const delivery_ordered& e, const event_meta& m) {
  if (e.status == delivery_status::ordered) return move_on(all, e, m);
  all.update(m.id, [&](my_order& row) { row.delivery_id = static_cast<std::int64_t>(m.id); });  // its cancel is not settled yet
}

void apply(rows<my_order>& all, const shipped& e, const event_meta& m) { move_on(all, e, m); }

void apply(rows<my_order>& all, const delivered& e, const event_meta& m) { move_on(all, e, m); }

void apply(rows<my_order>& all, const delivery_canceled& e, const event_meta& m) { move_on(all, e, m); }

void apply(rows<catalog_view>& all, const catalog_registered& e, const event_meta& m) { change(all, e, m); }

void apply(rows<catalog_view>& all, const catalog_changed& e, const event_meta& m) { change(all, e, m); }

void apply(rows<catalog_view>& all, const catalog_removed&, const event_meta& m) { all.erase(m.id); }

// The stock only: a step that counts late still carries the name and the price of its time.
void apply(rows<catalog_view>& all, const stock_changed& e, const event_meta& m) {
  all.update(m.id, [&](catalog_view& row) { row.stock += e.stock_change; });
}

}  // namespace crema::breakfast
