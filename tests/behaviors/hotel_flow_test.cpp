// The hotel as a whole, on the board (board.hpp). A failing case prints its seed; CREMA_SEED runs one.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "behaviors/hotel/alarm.hpp"
#include "behaviors/hotel/book.hpp"
#include "behaviors/hotel/calendar.hpp"
#include "behaviors/hotel/hotel.hpp"
#include "behaviors/hotel/mypage.hpp"
#include "behaviors/hotel/pay.hpp"
#include "behaviors/hotel/room.hpp"
#include "tests/behaviors/board.hpp"

using namespace crema;
using namespace crema::hotel;
using crema::testing::board;
using crema::testing::chance;

namespace {

enum : std::uint16_t { in_room, in_book, in_pay, in_mypage, in_alarm, in_calendar };
enum : std::size_t { mypages };
constexpr std::uint64_t room_count = 3;

calendar_date may(std::uint64_t day) { return {static_cast<std::int32_t>(20210500 + day)}; }

value stay(std::int64_t room, std::uint64_t from, std::uint64_t to) {
  return value::of(place_booking{std::nullopt, room, 1000, 10, 20, may(from), may(to)});
}

value some_stay(chance& random) {
  const auto number = [&](std::uint64_t from, std::uint64_t n) { return static_cast<std::int64_t>(from + random.below(n)); };
  const auto perhaps = [&](std::int64_t n) { return random.one_in(4) ? std::nullopt : std::optional(n); };
  const auto day = 1 + random.below(20);
  return value::of(place_booking{perhaps(number(7, 3)), number(1, room_count), number(0, 5000), perhaps(number(10, 2)),
                                 perhaps(number(20, 2)), may(day), may(day + random.below(6))});
}

std::string called(const std::string& role, const std::optional<std::int64_t>& id) { return id ? role + " " + std::to_string(*id) : role; }

/// What holds at any moment.
void nothing_false_is_shown(const board& b, bool reject_overlaps) {
  for (const auto& [id, row] : b.collection<book>(in_book)) {
    const auto* p = b.state<payment>(in_pay, id);
    REQUIRE(p != nullptr);
    if (row->status == book_status::booked) CHECK(p->status == pay_status::approved);
  }
  CHECK(b.view<mypage>(mypages).size() == b.collection<book>(in_book).size());
  if (!reject_overlaps) return;
  const auto books = b.collection<book>(in_book);
  for (auto one = books.begin(); one != books.end(); ++one)
    for (auto other = std::next(one); other != books.end(); ++other) {
      const auto &x = *one->second, &y = *other->second;
      if (x.room_id != y.room_id || x.status != book_status::booked || y.status != book_status::booked) continue;
      CHECK((x.end_date <= y.start_date || y.end_date <= x.start_date));
    }
}

/// The calendars' texts as the standing bookings make them.
std::map<std::string, std::string> calendars_by_the_books(const board& b) {
  std::map<std::string, std::map<std::int32_t, std::string>> stays;
  for (const auto& [id, s] : b.collection<book>(in_book))
    if (s->in_calendar && s->status == book_status::booked)
      stays[calendar_key(s->room_id)][s->start_date.yyyymmdd] =
          std::to_string(s->start_date.yyyymmdd) + "-" + std::to_string(s->end_date.yyyymmdd) + "#" + id;
  std::map<std::string, std::string> texts;
  for (const auto& [room, all] : stays)
    for (const auto& [from, text] : all) texts[room] += (texts[room].empty() ? "" : " ") + text;
  return texts;
}

/// What holds whenever every message has been delivered.
void all_is_well(const board& b, std::uint64_t tried, const std::string& prefix, bool reject_overlaps) {
  nothing_false_is_shown(b, reject_overlaps);
  std::size_t cancels = 0;
  std::set<std::string> due;                                // notifications, by their key
  std::multiset<std::pair<std::string, std::string>> told;  // whom, what
  for (std::uint64_t id = 1; id <= tried; ++id) {
    INFO("booking " << id);
    const auto* s = b.state<book>(in_book, id);
    const auto* p = b.state<payment>(in_pay, id);
    const auto page = b.row<mypage>(mypages, id);
    if (s == nullptr) {
      CHECK(p == nullptr);
      CHECK_FALSE(page);
      continue;
    }
    REQUIRE(p != nullptr);
    REQUIRE(page);
    const bool canceled = s->status == book_status::canceled;
    CHECK(p->status == (canceled ? pay_status::canceled : pay_status::approved));
    CHECK_FALSE(p->voided);
    CHECK(s->in_calendar == reject_overlaps);
    const mypage expected{s->book_id, s->room_id, s->guest_id, s->host_id, s->price, s->start_date, s->end_date, s->status, p->status};
    CHECK(crema::testing::same(*page, expected));
    CHECK(p->book_id == s->book_id);
    CHECK(p->price == s->price);

    const auto expect = [&](const std::string& to, const std::string& text) {
      due.insert(std::to_string(id) + "|" + to + "|" + text);
      told.emplace(to, prefix + " " + text);
    };
    const auto guest = called("guest", s->guest_id), host = called("host", s->host_id);
    expect(guest, "Your booking is made");
    expect(guest, "Your payment is approved");
    expect(host, "Your room is booked");
    expect(host, "Your room is paid");
    if (canceled) {
      ++cancels;
      expect(guest, "Your booking is canceled");
      expect(guest, "Your payment is canceled");
    }
  }
  CHECK(b.recorded<book_canceled>().size() == cancels);
  std::set<std::string> sent;
  for (const auto& [key, a] : b.collection<hotel::alarm>(in_alarm)) sent.insert(key);
  CHECK(sent == due);
  CHECK(b.recorded<notified>().size() == due.size());
  std::multiset<std::pair<std::string, std::string>> heard;
  for (const auto& n : b.told) heard.emplace(n.to, n.text);
  CHECK(heard == told);

  auto calendars = calendars_by_the_books(b);
  for (const auto& [room, c] : b.collection<calendar>(in_calendar)) CHECK(c->stays == calendars[room]);
  for (const auto& [room, text] : calendars) CHECK((text.empty() || b.state<calendar>(in_calendar, room) != nullptr));
}

}  // namespace

