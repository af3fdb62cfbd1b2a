// The breakfast's words with their limits, said once for every state, command, event and row that carries them.
//
// The spellings `foodcaltalogid`, `foodcatlogid` and `amout` are the API's: FROZEN. Delivery and pay carry their order's number.
#pragma once

#include <cstdint>

#include "behaviors/core/field.hpp"

namespace crema::breakfast {

inline constexpr std::int64_t qty_max = 1'000'000;
inline constexpr std::int64_t stock_max = 1'000'000'000'000;
inline constexpr std::int64_t price_max = 1'000'000'000;

template <auto Member>
field_spec qty_field() {
  return field<Member>("qty").must().at_least(1).at_most(qty_max).means("How many.").such_as("2");
}

template <auto Member>
field_spec catalog_id_field() {
  return field<Member>("foodcaltalogid")
      .must()
      .at_least(1)
      .alias("foodCatalogId")
      .means("What to eat: the number in /foodCatalogs.")
      .such_as("1");
}

template <auto Member>
field_spec customer_id_field() {
  return field<Member>("customerid").must().at_least(1).alias("customerId").means("Who ordered: the number in /customers.").such_as("1");
}

template <auto Member>
field_spec stock_field() {
  return field<Member>("stock").must().at_least(0).at_most(stock_max).means("How many are left.").such_as("100");
}

template <auto Member>
field_spec price_field() {
  return field<Member>("price").must().at_least(0).at_most(price_max).means("What one costs, to six places.").such_as("1000");
}

template <auto Member>
field_spec name_field() {
  return field<Member>("name").must().length(1, 100).such_as("\"egg\"");
}

}  // namespace crema::breakfast
