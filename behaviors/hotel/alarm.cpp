#include "behaviors/hotel/alarm.hpp"

namespace crema::hotel {

result<outcome> decide(const alarm&, const send_alarm& c, const given& g) {
  if (g.exists) return nothing();
  return record_event(notified{{c.book_id, c.to, g.setting<std::string>("alarm.prefix") + " " + c.text, g.now}});
}

void evolve(alarm& s, const notified& e) { s = {e}; }

std::string alarm_key(const send_alarm& c) { return std::to_string(c.booking) + "|" + c.to + "|" + c.text; }

}  // namespace crema::hotel
