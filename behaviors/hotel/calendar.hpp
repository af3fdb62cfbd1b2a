// The calendar of one room: which stays are taken. Only asked where the setting hotel.rejectOverlaps is on, and knows only the stays
// that were booked then.
//
// Pure; called by the calendar's entity, one message at a time. Found by the room's number, which need not be a registered room's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/hotel/fields.hpp"

namespace crema::hotel {

/// Bytes of the list of stays. Stays of one room do not overlap, so this is some years of them.
inline constexpr std::size_t stays_bytes_max = 32768;

// ---- state

struct calendar {
  static constexpr std::string_view type_name = "calendar";
  std::int64_t room_id = 0;
  std::string stays{};  ///< "20210505-20210508#11 20210510-…": arrival, departure and booking of each

  static std::vector<field_spec> fields() {
    return {room_id_field<&calendar::room_id>(),
            field<&calendar::stays>("stays").length(0, stays_bytes_max).means("Arrival, departure and booking of each stay.")};
  }
};

// ---- commands

struct reserve_stay {
  static constexpr std::string_view type_name = "reserve_stay";
  std::int64_t room_id = 0;
  std::int64_t booking = 0;
  calendar_date start_date{};
  calendar_date end_date{};

  static std::vector<field_spec> fields() {
    return {room_id_field<&reserve_stay::room_id>(), field<&reserve_stay::booking>("booking"),
            start_date_field<&reserve_stay::start_date>(), end_date_field<&reserve_stay::end_date>()};
  }
};

struct release_stay {
  static constexpr std::string_view type_name = "release_stay";
  std::int64_t room_id = 0;
  std::int64_t booking = 0;

  static std::vector<field_spec> fields() { return {room_id_field<&release_stay::room_id>(), field<&release_stay::booking>("booking")}; }
};

// ---- events

struct stay_reserved {
  static constexpr std::string_view type_name = "StayReserved";
  std::int64_t room_id = 0;
  std::int64_t booking = 0;
  calendar_date start_date{};
  calendar_date end_date{};

  static std::vector<field_spec> fields() {
    return {room_id_field<&stay_reserved::room_id>(), field<&stay_reserved::booking>("booking"),
            start_date_field<&stay_reserved::start_date>(), end_date_field<&stay_reserved::end_date>()};
  }
};

struct stay_released {
  static constexpr std::string_view type_name = "StayReleased";
  std::int64_t room_id = 0;
  std::int64_t booking = 0;

  static std::vector<field_spec> fields() { return {room_id_field<&stay_released::room_id>(), field<&stay_released::booking>("booking")}; }
};

// ---- rules

result<outcome> decide(const calendar&, const reserve_stay&, const given&);  // free → stay_reserved; taken: refused
result<outcome> decide(const calendar&, const release_stay&, const given&);  // reserved → stay_released

void evolve(calendar&, const stay_reserved&);
void evolve(calendar&, const stay_released&);

std::string calendar_key(std::int64_t room_id);

}  // namespace crema::hotel
