#include "behaviors/hotel/hotel.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "behaviors/hotel/alarm.hpp"
#include "behaviors/hotel/book.hpp"
#include "behaviors/hotel/calendar.hpp"
#include "behaviors/hotel/mypage.hpp"
#include "behaviors/hotel/pay.hpp"
#include "behaviors/hotel/room.hpp"

namespace crema::hotel {

namespace {

std::string called(const char* role, const std::optional<std::int64_t>& id) { return id ? role + (" " + std::to_string(*id)) : role; }

// The booking's number is that of its payment, too.
auto tell_guest(std::string text) {
  return [text = std::move(text)](const auto& e, const event_meta& m) {
    return send_alarm{static_cast<std::int64_t>(m.id), e.book_id, called("guest", e.guest_id), text};
  };
}

auto tell_host(std::string text) {
  return [text = std::move(text)](const auto& e, const event_meta& m) {
    return send_alarm{static_cast<std::int64_t>(m.id), e.book_id, called("host", e.host_id), text};
  };
}

}  // namespace

system_declaration hotel() {
  system_builder s("hotel");
  s.setting({"requireRoom", false, "Whether only a registered room can be booked.", 0, 0});
  s.setting({"rejectOverlaps", false,
             "Whether a stay that overlaps another one in the same room is refused. Stays booked while this is off are not looked at.", 0,
             0});
  s.setting({"alarm.prefix", std::string("Hello"), "How each notification to guest and host begins.", 1, 100});

  // Their order numbers them on disk: FROZEN, append only.
  s.context<room>("room", "room", "rooms")
      .handles<register_room, remove_room, check_room>()
      .records<room_registered, room_removed>()
      .on_create<register_room>()
      .on_remove<remove_room>()
      .finder_up_to("findByPriceLessThanEqual", &room::price);

  s.context<book>("book", "book", "books")
      .handles<place_booking, cancel_booking>()
      .records<booked, book_canceled>()
      .on_create<place_booking>()
      .on_remove<cancel_booking>()
      .finder("findByRoomId", &book::room_id);

  s.context<payment>("pay", "payment", "payments")
      .handles<approve_payment, void_payment, cancel_payment>()
      .records<payment_approved, payment_canceled>()
      .gone_when([](const payment& p) { return gone(p); })
      .finder("findByBookId", &payment::book_id);

  s.context("mypage");

  s.context<alarm>("alarm", "notification", "notifications")
      .handles<send_alarm>()
      .records<notified>()
      .keyed_by<send_alarm>([](const auto& c) { return alarm_key(c); })
      .finder("findByBookId", &alarm::book_id);

  s.context<calendar>("calendar", "calendar", "calendars")
      .handles<reserve_stay, release_stay>()
      .records<stay_reserved, stay_released>()
      .keyed_by<reserve_stay, release_stay>([](const auto& c) { return calendar_key(c.room_id); })
      .finder("findByRoomId", &calendar::room_id);

  // Who talks to whom. (book asks pay, and where the settings say so room and calendar: in its decider.)
  s.whenever<book_canceled>().tell<cancel_payment>([](const book_canceled&) { return cancel_payment{}; });
  s.whenever<book_canceled>().tell<release_stay>([](const book_canceled& e, const event_meta& m) {
    return e.in_calendar ? std::optional(release_stay{e.room_id, static_cast<std::int64_t>(m.id)}) : std::nullopt;
  });

  s.whenever<booked>().tell<send_alarm>(tell_guest("Your booking is made")).tell<send_alarm>(tell_host("Your room is booked"));
  s.whenever<payment_approved>().tell<send_alarm>(tell_guest("Your payment is approved")).tell<send_alarm>(tell_host("Your room is paid"));
  s.whenever<book_canceled>().tell<send_alarm>(tell_guest("Your booking is canceled"));
  s.whenever<payment_canceled>().tell<send_alarm>(
      [tell = tell_guest("Your payment is canceled")](const payment_canceled& e, const event_meta& m) {
        return e.voided ? std::nullopt : std::optional(tell(e, m));
      });

  // What people are told.
  s.whenever<notified>().notify("alarm", [](const notified& e) { return notification{e.to, e.text}; });

  // What people look at. Numbered like the contexts: FROZEN, append only.
  s.view<mypage>("mypage", "mypage", "mypages")
      .takes<booked, book_canceled, payment_approved, payment_canceled>()
      .finder("findByGuestId", &mypage::guest_id)
      .finder("findByHostId", &mypage::host_id);

  return std::move(s).build();
}

}  // namespace crema::hotel
