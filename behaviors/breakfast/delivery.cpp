#include "behaviors/breakfast/delivery.hpp"

namespace crema::breakfast {

namespace {

constexpr std::chrono::minutes resumed_by{10};  // no request takes longer (runtime.requestTimeLimitMs)

std::int64_t number(const given& g) { return static_cast<std::int64_t>(g.id); }

rejection no_such_delivery() { return rejection::not_found("There is no such delivery."); }

rejection not_allowed(const delivery& s, std::string_view to, std::string_view fix) {
  return rejection::conflict("A delivery that is '" + std::string(literals_of<delivery_status>[static_cast<std::size_t>(s.status)]) +
                             "' cannot become '" + std::string(to) + "'. " + std::string(fix));
}

}  // namespace

result<outcome> decide(const delivery& s, const prepare_delivery&, const given& g) {
  if (g.exists) {
    // A cancel came first, and may still fail: then it goes back to an order that is known here.
    if (!s.unknown) return nothing();
    auto noted = record_event(delivery_ordered{{number(g), delivery_status::canceled}});
    return g.setting<bool>("autoShip") ? std::move(noted).then_after(resumed_by, start_if_resumed{}) : noted;
  }
  auto prepared = record_event(delivery_ordered{{number(g), delivery_status::ordered}});
  if (!g.setting<bool>("autoShip")) return prepared;
  return std::move(prepared).also(shipped{{number(g), delivery_status::started}});
}

result<outcome> decide(const delivery& s, const start_delivery&, const given& g) {
  if (!g.exists) return no_such_delivery();
  switch (s.status) {
    case delivery_status::ordered: return record_event(shipped{{s.order_id, delivery_status::started}});
    case delivery_status::started: return nothing();
    case delivery_status::completed: return not_allowed(s, "Delivery Start", "It has arrived.");
    case delivery_status::canceled: break;
  }
  return not_allowed(s, "Delivery Start", "Do not send it.");
}

result<outcome> decide(const delivery& s, const start_if_resumed&, const given& g) {
  if (!g.exists || s.status != delivery_status::ordered) return nothing();
  return record_event(shipped{{s.order_id, delivery_status::started}});
}

result<outcome> decide(const delivery& s, const complete_delivery&, const given& g) {
  if (!g.exists) return no_such_delivery();
  switch (s.status) {
    case delivery_status::started: return record_event(delivered{{s.order_id, delivery_status::completed}});
    case delivery_status::completed: return nothing();
    case delivery_status::ordered: return not_allowed(s, "Delivery Completed", "Set it to 'Delivery Start' first.");
    case delivery_status::canceled: break;
  }
  return not_allowed(s, "Delivery Completed", "Do not deliver it.");
}

result<outcome> decide(const delivery& s, const cancel_delivery&, const given& g) {
  const delivery_canceled canceled{number(g), delivery_status::canceled, g.exists};
  if (!g.exists) return record_event(canceled);  // the order's own message comes later, and finds it canceled
  if (s.status == delivery_status::completed) return rejection::conflict("The breakfast has been delivered; its order cannot be canceled.");
  if (s.status == delivery_status::canceled) return nothing().answering(canceled);
  return record_event(canceled);
}

result<outcome> decide(const delivery& s, const resume_delivery&, const given& g) {
  if (!g.exists || s.status != delivery_status::canceled) return nothing();
  return record_event(delivery_resumed{{s.order_id, s.before_cancel}});
}

void evolve(delivery& s, const delivery_ordered& e) { s = {e.order_id, e.status, delivery_status::ordered, false}; }

void evolve(delivery& s, const shipped& e) { s.status = e.status; }

void evolve(delivery& s, const delivered& e) { s.status = e.status; }

void evolve(delivery& s, const delivery_canceled& e) { s = {e.order_id, e.status, s.status, !e.was_known}; }

void evolve(delivery& s, const delivery_resumed& e) { s.status = e.status; }

bool gone(const delivery& s) { return s.unknown && s.status != delivery_status::canceled; }

}  // namespace crema::breakfast
