#include "behaviors/cafeteria/drink.hpp"

namespace crema::cafeteria {

namespace {

rejection not_allowed(const drink& s, std::string_view wanted, std::string_view advice) {
  const auto present = literals_of<drink_status>[static_cast<std::size_t>(s.status)];
  return rejection::conflict("This drink is " + std::string(present) + " and cannot become " + std::string(wanted) + ". " +
                             std::string(advice));
}

}  // namespace

result<outcome> decide(const drink&, const make_drink& c, const given& g) {
  if (g.exists) return nothing();
  return record_event(drink_ordered{c.order_id, c.phone_number, c.product_name, c.qty, g.now, drink_status::payment_approved});
}

result<outcome> decide(const drink& s, const receipt_drink&, const given& g) {
  if (!g.exists) return rejection::not_found("There is no such drink.");
  switch (s.status) {
    case drink_status::payment_approved:
      return record_event(receipted{s.order_id, s.phone_number, s.product_name, s.qty, s.create_time, drink_status::receipted});
    case drink_status::receipted: return nothing();
    case drink_status::made: return not_allowed(s, "Receipted", "It is ready to be taken.");
    case drink_status::drink_canceled: break;
  }
  return not_allowed(s, "Receipted", "Do not make it.");
}

result<outcome> decide(const drink& s, const finish_drink&, const given& g) {
  if (!g.exists) return rejection::not_found("There is no such drink.");
  switch (s.status) {
    case drink_status::receipted:
      return record_event(made{s.order_id, s.phone_number, s.product_name, s.qty, s.create_time, drink_status::made});
    case drink_status::made: return nothing();
    case drink_status::payment_approved: return not_allowed(s, "Made", "Set it to Receipted first.");
    case drink_status::drink_canceled: break;
  }
  return not_allowed(s, "Made", "Do not make it.");
}

result<outcome> decide(const drink& s, const cancel_drink& c, const given& g) {
  // The order's cancel and the payment's make_drink have different senders, so nothing promises their order here. A cancel that comes
  // first settles the drink for good: taken as "nothing to do", it would leave a customer who canceled with a bill and a drink;
  // taken as cancel_failed, it would tell him of a drink that nobody has started. The make_drink that follows finds it canceled.
  if (!g.exists)
    return record_event(drink_canceled{c.order_id, c.phone_number, c.product_name, c.qty, g.now, drink_status::drink_canceled});
  switch (s.status) {
    case drink_status::payment_approved:
      return record_event(drink_canceled{s.order_id, s.phone_number, s.product_name, s.qty, s.create_time, drink_status::drink_canceled});
    case drink_status::receipted:
    case drink_status::made:
      if (c.cancel_attempt <= s.cancel_attempt) return nothing();
      return record_event(cancel_failed{s.order_id, s.phone_number, s.product_name, s.qty, s.create_time, s.status, c.cancel_attempt});
    case drink_status::drink_canceled: break;
  }
  return nothing();
}

void evolve(drink& s, const drink_ordered& e) { s = {e.order_id, e.phone_number, e.product_name, e.qty, e.create_time, e.status, 0}; }

void evolve(drink& s, const receipted& e) { s.status = e.status; }

void evolve(drink& s, const made& e) { s.status = e.status; }

// Whole, because it may be the drink's first event.
void evolve(drink& s, const drink_canceled& e) {
  s = {e.order_id, e.phone_number, e.product_name, e.qty, e.create_time, e.status, s.cancel_attempt};
}

void evolve(drink& s, const cancel_failed& e) { s.cancel_attempt = e.cancel_attempt; }

}  // namespace crema::cafeteria
