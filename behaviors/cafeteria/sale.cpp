#include "behaviors/cafeteria/sale.hpp"

namespace crema::cafeteria {

result<outcome> decide(const sale& s, const count_sale& c, const given&) {
  if (s.sum_amt > sum_amt_max - c.amt)
    return rejection::conflict("The sales of " + c.yyyymm + " for this phone number are as high as can be counted.");
  return record_event(sale_counted{c.order_id, c.phone_number, c.product_name, c.amt, c.yyyymm, s.sum_amt + c.amt});
}

result<outcome> decide(const sale& s, const uncount_sale& c, const given& g) {
  if (!g.exists) return nothing();
  // Every uncount follows its count, so this cannot be; refused all the same, so that a mistake shows up instead of a negative sum.
  if (s.sum_amt < c.amt)
    return rejection::conflict("The sales of " + c.yyyymm + " do not hold the amount of order " + std::to_string(c.order_id) + ".");
  return record_event(sale_uncounted{c.order_id, c.phone_number, c.product_name, c.amt, c.yyyymm, s.sum_amt - c.amt, c.voided});
}

void evolve(sale& s, const sale_counted& e) { s = {e.phone_number, e.yyyymm, e.sum_amt, s.orders + 1}; }

void evolve(sale& s, const sale_uncounted& e) {
  s.sum_amt = e.sum_amt;
  if (e.voided) --s.orders;
}

bool gone(const sale& s) { return s.orders == 0; }

std::string sale_key(std::string_view phone_number, std::string_view yyyymm) {
  std::string key(phone_number);
  key += '|';
  key += yyyymm;
  return key;
}

}  // namespace crema::cafeteria
