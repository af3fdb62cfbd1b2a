// What people look at: the customer's orders, and the catalogue as it is offered. Rows carry the order's and the catalogue's number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/breakfast/catalog.hpp"
#include "behaviors/breakfast/delivery.hpp"
#include "behaviors/breakfast/order.hpp"
#include "behaviors/core/declaration.hpp"

namespace crema::breakfast {

struct my_order {
  static constexpr std::string_view type_name = "myOrder";
  std::int64_t order_id = 0;
  std::int64_t customer_id = 0;
  std::int64_t catalog_id = 0;
  std::int64_t qty = 0;
  std::optional<std::int64_t> delivery_id{};
  std::optional<delivery_status> status{};

  static std::vector<field_spec> fields() {
    return {field<&my_order::order_id>("orderid"),        customer_id_field<&my_order::customer_id>(),
            field<&my_order::catalog_id>("foodcatlogid"), qty_field<&my_order::qty>(),
            field<&my_order::delivery_id>("deliveryid"),  field<&my_order::status>("status")};
  }
};

void apply(rows<my_order>&, const ordered&, const event_meta&);
void apply(rows<my_order>&, const delivery_ordered&, const event_meta&);
void apply(rows<my_order>&, const shipped&, const event_meta&);
void apply(rows<my_order>&, const delivered&, const event_meta&);
void apply(rows<my_order>&, const delivery_canceled&, const event_meta&);

struct catalog_view {
  static constexpr std::string_view type_name = "foodCatalogView";
  std::int64_t catalog_id = 0;
  std::string name{};
  std::int64_t stock = 0;
  decimal price{};

  static std::vector<field_spec> fields() {
    return {field<&catalog_view::catalog_id>("foodCatalogId"), name_field<&catalog_view::name>(), stock_field<&catalog_view::stock>(),
            price_field<&catalog_view::price>()};
  }
};

void apply(rows<catalog_view>&, const catalog_registered&, const event_meta&);
void apply(rows<catalog_view>&, const catalog_changed&, const event_meta&);
void apply(rows<catalog_view>&, const catalog_removed&, const event_meta&);
void apply(rows<catalog_view>&, const stock_changed&, const event_meta&);

}  // namespace crema::breakfast
