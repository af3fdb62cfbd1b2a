// The hotel's rules, one aggregate at a time, and who tells whom what.
#include "behaviors/hotel/hotel.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "behaviors/core/json.hpp"
#include "behaviors/hotel/alarm.hpp"
#include "behaviors/hotel/book.hpp"
#include "behaviors/hotel/calendar.hpp"
#include "behaviors/hotel/mypage.hpp"
#include "behaviors/hotel/pay.hpp"
#include "behaviors/hotel/room.hpp"
#include "tests/behaviors/given_when_then.hpp"

using namespace crema;
using namespace crema::hotel;
using namespace crema::testing;

namespace {

using rooms = history<room>;
using books = history<book>;
using payments = history<payment>;
using alarms = history<hotel::alarm>;
using calendars = history<hotel::calendar>;

constexpr calendar_date may_4{20210504}, may_5{20210505}, may_6{20210506}, may_8{20210508}, may_9{20210509};

const room_registered was_registered{{1500, 20, "Sea view", room_status::registered}};
const room_removed was_removed{{1500, 20, "Sea view", room_status::removed}};

const place_booking three_nights{std::nullopt, 1, 1000, 20, 10, may_5, may_8};
const booked was_booked{{11, 1, 1000, 20, 10, may_5, may_8, book_status::booked, false}};
const booked was_booked_by_calendar{{11, 1, 1000, 20, 10, may_5, may_8, book_status::booked, true}};
const book_canceled was_canceled{{11, 1, 1000, 20, 10, may_5, may_8, book_status::canceled, false}};
const book_canceled was_canceled_by_calendar{{11, 1, 1000, 20, 10, may_5, may_8, book_status::canceled, true}};

const approve_payment to_pay{11, 1, 10, 20, 1000, may_5, may_8};
const payment_approved was_paid{{11, 1, 10, 20, 1000, may_5, may_8, pay_status::approved, false}};
const payment_canceled was_refunded{{11, 1, 10, 20, 1000, may_5, may_8, pay_status::canceled, false}};
const payment_canceled was_voided{{11, 1, 10, 20, 1000, may_5, may_8, pay_status::canceled, true}};

const stay_reserved was_reserved{1, 11, may_5, may_8};
const notified was_notified{{11, "guest 10", "Hello Your booking is made", feb_2021}};

reserve_stay stay_of(std::int64_t booking, calendar_date from, calendar_date to) { return {1, booking, from, to}; }

books at_the_desk() { return books{}.under(defaults_of(hotel::hotel())); }

}  // namespace

// ---- room

TEST_CASE("hotel room: given nothing, when registered, then it is Registered as the host says") {
  const auto e = only<room_registered>(rooms{}.when(register_room{1500, 20, "Sea view"}));
  CHECK(same(e, was_registered));
  CHECK(same_facts(rooms::of(e).state, was_registered));
}

TEST_CASE("hotel room: given a room, registered or removed, when registered again, then it is refused") {
  CHECK(conflicts(rooms::of(was_registered).when(register_room{1500, 20, "Sea view"})));
  CHECK(conflicts(rooms::of(was_registered, was_removed).when(register_room{1500, 20, "Sea view"})));
}

TEST_CASE("hotel room: given a room, when removed, then it is Removed and still readable; twice is nothing") {
  const auto e = only<room_removed>(rooms::of(was_registered).when(remove_room{}));
  CHECK(same(e, was_removed));
  const auto after = rooms::of(was_registered, e);
  CHECK(after.exists);
  CHECK(same_facts(after.state, was_removed));
  CHECK(nothing_came_of(after.when(remove_room{})));
}

TEST_CASE("hotel room: given nothing, when removed, then there is no such room") { CHECK(not_found(rooms{}.when(remove_room{}))); }

TEST_CASE("hotel room: given a room, when checked, then it answers what it is and changes nothing") {
  CHECK(same(only_answer<room_registered>(rooms::of(was_registered).when(check_room{})), was_registered));
}

