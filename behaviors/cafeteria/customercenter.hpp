// What people look at: the customer's page, the barista's list and the ledger of sales; and what the customer is told.
//
// Each view is built from the event stream in its order, and never sees a chain that failed: an order's own event comes before
// anything of its drink. Rows of mypage and orderinfo carry the order's number, those of the ledger are appended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/fields.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "behaviors/cafeteria/sale.hpp"
#include "behaviors/core/declaration.hpp"

namespace crema::cafeteria {
enum class mypage_status : std::uint8_t { ordered, receipted, made, order_canceled };
}
template <>
inline constexpr std::array<std::string_view, 4> crema::literals_of<crema::cafeteria::mypage_status>{"Ordered", "Receipted", "Made",
                                                                                                     "OrderCanceled"};

namespace crema::cafeteria {

// ---- mypage: how far the customer's order has come

struct mypage {
  static constexpr std::string_view type_name = "mypage";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  std::int64_t amt = 0;
  mypage_status status{};
  mypage_status progress{};  ///< what it would show were the order not canceled: shown again when the cancel fails

  static std::vector<field_spec> fields() {
    return {order_id_field<&mypage::order_id>(),
            phone_number_field<&mypage::phone_number>(),
            product_name_field<&mypage::product_name>(),
            qty_field<&mypage::qty>(),
            amt_field<&mypage::amt>(),
            field<&mypage::status>("status"),
            field<&mypage::progress>("progress").hide()};
  }
};

void apply(rows<mypage>&, const ordered&, const event_meta&);
void apply(rows<mypage>&, const order_canceled&, const event_meta&);
void apply(rows<mypage>&, const order_cancel_reverted&, const event_meta&);
void apply(rows<mypage>&, const receipted&, const event_meta&);
void apply(rows<mypage>&, const made&, const event_meta&);

// ---- orderinfo: what the barista works from

struct orderinfo {
  static constexpr std::string_view type_name = "orderinfo";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t qty = 0;
  drink_status status{};

  static std::vector<field_spec> fields() {
    return {order_id_field<&orderinfo::order_id>(), phone_number_field<&orderinfo::phone_number>(),
            product_name_field<&orderinfo::product_name>(), qty_field<&orderinfo::qty>(), field<&orderinfo::status>("status")};
  }
};

void apply(rows<orderinfo>&, const drink_ordered&, const event_meta&);
void apply(rows<orderinfo>&, const receipted&, const event_meta&);
void apply(rows<orderinfo>&, const made&, const event_meta&);
void apply(rows<orderinfo>&, const drink_canceled&, const event_meta&);

// ---- sale_page: the ledger. What was counted and taken back, with the running sum

/// By phone number and month: how the ledger finds its last row.
inline constexpr std::string_view ledger_finder = "findByPhoneNumberAndYyyymm";

struct sale_page {
  static constexpr std::string_view type_name = "salePage";
  std::int64_t order_id = 0;
  std::string phone_number{};
  std::string product_name{};
  std::int64_t amt = 0;
  std::string yyyymm{};
  std::int64_t sum_amt = 0;

  static std::vector<field_spec> fields() {
    return {order_id_field<&sale_page::order_id>(),
            phone_number_field<&sale_page::phone_number>(),
            product_name_field<&sale_page::product_name>(),
            amt_field<&sale_page::amt>().at_least(-amt_max).means("Negative where a sale was taken back."),
            month_field<&sale_page::yyyymm>(),
            field<&sale_page::sum_amt>("sumAmt").means("The sum of this phone number and month after this row.")};
  }
};

void apply(rows<sale_page>&, const sale_counted&, const event_meta&);
void apply(rows<sale_page>&, const sale_uncounted&, const event_meta&);

}  // namespace crema::cafeteria
