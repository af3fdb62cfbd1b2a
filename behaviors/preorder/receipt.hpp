// The receipt of a payment, with the day on which the phone is expected. Under the reservation's number.
//
// Pure; called by the receipt's entity, one message at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/preorder/fields.hpp"

namespace crema::preorder {
enum class receipt_status : std::uint8_t { issued, cancelled };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::preorder::receipt_status>{"issued", "receipt_cancelled"};

namespace crema::preorder {

/// From the payment to the delivery: calendar days, which in UTC are all of one length.
inline constexpr std::chrono::days delivery_time{21};

struct receipt_facts {
  std::int64_t payment_id = 0;
  std::int64_t reservation_id = 0;
  std::int64_t user_id = 0;
  std::optional<std::int64_t> product_id{};
  std::optional<std::string> product_name{};
  std::optional<std::int64_t> price{};
  receipt_status status{};
  timestamp expected_delivery_at{};
  timestamp created_at{};
  timestamp modified_at{};

  static std::vector<field_spec> fields() {
    return {field<&receipt_facts::payment_id>("paidId").at_least(1).means("The number of the payment."),
            reservation_id_field<&receipt_facts::reservation_id>(),
            user_id_field<&receipt_facts::user_id>(),
            product_id_field<&receipt_facts::product_id>(),
            product_name_field<&receipt_facts::product_name>(),
            price_field<&receipt_facts::price>(),
            field<&receipt_facts::status>("status"),
            field<&receipt_facts::expected_delivery_at>("expectedDeliveryAt").means("21 days after the payment."),
            created_at_field<&receipt_facts::created_at>(),
            modified_at_field<&receipt_facts::modified_at>()};
  }
};

// ---- state

struct receipt : receipt_facts {
  static constexpr std::string_view type_name = "receipt";
};

// ---- commands

struct issue_receipt {
  static constexpr std::string_view type_name = "issue_receipt";
  std::int64_t payment_id = 0;
  std::int64_t reservation_id = 0;
  std::int64_t user_id = 0;
  std::optional<std::int64_t> product_id{};
  std::optional<std::string> product_name{};
  std::optional<std::int64_t> price{};
  timestamp paid_at{};

  static std::vector<field_spec> fields() {
    return {field<&issue_receipt::payment_id>("paidId"),
            reservation_id_field<&issue_receipt::reservation_id>(),
            user_id_field<&issue_receipt::user_id>(),
            product_id_field<&issue_receipt::product_id>(),
            product_name_field<&issue_receipt::product_name>(),
            price_field<&issue_receipt::price>(),
            field<&issue_receipt::paid_at>("paidAt")};
  }
};

struct cancel_receipt {
  static constexpr std::string_view type_name = "cancel_receipt";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct receipt_created : receipt_facts {
  static constexpr std::string_view type_name = "ReceiptCreated";
};

struct receipt_cancelled : receipt_facts {
  static constexpr std::string_view type_name = "ReceiptCancelled";
};

// ---- rules

result<outcome> decide(const receipt&, const issue_receipt&, const given&);   // nothing → receipt_created
result<outcome> decide(const receipt&, const cancel_receipt&, const given&);  // issued → receipt_cancelled

void evolve(receipt&, const receipt_created&);
void evolve(receipt&, const receipt_cancelled&);

bool gone(const receipt&);

}  // namespace crema::preorder
