// The booking: a guest's stay in a room. It is recorded only once it is paid; canceled, it stays readable.
//
// Pure; called by the booking's entity, one message at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "behaviors/core/decider.hpp"
#include "behaviors/hotel/fields.hpp"

namespace crema::hotel {
enum class book_status : std::uint8_t { booked, canceled };
}
template <>
inline constexpr std::array<std::string_view, 2> crema::literals_of<crema::hotel::book_status>{"Booked", "BookCanceled"};

namespace crema::hotel {

struct book_facts {
  std::int64_t book_id = 0;
  std::int64_t room_id = 0;
  std::int64_t price = 0;
  std::optional<std::int64_t> host_id{};
  std::optional<std::int64_t> guest_id{};
  calendar_date start_date{};
  calendar_date end_date{};
  book_status status{};
  bool in_calendar = false;  ///< the stay was reserved in the room's calendar

  static std::vector<field_spec> fields() {
    return {book_id_field<&book_facts::book_id>(),
            room_id_field<&book_facts::room_id>(),
            price_field<&book_facts::price>(),
            host_id_field<&book_facts::host_id>(),
            guest_id_field<&book_facts::guest_id>(),
            start_date_field<&book_facts::start_date>(),
            end_date_field<&book_facts::end_date>(),
            field<&book_facts::status>("status"),
            field<&book_facts::in_calendar>("inCalendar").hide()};
  }
};

// ---- state

struct book : book_facts {
  static constexpr std::string_view type_name = "book";
};

// ---- commands

struct place_booking {
  static constexpr std::string_view type_name = "place_booking";
  std::optional<std::int64_t> book_id{};
  std::int64_t room_id = 0;
  std::int64_t price = 0;
  std::optional<std::int64_t> host_id{};
  std::optional<std::int64_t> guest_id{};
  calendar_date start_date{};
  calendar_date end_date{};

  static std::vector<field_spec> fields() {
    return {book_id_field<&place_booking::book_id>(),   room_id_field<&place_booking::room_id>(),
            price_field<&place_booking::price>(),       host_id_field<&place_booking::host_id>(),
            guest_id_field<&place_booking::guest_id>(), start_date_field<&place_booking::start_date>(),
            end_date_field<&place_booking::end_date>()};
  }
};

struct cancel_booking {
  static constexpr std::string_view type_name = "cancel_booking";
  static std::vector<field_spec> fields() { return {}; }
};

// ---- events

struct booked : book_facts {
  static constexpr std::string_view type_name = "Booked";
};

struct book_canceled : book_facts {
  static constexpr std::string_view type_name = "BookCanceled";
};

// ---- rules

result<outcome> decide(const book&, const place_booking&, const given&);   // nothing → asks room, calendar (where set), pay → booked
result<outcome> decide(const book&, const cancel_booking&, const given&);  // Booked → book_canceled

void evolve(book&, const booked&);
void evolve(book&, const book_canceled&);

}  // namespace crema::hotel
