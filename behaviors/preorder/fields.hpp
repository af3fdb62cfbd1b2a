// The words of the pre-reservation with their limits, said once for every state, command, event and row that carries them.
//
// Payment and receipt carry the reservation's number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "behaviors/core/field.hpp"

namespace crema::preorder {

inline constexpr std::int64_t price_max = 1'000'000'000'000;

/// "1234-5678-9012-1234", with or without dashes and blanks → "1234-****-****-1234". Nothing where it is no card number.
std::optional<std::string> masked_card(std::string_view sent);

template <auto Member>
field_spec reservation_id_field() {
  return field<Member>("preReservationId").at_least(1).means("The number of the reservation.");
}

template <auto Member>
field_spec user_id_field() {
  return field<Member>("userId").must().at_least(1).means("Who reserved.").such_as("1");
}

template <auto Member>
field_spec user_address_field() {
  return field<Member>("userAddress").length(0, 255).means("Where to deliver.").such_as("\"Seoul\"");
}

template <auto Member>
field_spec product_id_field() {
  return field<Member>("productId").at_least(1).such_as("7");
}

template <auto Member>
field_spec product_name_field() {
  return field<Member>("productName").length(0, 100).such_as("\"espresso\"");
}

template <auto Member>
field_spec price_field() {
  return field<Member>("price").at_least(0).at_most(price_max).such_as("4500");
}

/// Masked as it comes in: nothing behind the front door ever has the whole number.
template <auto Member>
field_spec card_no_field() {
  return field<Member>("cardNo")
      .length(0, 32)
      .kept_as(&masked_card, "be a card number of 12 to 19 digits, with or without dashes", "^[0-9]{12,19}$")
      .means("Shown and kept with its middle masked.");
}

template <auto Member>
field_spec created_at_field() {
  return field<Member>("createdAt");
}

template <auto Member>
field_spec modified_at_field() {
  return field<Member>("modifiedAt");
}

}  // namespace crema::preorder
