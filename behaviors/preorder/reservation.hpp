// The pre-reservation of a smartphone: it stands with its payment or not at all. One that failed is history, but no longer there.
//
// Pure; called by the reservation's entity, one message at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/preorder/fields.hpp"

namespace crema::preorder {

inline constexpr std::string_view reservation_cancelled_status = "reservation_cancelled";

struct reservation_facts {
  std::int64_t user_id = 0;
  std::optional<std::string> user_address{};
  std::optional<std::int64_t> product_id{};
  std::optional<std::string> product_name{};
  std::optional<std::int64_t> price{};
  std::optional<std::string> card_no{};
  std::string status{};
  timestamp created_at{};
  timestamp modified_at{};
  bool cancelled = false;
  bool unpaid = false;  ///< cancelled because its payment failed: there is no payment to take back

  static std::vector<field_spec> fields() {
    return {user_id_field<&reservation_facts::user_id>(),
            user_address_field<&reservation_facts::user_address>(),
            product_id_field<&reservation_facts::product_id>(),
            product_name_field<&reservation_facts::product_name>(),
            price_field<&reservation_facts::price>(),
            card_no_field<&reservation_facts::card_no>(),
            field<&reservation_facts::status>("status").length(1, 50),
            created_at_field<&reservation_facts::created_at>(),
            modified_at_field<&reservation_facts::modified_at>(),
            field<&reservation_facts::cancelled>("cancelled").hide(),
            field<&reservation_facts::unpaid>("unpaid").hide()};
  }
};

// ---- state

struct reservation : reservation_facts {
  static constexpr std::string_view type_name = "preReservation";
};

// ---- commands

struct reserve {
  static constexpr std::string_view type_name = "reserve";
  std::int64_t user_id = 0;
  std::optional<std::string> user_address{};
  std::optional<std::int64_t> product_id{};
  std::optional<std::string> product_name{};
  std::optional<std::int64_t> price{};
  std::optional<std::string> card_no{};
  std::string status = "order";

  static std::vector<field_spec> fields() {
    return {user_id_field<&reserve::user_id>(),
            user_address_field<&reserve::user_address>(),
            product_id_field<&reserve::product_id>(),
            product_name_field<&reserve::product_name>(),
            price_field<&reserve::price>(),
            card_no_field<&reserve::card_no>(),
            field<&reserve::status>("status").length(1, 50).means("What the caller calls it.")};
  }
};

struct cancel_reservation {
  static constexpr std::string_view type_name = "cancel_reservation";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct reservation_created : reservation_facts {
  static constexpr std::string_view type_name = "ReservationCreated";
};

struct reservation_cancelled : reservation_facts {
  static constexpr std::string_view type_name = "ReservationCancelled";
};

// ---- rules

result<outcome> decide(const reservation&, const reserve&, const given&);  // nothing → asks the payment → reservation_created
result<outcome> decide(const reservation&, const cancel_reservation&, const given&);  // → reservation_cancelled

void evolve(reservation&, const reservation_created&);
void evolve(reservation&, const reservation_cancelled&);

bool gone(const reservation&);

}  // namespace crema::preorder