TEST_CASE("hotel room: given no room or a removed one, when checked, then the booking's roomId is refused") {
  CHECK(invalid(rooms{}.when(check_room{}), "roomId"));
  CHECK(invalid(rooms::of(was_registered, was_removed).when(check_room{}), "roomId"));
}

// ---- book

TEST_CASE("hotel book: given the default settings, when placed, then it asks for the payment only, undone by voiding it") {
  const auto r = at_the_desk().when(three_nights);
  const auto a = asked(r);
  CHECK(same(as<approve_payment>(a.command), to_pay));
  CHECK_FALSE(a.to.has_value());
  CHECK(a.undo.as<void_payment>() != nullptr);
  CHECK(r->if_refused.empty());
}

TEST_CASE("hotel book: given it is paid, when placed, then it is Booked under its own number") {
  const auto e = only<booked>(at_the_desk().with(was_paid).when(three_nights));
  CHECK(same(e, was_booked));
  CHECK(same_facts(at_the_desk().then(e).state, was_booked));
}

TEST_CASE("hotel book: given a bookId, when placed, then payment and booking carry it") {
  auto c = three_nights;
  c.book_id = 4711;
  CHECK(as<approve_payment>(asked(at_the_desk().when(c)).command).book_id == 4711);
  CHECK(only<booked>(at_the_desk().with(was_paid).when(c)).book_id == 4711);
}

TEST_CASE("hotel book: given neither guest nor host, when placed, then none is made up") {
  auto c = three_nights;
  c.guest_id = c.host_id = std::nullopt;
  const auto pay = as<approve_payment>(asked(at_the_desk().when(c)).command);
  CHECK_FALSE(pay.guest_id.has_value());
  CHECK_FALSE(pay.host_id.has_value());
  const auto e = only<booked>(at_the_desk().with(was_paid).when(c));
  CHECK_FALSE(e.guest_id.has_value());
  CHECK_FALSE(e.host_id.has_value());
}

TEST_CASE("hotel book: when the departure is not after the arrival, then endDate is refused before anybody is asked") {
  for (const auto end : {may_5, may_4, calendar_date{}}) {
    auto c = three_nights;
    c.end_date = end;
    for (const bool on : {false, true}) {
      INFO(end.yyyymmdd << " " << on);
      CHECK(invalid(at_the_desk().where("requireRoom", on).where("rejectOverlaps", on).when(c), "endDate"));
    }
  }
  auto one_night = three_nights;
  one_night.end_date = may_6;
  CHECK(at_the_desk().when(one_night).ok());
}

TEST_CASE("hotel book: given a booking, Booked or BookCanceled, when placed again, then it is refused") {
  CHECK(conflicts(at_the_desk().then(was_booked).with(was_paid).when(three_nights)));
  CHECK(conflicts(at_the_desk().then(was_booked).then(was_canceled).when(three_nights)));
}

TEST_CASE("hotel book: given requireRoom, when placed, then it asks the room first, which leaves nothing to undo") {
  const auto past = at_the_desk().where("requireRoom", true);
  const auto a = asked(past.when(three_nights));
  CHECK(a.command.as<check_room>() != nullptr);
  CHECK(a.to == 1);
  CHECK_FALSE(static_cast<bool>(a.undo));
  const auto next = asked(past.with(was_registered).when(three_nights));
  CHECK(same(as<approve_payment>(next.command), to_pay));
  CHECK(same(only<booked>(past.with(was_registered).with(was_paid).when(three_nights)), was_booked));
}

TEST_CASE("hotel book: given rejectOverlaps, when placed, then it asks the room's calendar before the payment, undone by the release") {
  const auto past = at_the_desk().where("rejectOverlaps", true);
  const auto a = asked(past.when(three_nights));
  CHECK(same(as<reserve_stay>(a.command), stay_of(11, may_5, may_8)));
  CHECK(same(as<release_stay>(a.undo), release_stay{1, 11}));
  CHECK_FALSE(a.to.has_value());  // found by the room
  const auto next = asked(past.with(was_reserved).when(three_nights));
  CHECK(same(as<approve_payment>(next.command), to_pay));
  CHECK(same(only<booked>(past.with(was_reserved).with(was_paid).when(three_nights)), was_booked_by_calendar));
}

