// What there is to eat, with its price and its stock. An order takes its stock in its own step; what it took comes back with its cancel.
//
// Pure; called by the catalogue's entity, one message at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/breakfast/fields.hpp"
#include "behaviors/core/decider.hpp"

namespace crema::breakfast {

/// An event tells by how much the stock changed as well: a view that has not seen every step yet adds it up.
struct catalog_facts {
  std::string name{};
  std::int64_t stock = 0;
  decimal price{};
  std::int64_t stock_change = 0;

  static std::vector<field_spec> fields() {
    return {name_field<&catalog_facts::name>(), stock_field<&catalog_facts::stock>(), price_field<&catalog_facts::price>(),
            field<&catalog_facts::stock_change>("stockChange")};
  }
};

// ---- state

struct catalog {
  static constexpr std::string_view type_name = "foodCatalog";
  std::string name{};
  std::int64_t stock = 0;
  decimal price{};
  bool removed = false;

  static std::vector<field_spec> fields() {
    return {name_field<&catalog::name>(), stock_field<&catalog::stock>(), price_field<&catalog::price>(),
            field<&catalog::removed>("removed").hide()};
  }
};

// ---- commands

struct register_catalog {
  static constexpr std::string_view type_name = "register_catalog";
  std::string name{};
  std::int64_t stock = 0;
  decimal price{};

  static std::vector<field_spec> fields() {
    return {name_field<&register_catalog::name>(), stock_field<&register_catalog::stock>(), price_field<&register_catalog::price>()};
  }
};

struct replace_catalog {
  static constexpr std::string_view type_name = "replace_catalog";
  std::string name{};
  std::int64_t stock = 0;
  decimal price{};

  static std::vector<field_spec> fields() {
    return {name_field<&replace_catalog::name>(), stock_field<&replace_catalog::stock>(), price_field<&replace_catalog::price>()};
  }
};

/// What is left out stays as it is.
struct change_catalog {
  static constexpr std::string_view type_name = "change_catalog";
  std::optional<std::string> name{};
  std::optional<std::int64_t> stock{};
  std::optional<decimal> price{};

  static std::vector<field_spec> fields() {
    return {field<&change_catalog::name>("name").length(1, 100).may_be_left_out(),
            field<&change_catalog::stock>("stock").at_least(0).at_most(stock_max).may_be_left_out(),
            field<&change_catalog::price>("price").at_least(0).at_most(price_max).may_be_left_out()};
  }
};

struct remove_catalog {
  static constexpr std::string_view type_name = "remove_catalog";
  static std::vector<field_spec> fields() { return {}; }
};

struct take_stock {
  static constexpr std::string_view type_name = "take_stock";
  std::int64_t qty = 0;

  static std::vector<field_spec> fields() { return {qty_field<&take_stock::qty>()}; }
};

struct give_back_stock {
  static constexpr std::string_view type_name = "give_back_stock";
  std::int64_t qty = 0;

  static std::vector<field_spec> fields() { return {qty_field<&give_back_stock::qty>()}; }
};

// ---- events

struct catalog_registered : catalog_facts {
  static constexpr std::string_view type_name = "CatalogRegistered";
};

struct catalog_changed : catalog_facts {
  static constexpr std::string_view type_name = "CatalogChanged";
};

struct catalog_removed : catalog_facts {
  static constexpr std::string_view type_name = "CatalogRemoved";
};

struct stock_changed : catalog_facts {
  static constexpr std::string_view type_name = "StockChanged";
};

// ---- rules

result<outcome> decide(const catalog&, const register_catalog&, const given&);  // nothing → catalog_registered
result<outcome> decide(const catalog&, const replace_catalog&, const given&);   // → catalog_changed
result<outcome> decide(const catalog&, const change_catalog&, const given&);    // → catalog_changed
result<outcome> decide(const catalog&, const remove_catalog&, const given&);    // → catalog_removed
result<outcome> decide(const catalog&, const take_stock&, const given&);        // enough left → stock_changed
result<outcome> decide(const catalog&, const give_back_stock&, const given&);   // → stock_changed

void evolve(catalog&, const catalog_registered&);
void evolve(catalog&, const catalog_changed&);
void evolve(catalog&, const catalog_removed&);
void evolve(catalog&, const stock_changed&);

bool gone(const catalog&);

}  // namespace crema::breakfast
