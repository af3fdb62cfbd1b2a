#include "behaviors/breakfast/customer.hpp"

namespace crema::breakfast {

namespace {

customer_facts facts_of(const customer& s) { return {s.name, s.phone, s.address, s.age}; }

void take(customer& s, const customer_facts& f) { s = {f.name, f.phone, f.address, f.age, false}; }

rejection no_such_customer() { return rejection::not_found("There is no such customer."); }

}  // namespace

result<outcome> decide(const customer&, const join& c, const given& g) {
  if (g.exists) return rejection::conflict("This customer has joined already.");
  return record_event(customer_joined{c});
}

result<outcome> decide(const customer&, const replace_customer& c, const given& g) {
  if (!g.exists) return no_such_customer();
  return record_event(customer_changed{c});
}

result<outcome> decide(const customer& s, const change_customer& c, const given& g) {
  if (!g.exists) return no_such_customer();
  return record_event(
      customer_changed{{c.name.value_or(s.name), c.phone ? c.phone : s.phone, c.address ? c.address : s.address, c.age ? c.age : s.age}});
}

result<outcome> decide(const customer& s, const leave&, const given& g) {
  if (!g.exists) return no_such_customer();
  return record_event(customer_left{facts_of(s)});
}

result<outcome> decide(const customer& s, const check_customer&, const given& g) {
  if (!g.exists) return rejection::invalid("customerid", "There is no customer " + std::to_string(g.id) + "; see /customers.");
  return nothing().answering(customer_joined{facts_of(s)});
}

void evolve(customer& s, const customer_joined& e) { take(s, e); }

void evolve(customer& s, const customer_changed& e) { take(s, e); }

void evolve(customer& s, const customer_left&) { s.left = true; }

bool gone(const customer& s) { return s.left; }

}  // namespace crema::breakfast