TEST_CASE("hotel book: given both settings, when placed, then the room, the calendar and the payment are asked in this order") {
  auto past = at_the_desk().where("requireRoom", true).where("rejectOverlaps", true);
  CHECK(asked(past.when(three_nights)).command.as<check_room>() != nullptr);
  past = past.with(was_registered);
  CHECK(asked(past.when(three_nights)).command.as<reserve_stay>() != nullptr);
  past = past.with(was_reserved);
  CHECK(asked(past.when(three_nights)).command.as<approve_payment>() != nullptr);
  CHECK(only<booked>(past.with(was_paid).when(three_nights)).in_calendar);
}

TEST_CASE("hotel book: given the calendar is asked, when the caller calls the booking otherwise, then the calendar has its number") {
  auto c = three_nights;
  c.book_id = 4711;
  const auto a = asked(at_the_desk().where("rejectOverlaps", true).when(c));
  CHECK(as<reserve_stay>(a.command).booking == 11);
  CHECK(as<release_stay>(a.undo).booking == 11);
}

TEST_CASE("hotel book: given a booking, when canceled, then it is BookCanceled and still readable; twice is nothing") {
  for (const auto& before : {was_booked, was_booked_by_calendar}) {
    const auto past = at_the_desk().then(before);
    const auto e = only<book_canceled>(past.when(cancel_booking{}));
    CHECK(same(e, before.in_calendar ? was_canceled_by_calendar : was_canceled));
    const auto after = past.then(e);
    CHECK(after.exists);
    CHECK(after.state.status == book_status::canceled);
    CHECK(nothing_came_of(after.when(cancel_booking{})));
  }
}

TEST_CASE("hotel book: given nothing, when canceled, then there is no such booking") {
  CHECK(not_found(at_the_desk().when(cancel_booking{})));
}

// ---- pay

TEST_CASE("hotel pay: given nothing, when to be approved, then it is PayApproved") {
  const auto e = only<payment_approved>(payments{}.when(to_pay));
  CHECK(same(e, was_paid));
  CHECK(same_facts(payments::of(e).state, was_paid));
}

TEST_CASE("hotel pay: given PayApproved, when approved again, then nothing changes and the first approval is the answer") {
  auto other = to_pay;
  other.price = 1;
  CHECK(same(only_answer<payment_approved>(payments::of(was_paid).when(other)), was_paid));
}

TEST_CASE("hotel pay: given PayCanceled, when to be approved, then it is refused") {
  CHECK(conflicts(payments::of(was_paid, was_refunded).when(to_pay)));
}

TEST_CASE("hotel pay: given a voided payment, when to be approved, then it begins afresh") {
  const auto past = payments::of(was_paid, was_voided);
  CHECK_FALSE(past.exists);
  CHECK(past.then(only<payment_approved>(past.when(to_pay))).exists);
}

TEST_CASE("hotel pay: given PayApproved, when voided, then it is canceled and gone; when canceled, it is PayCanceled and still there") {
  const auto past = payments::of(was_paid);
  const auto voided = only<payment_canceled>(past.when(void_payment{}));
  CHECK(same(voided, was_voided));
  CHECK_FALSE(past.then(voided).exists);
  CHECK(gone(past.then(voided).state));
  const auto canceled = only<payment_canceled>(past.when(cancel_payment{}));
  CHECK(same(canceled, was_refunded));
  CHECK(past.then(canceled).exists);
  CHECK(past.then(canceled).state.status == pay_status::canceled);
}

