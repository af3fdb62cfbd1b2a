// The hotel's words with their limits, said once for every state, command, event and row that carries them.
//
// A booking's payment and its row in mypages carry the booking's own number. `bookId` is what the guest's side calls the booking:
// its number where the caller sent none.
#pragma once

#include <cstdint>

#include "behaviors/core/field.hpp"

namespace crema::hotel {

inline constexpr std::int64_t price_max = 1'000'000'000'000;

template <auto Member>
field_spec book_id_field() {
  return field<Member>("bookId").at_least(1).means("What the caller calls the booking; by default its number.");
}

template <auto Member>
field_spec room_id_field() {
  return field<Member>("roomId").must().at_least(1).means("The number of the room.").such_as("1");
}

template <auto Member>
field_spec price_field() {
  return field<Member>("price").must().at_least(0).at_most(price_max).such_as("1500");
}

template <auto Member>
field_spec host_id_field() {
  return field<Member>("hostId").at_least(1).means("Whose room it is.").such_as("2");
}

template <auto Member>
field_spec guest_id_field() {
  return field<Member>("guestId").at_least(1).means("Who stays.").such_as("3");
}

template <auto Member>
field_spec start_date_field() {
  return field<Member>("startDate").must().means("The day of arrival.").such_as("\"2021-05-05\"");
}

template <auto Member>
field_spec end_date_field() {
  return field<Member>("endDate").must().means("The day of departure: after the day of arrival.").such_as("\"2021-05-08\"");
}

}  // namespace crema::hotel
