// What guest and host look at: one row a booking, under the booking's number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "behaviors/hotel/book.hpp"
#include "behaviors/hotel/pay.hpp"

namespace crema::hotel {

struct mypage {
  static constexpr std::string_view type_name = "mypage";
  std::int64_t book_id = 0;
  std::int64_t room_id = 0;
  std::optional<std::int64_t> guest_id{};
  std::optional<std::int64_t> host_id{};
  std::int64_t price = 0;
  calendar_date start_date{};
  calendar_date end_date{};
  std::optional<book_status> book{};
  std::optional<pay_status> pay{};

  static std::vector<field_spec> fields() {
    return {book_id_field<&mypage::book_id>(),   room_id_field<&mypage::room_id>(),  guest_id_field<&mypage::guest_id>(),
            host_id_field<&mypage::host_id>(),   price_field<&mypage::price>(),      start_date_field<&mypage::start_date>(),
            end_date_field<&mypage::end_date>(), field<&mypage::book>("bookStatus"), field<&mypage::pay>("payStatus")};
  }
};

void apply(rows<mypage>&, const booked&, const event_meta&);
void apply(rows<mypage>&, const book_canceled&, const event_meta&);
void apply(rows<mypage>&, const payment_approved&, const event_meta&);
void apply(rows<mypage>&, const payment_canceled&, const event_meta&);

}  // namespace crema::hotel