TEST_CASE("hotel pay: given no payment or one already taken back, when voided or canceled, then nothing changes") {
  for (const auto& past : {payments{}, payments::of(was_paid, was_refunded), payments::of(was_paid, was_voided)}) {
    CHECK(nothing_came_of(past.when(void_payment{})));
    CHECK(nothing_came_of(past.when(cancel_payment{})));
  }
}

// ---- alarm

TEST_CASE("hotel alarm: given nothing, when sent, then its text begins with the prefix that is set") {
  const send_alarm c{11, 4711, "guest 10", "Your booking is made"};
  const auto by_default = only<notified>(alarms{}.under(defaults_of(hotel::hotel())).when(c));
  CHECK(same(by_default, notified{{4711, "guest 10", "Hello Your booking is made", feb_2021}}));
  CHECK(same_facts(alarms::of(by_default).state, by_default));
  const auto set = only<notified>(alarms{}.where("alarm.prefix", std::string("Dear guest,")).when(c));
  CHECK(set.text == "Dear guest, Your booking is made");
}

TEST_CASE("hotel alarm: given it was sent, when sent again, then nothing changes") {
  CHECK(nothing_came_of(
      alarms::of(was_notified).under(defaults_of(hotel::hotel())).when(send_alarm{11, 11, "guest 10", "Your booking is made"})));
}

TEST_CASE("hotel alarm: two notifications share a key only if booking, receiver and text are the same") {
  const send_alarm c{11, 4711, "guest 10", "Your booking is made"};
  auto other = c;
  CHECK(alarm_key(other) == alarm_key(c));
  other.booking = 12;  // of the same bookId
  CHECK(alarm_key(other) != alarm_key(c));
  other = c;
  other.to = "host 10";
  CHECK(alarm_key(other) != alarm_key(c));
  other = c;
  other.text = "Your booking is canceled";
  CHECK(alarm_key(other) != alarm_key(c));
}

// ---- calendar

TEST_CASE("hotel calendar: given a free room, when a stay is reserved, then it is kept") {
  const auto e = only<stay_reserved>(calendars{}.when(stay_of(11, may_5, may_8)));
  CHECK(same(e, was_reserved));
  const auto after = calendars::of(e);
  CHECK(after.state.room_id == 1);
  CHECK(after.state.stays == "20210505-20210508#11");
}

TEST_CASE("hotel calendar: given a stay, when another one only touches it, then it is reserved") {
  auto past = calendars::of(was_reserved);
  past.take(only<stay_reserved>(past.when(stay_of(12, may_8, may_9))));  // arrives on the day of departure
  past.take(only<stay_reserved>(past.when(stay_of(13, may_4, may_5))));  // departs on the day of arrival
  CHECK(past.state.stays == "20210504-20210505#13 20210505-20210508#11 20210508-20210509#12");
}

TEST_CASE("hotel calendar: given a stay, when another one shares a night with it, then it is refused with the room and the days") {
  const auto past = calendars::of(was_reserved);
  const std::vector<std::pair<calendar_date, calendar_date>> overlaps{
      {may_5, may_8},                                 // the same
      {may_4, may_6},                                 // its first night
      {{20210507}, may_9},                            // its last night
      {may_6, {20210507}},                            // inside
      {may_4, may_9},                                 // around
      {may_5, may_6},           {{20210507}, may_8},  // from its beginning, to its end
      {{20200101}, {20991231}},                       // years
  };
  for (const auto& [from, to] : overlaps) {
    INFO(from.yyyymmdd << "-" << to.yyyymmdd);
    const auto r = past.when(stay_of(12, from, to));
    REQUIRE(conflicts(r));
    CHECK(r.why().detail.find("Room 1 ") != std::string::npos);
    CHECK(r.why().detail.find("20210505") != std::string::npos);
    CHECK(r.why().detail.find("20210508") != std::string::npos);
  }
}

