#include "behaviors/breakfast/catalog.hpp"

namespace crema::breakfast {

namespace {

rejection no_such_catalog() { return rejection::not_found("There is no such food catalogue."); }

outcome changed(const catalog& s, std::string name, std::int64_t stock, decimal price) {
  return record_event(catalog_changed{{std::move(name), stock, price, stock - s.stock}});
}

outcome stock_moved(const catalog& s, std::int64_t by) { return record_event(stock_changed{{s.name, s.stock + by, s.price, by}}); }

void take(catalog& s, const catalog_facts& f) { s = {f.name, f.stock, f.price, s.removed}; }

}  // namespace

result<outcome> decide(const catalog&, const register_catalog& c, const given& g) {
  if (g.exists) return rejection::conflict("This food catalogue has been registered already.");
  return record_event(catalog_registered{{c.name, c.stock, c.price, c.stock}});
}

result<outcome> decide(const catalog& s, const replace_catalog& c, const given& g) {
  if (!g.exists) return no_such_catalog();
  return changed(s, c.name, c.stock, c.price);
}

result<outcome> decide(const catalog& s, const change_catalog& c, const given& g) {
  if (!g.exists) return no_such_catalog();
  return changed(s, c.name.value_or(s.name), c.stock.value_or(s.stock), c.price.value_or(s.price));
}

result<outcome> decide(const catalog& s, const remove_catalog&, const given& g) {
  if (!g.exists) return no_such_catalog();
  return record_event(catalog_removed{{s.name, s.stock, s.price, 0}});
}

result<outcome> decide(const catalog& s, const take_stock& c, const given& g) {
  if (!g.exists) return rejection::invalid("foodcaltalogid", "There is no food catalogue " + std::to_string(g.id) + "; see /foodCatalogs.");
  if (s.stock < c.qty) return rejection::conflict("There are only " + std::to_string(s.stock) + " of '" + s.name + "' left; order fewer.");
  return stock_moved(s, -c.qty);
}

result<outcome> decide(const catalog& s, const give_back_stock& c, const given& g) {
  if (!g.exists) return nothing();  // removed meanwhile
  return stock_moved(s, c.qty);
}

void evolve(catalog& s, const catalog_registered& e) { take(s, e); }

void evolve(catalog& s, const catalog_changed& e) { take(s, e); }

void evolve(catalog& s, const catalog_removed&) { s.removed = true; }

void evolve(catalog& s, const stock_changed& e) { take(s, e); }

bool gone(const catalog& s) { return s.removed; }

}  // namespace crema::breakfast
