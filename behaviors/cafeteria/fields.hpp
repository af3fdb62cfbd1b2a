// The cafeteria's words with their limits, said once for every state, command, event and row that carries them.
#pragma once

#include <cstdint>

#include "behaviors/core/field.hpp"

namespace crema::cafeteria {

inline constexpr std::int64_t qty_max = 1'000'000;
inline constexpr std::int64_t amt_max = 1'000'000'000'000;

template <auto Member>
field_spec order_id_field() {
  return field<Member>("orderId").must().at_least(1).means("The number of the order.").such_as("1");
}

template <auto Member>
field_spec phone_number_field() {
  return field<Member>("phoneNumber")
      .must()
      .length(1, 32)
      .means("Whose order it is, and whom to tell about it.")
      .such_as("\"01012345678\"");
}

template <auto Member>
field_spec product_name_field() {
  return field<Member>("productName").must().length(1, 100).means("What to drink.").such_as("\"coffee\"");
}

template <auto Member>
field_spec qty_field() {
  return field<Member>("qty").must().at_least(1).at_most(qty_max).means("How many.").such_as("2");
}

template <auto Member>
field_spec amt_field() {
  return field<Member>("amt").must().at_least(0).at_most(amt_max).means("What the whole order costs.").such_as("1000");
}

template <auto Member>
field_spec month_field() {
  return field<Member>("yyyymm").must().length(6, 6).means("The month in which it was paid (UTC).").such_as("\"202102\"");
}

template <auto Member>
field_spec create_time_field() {
  return field<Member>("createTime").means("When it came to be.");
}

}  // namespace crema::cafeteria
