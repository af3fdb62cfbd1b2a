// The order: recorded once the customer is known, the stock is taken and it is paid. Its status is what the delivery reports.
//
// Pure; called by the order's entity, one message at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "behaviors/breakfast/delivery.hpp"
#include "behaviors/breakfast/fields.hpp"
#include "behaviors/core/decider.hpp"

namespace crema::breakfast {

struct order_facts {
  std::int64_t qty = 0;
  std::int64_t catalog_id = 0;
  std::int64_t customer_id = 0;
  std::optional<delivery_status> status{};  ///< none until the delivery reports

  static std::vector<field_spec> fields() {
    return {qty_field<&order_facts::qty>(), catalog_id_field<&order_facts::catalog_id>(), customer_id_field<&order_facts::customer_id>(),
            field<&order_facts::status>("status").means("What the delivery reported last.")};
  }
};

// ---- state

struct order : order_facts {
  static constexpr std::string_view type_name = "order";
};

// ---- commands

struct place_order {
  static constexpr std::string_view type_name = "place_order";
  std::int64_t qty = 0;
  std::int64_t catalog_id = 0;
  std::int64_t customer_id = 0;

  static std::vector<field_spec> fields() {
    return {qty_field<&place_order::qty>(), catalog_id_field<&place_order::catalog_id>(), customer_id_field<&place_order::customer_id>()};
  }
};

struct cancel_order {
  static constexpr std::string_view type_name = "cancel_order";
  static std::vector<field_spec> fields() { return {}; }
};

/// The delivery has come so far.
struct note_delivery {
  static constexpr std::string_view type_name = "note_delivery";
  delivery_status status{};

  static std::vector<field_spec> fields() { return {field<&note_delivery::status>("status")}; }
};

// ---- events

struct ordered : order_facts {
  static constexpr std::string_view type_name = "Ordered";
};

struct order_canceled : order_facts {
  static constexpr std::string_view type_name = "OrderCancelled";
};

struct order_status_changed : order_facts {
  static constexpr std::string_view type_name = "OrderStatusChanged";
};

// ---- rules

result<outcome> decide(const order&, const place_order&, const given&);    // nothing → asks customer, catalogue, pay → ordered
result<outcome> decide(const order&, const cancel_order&, const given&);   // not canceled → asks the delivery → order_canceled
result<outcome> decide(const order&, const note_delivery&, const given&);  // not canceled → order_status_changed

void evolve(order&, const ordered&);
void evolve(order&, const order_canceled&);
void evolve(order&, const order_status_changed&);

}  // namespace crema::breakfast
