// The payment of one reservation, under the reservation's number: a step of its chain, gone when the reservation is cancelled.
//
// Pure; called by the payment's entity, one message at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/preorder/fields.hpp"

namespace crema::preorder {
enum class payment_status : std::uint8_t { paid, cancelled };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::preorder::payment_status>{"paid", "payment_cancelled"};

namespace crema::preorder {

struct payment_facts {
  std::int64_t reservation_id = 0;
  std::int64_t user_id = 0;
  std::optional<std::int64_t> product_id{};
  std::optional<std::string> product_name{};
  std::optional<std::int64_t> price{};
  std::optional<std::string> card_no{};
  payment_status status{};
  timestamp created_at{};
  timestamp modified_at{};
  bool voided = false;  ///< of a reservation that failed: nobody is told

  static std::vector<field_spec> fields() {
    return {reservation_id_field<&payment_facts::reservation_id>(),
            user_id_field<&payment_facts::user_id>(),
            product_id_field<&payment_facts::product_id>(),
            product_name_field<&payment_facts::product_name>(),
            price_field<&payment_facts::price>(),
            card_no_field<&payment_facts::card_no>(),
            field<&payment_facts::status>("status"),
            created_at_field<&payment_facts::created_at>(),
            modified_at_field<&payment_facts::modified_at>(),
            field<&payment_facts::voided>("voided").hide()};
  }
};

// ---- state

struct payment : payment_facts {
  static constexpr std::string_view type_name = "payment";
};

// ---- commands

struct pay_reservation {
  static constexpr std::string_view type_name = "pay_reservation";
  std::int64_t reservation_id = 0;
  std::int64_t user_id = 0;
  std::optional<std::int64_t> product_id{};
  std::optional<std::string> product_name{};
  std::optional<std::int64_t> price{};
  std::optional<std::string> card_no{};

  static std::vector<field_spec> fields() {
    return {reservation_id_field<&pay_reservation::reservation_id>(),
            user_id_field<&pay_reservation::user_id>(),
            product_id_field<&pay_reservation::product_id>(),
            product_name_field<&pay_reservation::product_name>(),
            price_field<&pay_reservation::price>(),
            card_no_field<&pay_reservation::card_no>()};
  }
};

/// Takes back the payment of a reservation that failed.
struct void_payment {
  static constexpr std::string_view type_name = "void_payment";
  static std::vector<field_spec> fields() { return {}; }
};

struct cancel_payment {
  static constexpr std::string_view type_name = "cancel_payment";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct payment_created : payment_facts {
  static constexpr std::string_view type_name = "PaymentCreated";
};

struct payment_cancelled : payment_facts {
  static constexpr std::string_view type_name = "PaymentCancelled";
};

// ---- rules

result<outcome> decide(const payment&, const pay_reservation&, const given&);  // nothing → payment_created
result<outcome> decide(const payment&, const void_payment&, const given&);     // paid → payment_cancelled, as if it had never been
result<outcome> decide(const payment&, const cancel_payment&, const given&);   // paid → payment_cancelled

void evolve(payment&, const payment_created&);
void evolve(payment&, const payment_cancelled&);

bool gone(const payment&);

}  // namespace crema::preorder
