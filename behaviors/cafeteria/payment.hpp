// The payment of one order, under the order's number. It counts the amount as a sale before it stands.
//
// Pure; called by the payment's entity, one message at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/cafeteria/fields.hpp"
#include "behaviors/core/decider.hpp"

namespace crema::cafeteria {
enum class payment_status : std::uint8_t { payment_approved, payment_canceled };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::cafeteria::payment_status>{"PaymentApproved", "PaymentCanceled"};

namespace crema::cafeteria {

// ---- state

struct payment {
  static constexpr std::string_view type_name = "payment";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::int64_t amt = 0;
  timestamp create_time{};
  payment_status status{};
  std::string product_name{};  ///< for the ledger row of a cancel
  std::int64_t qty = 0;
  std::string yyyymm{};  ///< the month in which the sale was counted, and from which a cancel takes it
  bool voided = false;   ///< its order never came to be: it is gone

  static std::vector<field_spec> fields() {
    return {order_id_field<&payment::order_id>(),
            phone_number_field<&payment::phone_number>(),
            amt_field<&payment::amt>(),
            create_time_field<&payment::create_time>(),
            field<&payment::status>("status"),
            product_name_field<&payment::product_name>().hide(),
            qty_field<&payment::qty>().hide(),
            month_field<&payment::yyyymm>().hide(),
            field<&payment::voided>("voided").hide()};
  }
};

// ---- commands

struct approve_payment {
  static constexpr std::string_view type_name = "approve_payment";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t amt = 0;

  static std::vector<field_spec> fields() {
    return {order_id_field<&approve_payment::order_id>(), phone_number_field<&approve_payment::phone_number>(),
            product_name_field<&approve_payment::product_name>(), qty_field<&approve_payment::qty>(), amt_field<&approve_payment::amt>()};
  }
};

/// The order's chain failed after this payment stood: as if it had never been.
struct void_payment {
  static constexpr std::string_view type_name = "void_payment";
  std::int64_t order_id = 0;

  static std::vector<field_spec> fields() { return {order_id_field<&void_payment::order_id>()}; }
};

/// The customer's cancel went through: the payment stays to be seen, as canceled.
struct cancel_payment {
  static constexpr std::string_view type_name = "cancel_payment";
  std::int64_t order_id = 0;

  static std::vector<field_spec> fields() { return {order_id_field<&cancel_payment::order_id>()}; }
};

// ---- events

struct payment_approved {
  static constexpr std::string_view type_name = "PaymentApproved";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t amt = 0;
  std::string yyyymm{};
  timestamp create_time{};
  payment_status status = payment_status::payment_approved;

  static std::vector<field_spec> fields() {
    return {order_id_field<&payment_approved::order_id>(),
            phone_number_field<&payment_approved::phone_number>(),
            product_name_field<&payment_approved::product_name>(),
            qty_field<&payment_approved::qty>(),
            amt_field<&payment_approved::amt>(),
            month_field<&payment_approved::yyyymm>(),
            create_time_field<&payment_approved::create_time>(),
            field<&payment_approved::status>("status")};
  }
};

struct payment_canceled {
  static constexpr std::string_view type_name = "PaymentCanceled";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t amt = 0;
  std::string yyyymm{};
  timestamp create_time{};
  payment_status status{};
  bool voided = false;

  static std::vector<field_spec> fields() {
    return {order_id_field<&payment_canceled::order_id>(),
            phone_number_field<&payment_canceled::phone_number>(),
            product_name_field<&payment_canceled::product_name>(),
            qty_field<&payment_canceled::qty>(),
            amt_field<&payment_canceled::amt>(),
            month_field<&payment_canceled::yyyymm>(),
            create_time_field<&payment_canceled::create_time>(),
            field<&payment_canceled::status>("status"),
            field<&payment_canceled::voided>("voided").hide()};
  }
};

// ---- rules

result<outcome> decide(const payment&, const approve_payment&, const given&);  // nothing → asks count_sale → payment_approved
result<outcome> decide(const payment&, const void_payment&, const given&);     // PaymentApproved → payment_canceled, and gone
result<outcome> decide(const payment&, const cancel_payment&, const given&);   // PaymentApproved → payment_canceled

void evolve(payment&, const payment_approved&);
void evolve(payment&, const payment_canceled&);

bool gone(const payment&);

}  // namespace crema::cafeteria