TEST_CASE("hotel calendar: given several stays, when a gap between two is asked for, then it fits exactly and no more") {
  auto past = calendars::of(stay_reserved{1, 1, {20210501}, may_4}, stay_reserved{1, 2, may_6, may_9});
  CHECK(conflicts(past.when(stay_of(3, {20210503}, may_6))));
  CHECK(conflicts(past.when(stay_of(3, may_4, {20210507}))));
  CHECK(only<stay_reserved>(past.when(stay_of(3, may_4, may_6))).booking == 3);
}

TEST_CASE("hotel calendar: a stay over the end of a year overlaps what is in the next") {
  const auto past = calendars::of(stay_reserved{1, 1, {20201230}, {20210102}});
  CHECK(conflicts(past.when(stay_of(2, {20210101}, {20210103}))));
  CHECK(past.when(stay_of(2, {20210102}, {20210103})).ok());
}

TEST_CASE("hotel calendar: given a stay, when its booking reserves again, then nothing changes and the stay is the answer") {
  CHECK(same(only_answer<stay_reserved>(calendars::of(was_reserved).when(stay_of(11, may_5, may_8))), was_reserved));
}

TEST_CASE("hotel calendar: given a stay, when released, then its days are free again and the others stay") {
  auto past = calendars::of(was_reserved, stay_reserved{1, 12, may_8, may_9});
  const auto e = only<stay_released>(past.when(release_stay{1, 11}));
  CHECK(same(e, stay_released{1, 11}));
  past.take(e);
  CHECK(past.state.stays == "20210508-20210509#12");
  CHECK(only<stay_reserved>(past.when(stay_of(13, may_5, may_8))).booking == 13);
  past.take(stay_released{1, 12});
  CHECK(past.state.stays.empty());
  CHECK(past.state.room_id == 1);
}

TEST_CASE("hotel calendar: given no such stay, when released, then nothing changes") {
  CHECK(nothing_came_of(calendars{}.when(release_stay{1, 11})));
  CHECK(nothing_came_of(calendars::of(was_reserved).when(release_stay{1, 1})));
  CHECK(nothing_came_of(calendars::of(was_reserved, stay_released{1, 11}).when(release_stay{1, 11})));
}

TEST_CASE("hotel calendar: given it is full, when a stay is reserved, then it is refused, and after a release there is room") {
  calendars past;
  std::int64_t booking = 0;
  const auto day = [](std::int64_t n) { return calendar_date{static_cast<std::int32_t>(20200101 + n)}; };  // any ascending numbers will do
  for (;;) {
    const auto r = past.when(stay_of(booking + 1, day(booking), day(booking + 1)));
    if (!r.ok()) {
      CHECK(conflicts(r));
      CHECK(r.why().detail.find("full") != std::string::npos);
      break;
    }
    past.take(only<stay_reserved>(r));
    ++booking;
    REQUIRE(past.state.stays.size() <= stays_bytes_max);
    REQUIRE(booking < 10000);
  }
  CHECK(booking > 365);
  CHECK(nothing_came_of(past.when(stay_of(1, day(0), day(1)))));  // what is in it already is no news
  for (const std::int64_t n : {1, 2}) past.take(only<stay_released>(past.when(release_stay{1, n})));
  CHECK(past.when(stay_of(booking + 1, day(0), day(1))).ok());
}

TEST_CASE("hotel calendar: the longest entry is within what a full calendar leaves free") {
  const stay_reserved longest{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max(), {99991230}, {99991231}};
  const auto entry = calendars::of(longest).state.stays;
  CHECK(entry == "99991230-99991231#9223372036854775807");
  CHECK(entry.size() + 1 <= 40);
}

TEST_CASE("hotel calendar: each room has its own") {
  CHECK(calendar_key(1) == calendar_key(1));
  CHECK(calendar_key(1) != calendar_key(11));
  const auto system = hotel::hotel();
  const auto& key_of = system.context_named("calendar").key_of;
  REQUIRE(key_of);
  CHECK(key_of(value::of(stay_of(11, may_5, may_8))) == calendar_key(1));
  CHECK(key_of(value::of(release_stay{1, 11})) == calendar_key(1));
}

// ---- who talks to whom

