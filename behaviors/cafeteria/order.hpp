// The order: what a customer asked for. It is recorded only once it is paid; its cancel is a saga that may fail later.
//
// Pure; called by the order's entity, one message at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/cafeteria/fields.hpp"
#include "behaviors/core/decider.hpp"

namespace crema::cafeteria {
enum class order_status : std::uint8_t { ordered, order_canceled };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::cafeteria::order_status>{"Ordered", "OrderCanceled"};

namespace crema::cafeteria {

// ---- state

struct order {
  static constexpr std::string_view type_name = "order";
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t amt = 0;
  timestamp create_time{};
  order_status status{};
  std::int64_t cancel_attempt = 0;  ///< how often a cancel was begun: tells a late answer to an earlier attempt from the present one

  static std::vector<field_spec> fields() {
    return {phone_number_field<&order::phone_number>(),
            product_name_field<&order::product_name>(),
            qty_field<&order::qty>(),
            amt_field<&order::amt>(),
            create_time_field<&order::create_time>(),
            field<&order::status>("status"),
            field<&order::cancel_attempt>("cancelAttempt").hide()};
  }
};

// ---- commands

struct place_order {
  static constexpr std::string_view type_name = "place_order";
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t amt = 0;

  static std::vector<field_spec> fields() {
    return {phone_number_field<&place_order::phone_number>(), product_name_field<&place_order::product_name>(),
            qty_field<&place_order::qty>(), amt_field<&place_order::amt>()};
  }
};

struct cancel_order {
  static constexpr std::string_view type_name = "cancel_order";
  static std::vector<field_spec> fields() { return {}; }
};

struct revert_cancel {
  static constexpr std::string_view type_name = "revert_cancel";
  std::int64_t order_id = 0;
  std::int64_t cancel_attempt = 0;

  static std::vector<field_spec> fields() {
    return {order_id_field<&revert_cancel::order_id>(), field<&revert_cancel::cancel_attempt>("cancelAttempt").hide()};
  }
};

// ---- events. Each carries the order as it then is: the event feed shows it whole.

struct ordered {
  static constexpr std::string_view type_name = "Ordered";
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t amt = 0;
  timestamp create_time{};
  order_status status = order_status::ordered;

  static std::vector<field_spec> fields() {
    return {phone_number_field<&ordered::phone_number>(),
            product_name_field<&ordered::product_name>(),
            qty_field<&ordered::qty>(),
            amt_field<&ordered::amt>(),
            create_time_field<&ordered::create_time>(),
            field<&ordered::status>("status")};
  }
};

struct order_canceled {
  static constexpr std::string_view type_name = "OrderCanceled";
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t amt = 0;
  timestamp create_time{};
  order_status status{};
  std::int64_t cancel_attempt = 0;

  static std::vector<field_spec> fields() {
    return {phone_number_field<&order_canceled::phone_number>(),
            product_name_field<&order_canceled::product_name>(),
            qty_field<&order_canceled::qty>(),
            amt_field<&order_canceled::amt>(),
            create_time_field<&order_canceled::create_time>(),
            field<&order_canceled::status>("status"),
            field<&order_canceled::cancel_attempt>("cancelAttempt").hide()};
  }
};

struct order_cancel_reverted {
  static constexpr std::string_view type_name = "OrderCancelReverted";
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t amt = 0;
  timestamp create_time{};
  order_status status{};

  static std::vector<field_spec> fields() {
    return {phone_number_field<&order_cancel_reverted::phone_number>(),
            product_name_field<&order_cancel_reverted::product_name>(),
            qty_field<&order_cancel_reverted::qty>(),
            amt_field<&order_cancel_reverted::amt>(),
            create_time_field<&order_cancel_reverted::create_time>(),
            field<&order_cancel_reverted::status>("status")};
  }
};

// ---- rules

result<outcome> decide(const order&, const place_order&, const given&);    // nothing → asks approve_payment → ordered
result<outcome> decide(const order&, const cancel_order&, const given&);   // Ordered → order_canceled; OrderCanceled → nothing changes
result<outcome> decide(const order&, const revert_cancel&, const given&);  // OrderCanceled by that attempt → order_cancel_reverted

void evolve(order&, const ordered&);
void evolve(order&, const order_canceled&);
void evolve(order&, const order_cancel_reverted&);

}  // namespace crema::cafeteria
