// The payment of one order, under the order's number: a step of the order's chain, taken back when the order is canceled.
//
// Pure; called by the payment's entity, one message at a time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "behaviors/breakfast/fields.hpp"
#include "behaviors/core/decider.hpp"

namespace crema::breakfast {
enum class pay_status : std::uint8_t { paid, canceled };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::breakfast::pay_status>{"Paid", "Order Canceled-payment"};

namespace crema::breakfast {

struct pay_facts {
  std::int64_t order_id = 0;
  std::int64_t qty = 0;
  decimal amount{};
  pay_status status{};
  std::int64_t catalog_id = 0;  ///< where the stock goes back to
  bool voided = false;          ///< of an order that failed: not in the collection

  static std::vector<field_spec> fields() {
    return {field<&pay_facts::order_id>("orderid").means("The number of the order."),
            field<&pay_facts::qty>("amout").means("The quantity paid for."),
            field<&pay_facts::amount>("amount").means("Quantity times price."),
            field<&pay_facts::status>("status"),
            field<&pay_facts::catalog_id>("foodcaltalogid").hide(),
            field<&pay_facts::voided>("voided").hide()};
  }
};

// ---- state

struct pay : pay_facts {
  static constexpr std::string_view type_name = "pay";
};

// ---- commands

struct approve_pay {
  static constexpr std::string_view type_name = "approve_pay";
  std::int64_t qty = 0;
  decimal amount{};
  std::int64_t catalog_id = 0;

  static std::vector<field_spec> fields() {
    return {qty_field<&approve_pay::qty>(), field<&approve_pay::amount>("amount"), catalog_id_field<&approve_pay::catalog_id>()};
  }
};

/// Takes back the payment of an order that failed.
struct void_pay {
  static constexpr std::string_view type_name = "void_pay";
  static std::vector<field_spec> fields() { return {}; }
};

struct cancel_pay {
  static constexpr std::string_view type_name = "cancel_pay";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct paid : pay_facts {
  static constexpr std::string_view type_name = "Paid";
};

struct canceled : pay_facts {
  static constexpr std::string_view type_name = "Cancelled";
};

// ---- rules

result<outcome> decide(const pay&, const approve_pay&, const given&);  // nothing → paid
result<outcome> decide(const pay&, const void_pay&, const given&);     // Paid → canceled, as if it had never been
result<outcome> decide(const pay&, const cancel_pay&, const given&);   // Paid → canceled

void evolve(pay&, const paid&);
void evolve(pay&, const canceled&);

bool gone(const pay&);

}  // namespace crema::breakfast