TEST_CASE("hotel: guest and host are told of the booking and of the payment") {
  const auto system = hotel::hotel();
  const auto booking = told_by(system, was_booked);
  REQUIRE(booking.size() == 2);
  CHECK(same(as<send_alarm>(booking[0].command), send_alarm{11, 11, "guest 10", "Your booking is made"}));
  CHECK(same(as<send_alarm>(booking[1].command), send_alarm{11, 11, "host 20", "Your room is booked"}));
  const auto payment = told_by(system, was_paid);
  REQUIRE(payment.size() == 2);
  CHECK(same(as<send_alarm>(payment[0].command), send_alarm{11, 11, "guest 10", "Your payment is approved"}));
  CHECK(same(as<send_alarm>(payment[1].command), send_alarm{11, 11, "host 20", "Your room is paid"}));
  for (const auto& t : booking) CHECK(t.key == alarm_key(as<send_alarm>(t.command)));
}

TEST_CASE("hotel: given neither guest nor host is known, then their roles are told") {
  auto e = was_booked;
  e.guest_id = e.host_id = std::nullopt;
  const auto all = told_by(hotel::hotel(), e);
  REQUIRE(all.size() == 2);
  CHECK(as<send_alarm>(all[0].command).to == "guest");
  CHECK(as<send_alarm>(all[1].command).to == "host");
}

TEST_CASE("hotel: the notification carries what the caller calls the booking, and its key the booking's number") {
  auto e = was_booked;
  e.book_id = 4711;
  const auto all = told_by(hotel::hotel(), e, 12);
  REQUIRE(all.size() == 2);
  CHECK(as<send_alarm>(all[0].command).book_id == 4711);
  CHECK(as<send_alarm>(all[0].command).booking == 12);
}

TEST_CASE("hotel: a canceled booking cancels its payment and tells the guest; the calendar hears of it only where it knew it") {
  const auto system = hotel::hotel();
  CHECK(names_told_by(system, was_canceled) == std::vector<std::string>{"cancel_payment", "send_alarm"});
  const auto all = told_by(system, was_canceled_by_calendar);
  REQUIRE(all.size() == 3);
  CHECK(all[0].command.as<cancel_payment>() != nullptr);
  CHECK_FALSE(all[0].to.has_value());  // the booking's own number
  CHECK(same(as<release_stay>(all[1].command), release_stay{1, 11}));
  CHECK(all[1].key == calendar_key(1));
  CHECK(same(as<send_alarm>(all[2].command), send_alarm{11, 11, "guest 10", "Your booking is canceled"}));
}

TEST_CASE("hotel: the guest is told of a canceled payment, and nobody of a voided one") {
  const auto system = hotel::hotel();
  const auto all = told_by(system, was_refunded);
  REQUIRE(all.size() == 1);
  CHECK(same(as<send_alarm>(all[0].command), send_alarm{11, 11, "guest 10", "Your payment is canceled"}));
  CHECK(told_by(system, was_voided).empty());
}

TEST_CASE("hotel: rooms, stays and sent notifications tell no context anything") {
  const auto system = hotel::hotel();
  CHECK(told_by(system, was_registered).empty());
  CHECK(told_by(system, was_removed).empty());
  CHECK(told_by(system, was_reserved).empty());
  CHECK(told_by(system, stay_released{1, 11}).empty());
  CHECK(told_by(system, was_notified).empty());
}

TEST_CASE("hotel: what was notified goes out to the person, and waits while alarm is stopped") {
  const auto system = hotel::hotel();
  REQUIRE(system.notifications.size() == 1);
  const auto& n = system.notifications.front();
  CHECK(n.event == &type_of<notified>());
  CHECK(n.context == system.context_named("alarm").index);
  const auto sent = n.make(&was_notified, {1, 1, feb_2021});
  REQUIRE(sent.has_value());
  CHECK(sent->to == "guest 10");
  CHECK(sent->text == "Hello Your booking is made");
}

