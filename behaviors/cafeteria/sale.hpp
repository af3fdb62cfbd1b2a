// The sale: the sum of one phone number's standing payments of one month. Found by that pair, not by a number.
//
// It sees many orders and remembers none: the runtime lets each message take effect once, so counting needs no list.
// Pure; called by the sale's entity, one message at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/cafeteria/fields.hpp"
#include "behaviors/core/decider.hpp"

namespace crema::cafeteria {

/// Nine million orders of the highest amount fit into one month of one phone number; the one beyond is refused, never wrapped.
inline constexpr std::int64_t sum_amt_max = std::numeric_limits<std::int64_t>::max();

// ---- state

struct sale {
  static constexpr std::string_view type_name = "sale";
  std::string phone_number{};
  std::string yyyymm{};
  std::int64_t sum_amt = 0;
  std::int64_t orders = 0;  ///< orders that were ever counted, less those whose chain failed: with none left the sale is gone

  static std::vector<field_spec> fields() {
    return {phone_number_field<&sale::phone_number>(), month_field<&sale::yyyymm>(), field<&sale::sum_amt>("sumAmt").at_least(0),
            field<&sale::orders>("orders").hide()};
  }
};

// ---- commands

struct count_sale {
  static constexpr std::string_view type_name = "count_sale";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::string yyyymm{};
  std::int64_t amt = 0;

  static std::vector<field_spec> fields() {
    return {order_id_field<&count_sale::order_id>(), phone_number_field<&count_sale::phone_number>(),
            product_name_field<&count_sale::product_name>(), month_field<&count_sale::yyyymm>(), amt_field<&count_sale::amt>()};
  }
};

struct uncount_sale {
  static constexpr std::string_view type_name = "uncount_sale";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::string yyyymm{};
  std::int64_t amt = 0;
  bool voided = false;  ///< the order's chain failed: it never counted

  static std::vector<field_spec> fields() {
    return {order_id_field<&uncount_sale::order_id>(),
            phone_number_field<&uncount_sale::phone_number>(),
            product_name_field<&uncount_sale::product_name>(),
            month_field<&uncount_sale::yyyymm>(),
            amt_field<&uncount_sale::amt>(),
            field<&uncount_sale::voided>("voided").hide()};
  }
};

// ---- events. sum_amt is the sum after the event.

struct sale_counted {
  static constexpr std::string_view type_name = "SaleCounted";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t amt = 0;
  std::string yyyymm{};
  std::int64_t sum_amt = 0;

  static std::vector<field_spec> fields() {
    return {order_id_field<&sale_counted::order_id>(),
            phone_number_field<&sale_counted::phone_number>(),
            product_name_field<&sale_counted::product_name>(),
            amt_field<&sale_counted::amt>(),
            month_field<&sale_counted::yyyymm>(),
            field<&sale_counted::sum_amt>("sumAmt")};
  }
};

struct sale_uncounted {
  static constexpr std::string_view type_name = "SaleUncounted";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t amt = 0;
  std::string yyyymm{};
  std::int64_t sum_amt = 0;
  bool voided = false;

  static std::vector<field_spec> fields() {
    return {order_id_field<&sale_uncounted::order_id>(),
            phone_number_field<&sale_uncounted::phone_number>(),
            product_name_field<&sale_uncounted::product_name>(),
            amt_field<&sale_uncounted::amt>(),
            month_field<&sale_uncounted::yyyymm>(),
            field<&sale_uncounted::sum_amt>("sumAmt"),
            field<&sale_uncounted::voided>("voided").hide()};
  }
};

// ---- rules

result<outcome> decide(const sale&, const count_sale&, const given&);    // → sale_counted
result<outcome> decide(const sale&, const uncount_sale&, const given&);  // → sale_uncounted

void evolve(sale&, const sale_counted&);
void evolve(sale&, const sale_uncounted&);

bool gone(const sale&);

/// The text under which a sale is found: phone number, then month. The month's width is fixed, so no two pairs make one text.
std::string sale_key(std::string_view phone_number, std::string_view yyyymm);

}  // namespace crema::cafeteria
