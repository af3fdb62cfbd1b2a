// The hotel: each booking has its payment, and guest and host hear of each step once; calendars hold the stays that stand.
#include "behaviors/hotel/hotel.hpp"

#include <set>

#include "behaviors/hotel/alarm.hpp"
#include "behaviors/hotel/book.hpp"
#include "behaviors/hotel/calendar.hpp"
#include "behaviors/hotel/mypage.hpp"
#include "behaviors/hotel/pay.hpp"
#include "behaviors/hotel/room.hpp"
#include "tests/sim/story.hpp"

namespace crema::sim {

using namespace hotel;
using http::method;
using testing::chance;

namespace {

constexpr std::uint64_t rooms = 3;

std::vector<wish> opening() {
  std::vector<wish> all;
  for (std::uint64_t i = 0; i < rooms; ++i) all.push_back({method::post, "/rooms", {{"price", 1000 + i}, {"name", "sea view"}}});
  return all;
}

wish next(chance& random, const knowledge& known) {
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2: return {method::remove, "/books/" + std::to_string(known.some("books", random))};
    case 3: return random.one_in(10) ? wish{method::remove, "/rooms/3"} : wish{method::get, "/rooms"};
    default: break;
  }
  const auto day = 1 + random.below(20);
  return {method::post,
          "/books",
          {{"roomId", 1 + random.below(rooms)},
           {"price", random.below(5000)},
           {"hostId", 10 + random.below(2)},
           {"guestId", 20 + random.below(2)},
           {"startDate", 20210500 + day},
           {"endDate", 20210501 + day + random.below(6)}}};
}

void check_booking(std::uint64_t id, const book& s, const final_state& end, findings& found) {
  const auto payed = end.door.get({false, end.system.context_named("pay").index}, id);
  const auto shown = end.door.get({true, 0}, id);
  found.expect(payed && shown, "booking ", id, " lacks its payment or its page");
  if (!payed || !shown) return;
  const auto& p = *payed->row.as<payment>();
  const auto& page = *shown->row.as<mypage>();
  const bool canceled = s.status == book_status::canceled;
  found.expect(p.status == (canceled ? pay_status::canceled : pay_status::approved), "booking ", id, " and its payment disagree");
  found.expect(p.book_id == s.book_id && p.price == s.price, "booking ", id, " and its payment are of different stays");
  found.expect(page.book == s.status && page.pay == p.status, "mypage ", id, " does not show its booking");
}

// By their key: what guest and host must have heard of each booking.
std::set<std::string> alarms_due(const std::map<std::uint64_t, book>& books) {
  std::set<std::string> due;
  for (const auto& [id, s] : books) {
    const auto guest = "guest " + std::to_string(s.guest_id.value_or(0)), host = "host " + std::to_string(s.host_id.value_or(0));
    std::vector<std::pair<std::string, std::string>> told{
        {guest, "Your booking is made"}, {guest, "Your payment is approved"}, {host, "Your room is booked"}, {host, "Your room is paid"}};
    if (s.status == book_status::canceled) {
      told.emplace_back(guest, "Your booking is canceled");
      told.emplace_back(guest, "Your payment is canceled");
    }
    for (const auto& [to, text] : told) due.insert(alarm_key(send_alarm{static_cast<std::int64_t>(id), s.book_id, to, text}));
  }
  return due;
}

void check_alarms(const final_state& end, const std::map<std::uint64_t, book>& books, findings& found) {
  std::set<std::string> sent;
  const auto alarm_context = end.system.context_named("alarm").index;
  for (const auto& r : end.journal) {
    if (r.subject.context != alarm_context || r.events.empty()) continue;
    found.expect(sent.insert(r.subject.key).second, "'", r.subject.key, "' was told twice");
  }
  const auto due = alarms_due(books);
  for (const auto& key : due) found.expect(sent.contains(key), "'", key, "' was not told");
  for (const auto& key : sent) found.expect(due.contains(key), "'", key, "' was told, and is not so");
}

std::string stay_text(std::uint64_t id, const book& s) {
  return std::to_string(s.start_date.yyyymmdd) + "-" + std::to_string(s.end_date.yyyymmdd) + "#" + std::to_string(id);
}

void check_calendars(const final_state& end, const std::map<std::uint64_t, book>& books, findings& found) {
  std::map<std::int64_t, std::map<std::int32_t, std::string>> stays;
  for (const auto& [id, s] : books)
    if (s.in_calendar && s.status == book_status::booked) stays[s.room_id][s.start_date.yyyymmdd] = stay_text(id, s);
  std::size_t standing = 0, kept = 0;
  for (const auto& [id, s] : books) standing += s.in_calendar && s.status == book_status::booked ? 1 : 0;
  for (const auto& [room, of] : stays) kept += of.size();
  found.expect(standing == kept, "two stays in one room begin on one day");
  for (const auto& [id, c] : end.rows<calendar>("calendar")) {
    std::string text;
    for (const auto& [from, stay] : stays[c.room_id]) text += (text.empty() ? "" : " ") + stay;
    found.expect(c.stays == text, "the calendar of room ", c.room_id, " says '", c.stays, "', the bookings '", text, "'");
  }
}

void check(const final_state& end, findings& found) {
  const auto books = end.rows<book>("book");
  for (const auto& [id, s] : books) check_booking(id, s, end, found);
  found.expect(end.rows<payment>("pay").size() == books.size(), "there are payments of no booking");
  found.expect(end.view<mypage>("mypage").size() == books.size(), "there are ", books.size(), " bookings, and another number is shown");
  check_alarms(end, books, found);
  check_calendars(end, books, found);
  std::size_t canceled = 0;
  for (const auto& [id, s] : books) canceled += s.status == book_status::canceled ? 1 : 0;
  found.expect(end.recorded<book_canceled>().size() == canceled, "a booking was canceled twice");
  for (const auto* a : end.granted(method::remove, "books"))
    found.expect(books.at(number_at_end(a->path)).status == book_status::canceled, "request ", a->number,
                 " canceled a booking that stands");
}

void furnish(system_settings& settings, chance& random) {
  settings["rejectOverlaps"] = random.one_in(2);
  settings["requireRoom"] = random.one_in(3);
}

}  // namespace

story hotel_story() { return {"hotel", &hotel::hotel, furnish, opening(), next, check}; }

}  // namespace crema::sim