TEST_CASE("hotel: the settings are off by default, the prefix is Hello and has bounds") {
  const auto system = hotel::hotel();
  const auto defaults = defaults_of(system);
  REQUIRE(defaults.size() == 3);
  CHECK(defaults.at("requireRoom") == setting_value(false));
  CHECK(defaults.at("rejectOverlaps") == setting_value(false));
  CHECK(defaults.at("alarm.prefix") == setting_value(std::string("Hello")));
  for (const auto& s : system.settings) {
    CHECK(s.meaning.size() > 20);
    if (s.name == "alarm.prefix") CHECK((s.min == 1 && s.max == 100));
  }
}

TEST_CASE("hotel: only a voided payment is gone") {
  const auto system = hotel::hotel();
  for (const auto& c : system.contexts) CHECK(static_cast<bool>(c.gone) == (c.name == "pay"));
  const auto refunded = payments::of(was_paid, was_refunded).state, voided = payments::of(was_paid, was_voided).state;
  CHECK_FALSE(system.context_named("pay").gone(&refunded));
  CHECK(system.context_named("pay").gone(&voided));
}

// ---- what people look at

TEST_CASE("hotel mypage: a booking's row follows booking and payment, in either order of the chain's events") {
  const mypage paid_and_booked{11, 1, 10, 20, 1000, may_5, may_8, book_status::booked, pay_status::approved};
  shown<mypage> page(hotel::hotel(), "mypage");
  page.take(was_paid).take(was_booked);
  CHECK(same(page.row(), paid_and_booked));
  shown<mypage> other(hotel::hotel(), "mypage");
  other.take(was_booked).take(was_paid);
  CHECK(same(other.row(), paid_and_booked));
  page.take(was_canceled);
  CHECK(page.row().book == book_status::canceled);
  CHECK(page.row().pay == pay_status::approved);
  page.take(was_refunded);
  CHECK(same(page.row(), mypage{11, 1, 10, 20, 1000, may_5, may_8, book_status::canceled, pay_status::canceled}));
  CHECK(page.size() == 1);
}

TEST_CASE("hotel mypage: what is canceled without a row makes none") {
  shown<mypage> page(hotel::hotel(), "mypage");
  page.take(was_canceled).take(was_refunded);
  CHECK(page.size() == 0);
}

// ---- what is sent and answered

TEST_CASE("hotel: dates come in three forms and are answered in one") {
  const nlohmann::json body{{"roomId", 1}, {"price", 1000}};
  for (const auto& form : {nlohmann::json(20210505), nlohmann::json("20210505"), nlohmann::json("2021-05-05")}) {
    auto sent = body;
    sent["startDate"] = form;
    sent["endDate"] = "2021-05-08";
    const auto r = from_json(type_of<place_booking>(), sent);
    REQUIRE(r.ok());
    CHECK(as<place_booking>(*r).start_date == may_5);
    CHECK(as<place_booking>(*r).end_date == may_8);
    CHECK_FALSE(as<place_booking>(*r).book_id.has_value());
  }
  CHECK(
      answered(books::of(was_booked_by_calendar).state) ==
      R"("bookId":11,"roomId":1,"price":1000,"hostId":20,"guestId":10,"startDate":"2021-05-05","endDate":"2021-05-08","status":"Booked")");
}

TEST_CASE("hotel: a booking needs room, price and both days; a room its price") {
  const nlohmann::json whole{{"roomId", 1}, {"price", 1000}, {"startDate", 20210505}, {"endDate", 20210508}};
  REQUIRE(from_json(type_of<place_booking>(), whole).ok());
  for (const auto& [name, sent] : whole.items()) {
    auto less = whole;
    less.erase(name);
    CHECK(invalid(from_json(type_of<place_booking>(), less), name));
  }
  CHECK(from_json(type_of<register_room>(), nlohmann::json{{"price", 1500}}).ok());
  CHECK(invalid(from_json(type_of<register_room>(), nlohmann::json::object()), "price"));
}