TEST_CASE("hotel: given overlaps are rejected and the payment's answer is lost, then the days are free again") {
  board b(crema::hotel::hotel());
  chance random(1);
  b.set("rejectOverlaps", true);
  b.answer_is_lost = [](const value& c) { return c.as<approve_payment>() != nullptr; };
  REQUIRE(b.tell(in_book, 1, stay(1, 5, 8)));
  b.answer_is_lost = [](const value&) { return false; };
  crema::testing::drain(b, random);
  CHECK(b.told.empty());
  REQUIRE_FALSE(b.tell(in_book, 2, stay(1, 6, 9)));
  REQUIRE(b.tell(in_book, 3, stay(1, 8, 10)));
  REQUIRE_FALSE(b.tell(in_book, 2, value::of(cancel_booking{})));
  crema::testing::drain(b, random);
  REQUIRE_FALSE(b.tell(in_book, 4, stay(1, 8, 10)));
  crema::testing::drain(b, random);
  all_is_well(b, 4, "Hello", true);
}

TEST_CASE("hotel: given the alarm is stopped, when stays are booked and canceled, then all are told of it after it starts, once") {
  board b(crema::hotel::hotel());
  chance random(1);
  b.stopped = {in_alarm};
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE_FALSE(b.tell(in_book, id, stay(1, 5, 8)));
  REQUIRE_FALSE(b.tell(in_book, 2, value::of(cancel_booking{})));
  REQUIRE_FALSE(b.tell(in_book, 2, value::of(cancel_booking{})));
  b.deliver_all(random);
  CHECK(b.told.empty());
  crema::testing::drain(b, random);
  CHECK(b.told.size() == 14);
  all_is_well(b, 3, "Hello", false);
}

TEST_CASE("hotel: whatever is booked, canceled, removed, stopped and lost, in whatever order, all is well in the end") {
  std::size_t standing = 0, canceled = 0, taken_back = 0, released = 0;
  const bool all_seeds = crema::testing::under_seeds(200, [&](chance& random) {
    board b(crema::hotel::hotel());
    const bool reject_overlaps = !random.one_in(3);
    const std::string prefix = random.one_in(2) ? "Hello" : "Dear guest,";
    b.set("rejectOverlaps", reject_overlaps);
    b.set("requireRoom", random.one_in(2));
    b.set("alarm.prefix", prefix);
    for (std::uint64_t room = 1; room <= room_count; ++room) REQUIRE_FALSE(b.tell(in_room, room, value::of(register_room{100, {}, {}})));
    std::uint64_t tried = 0;
    const auto something = [&] {
      const auto some = 1 + random.below(tried + 1);
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2: (void)b.tell(in_book, ++tried, some_stay(random)); break;
        case 3:
          if (some <= tried) (void)b.tell(in_book, some, some_stay(random));  // a number that failed may be given again
          break;
        case 4:
        case 5: (void)b.tell(in_book, some, value::of(cancel_booking{})); break;
        case 6: crema::testing::stop_or_start(b, random); break;
        default:
          if (random.one_in(20)) (void)b.tell(in_room, 1 + random.below(room_count), value::of(remove_room{}));
          break;
      }
    };
    crema::testing::trouble(b, random, something);
    for (int step = 0; step < 60; ++step) {
      something();
      b.deliver_some(random, 5);
      nothing_false_is_shown(b, reject_overlaps);
    }
    crema::testing::drain(b, random);
    all_is_well(b, tried, prefix, reject_overlaps);
    for (const auto& [id, s] : b.collection<book>(in_book)) ++(s->status == book_status::booked ? standing : canceled);
    for (const auto& h : b.recorded<payment_canceled>()) taken_back += h.event.as<payment_canceled>()->voided ? 1 : 0;
    released += b.recorded<stay_released>().size();
  });
  if (all_seeds) {
    CHECK(standing > 100);
    CHECK(canceled > 100);
    CHECK(taken_back > 100);
    CHECK(released > 100);
  }
}
