#include "behaviors/hotel/book.hpp"

#include "behaviors/hotel/calendar.hpp"
#include "behaviors/hotel/pay.hpp"
#include "behaviors/hotel/room.hpp"

namespace crema::hotel {

result<outcome> decide(const book&, const place_booking& c, const given& g) {
  if (g.exists) return rejection::conflict("This booking has been placed already.");
  if (c.end_date <= c.start_date) return rejection::invalid("endDate", "Field 'endDate' must be after 'startDate'.");
  const auto number = static_cast<std::int64_t>(g.id);
  const auto book_id = c.book_id.value_or(number);
  const bool in_calendar = g.setting<bool>("rejectOverlaps");

  if (g.setting<bool>("requireRoom") && !g.reply<room_registered>()) return ask(check_room{}).at(static_cast<std::uint64_t>(c.room_id));
  if (in_calendar && !g.reply<stay_reserved>())
    return ask(reserve_stay{c.room_id, number, c.start_date, c.end_date}).undone_by(release_stay{c.room_id, number});
  if (!g.reply<payment_approved>())
    return ask(approve_payment{book_id, c.room_id, c.guest_id, c.host_id, c.price, c.start_date, c.end_date}).undone_by(void_payment{});
  return record_event(
      booked{{book_id, c.room_id, c.price, c.host_id, c.guest_id, c.start_date, c.end_date, book_status::booked, in_calendar}});
}

result<outcome> decide(const book& s, const cancel_booking&, const given& g) {
  if (!g.exists) return rejection::not_found("There is no such booking.");
  if (s.status == book_status::canceled) return nothing();
  book_canceled e{s};
  e.status = book_status::canceled;
  return record_event(e);
}

void evolve(book& s, const booked& e) { s = {e}; }

void evolve(book& s, const book_canceled& e) { s = {e}; }

}  // namespace crema::hotel
