#include "behaviors/cafeteria/cafeteria.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include "behaviors/cafeteria/customercenter.hpp"
#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "behaviors/cafeteria/payment.hpp"
#include "behaviors/cafeteria/sale.hpp"

namespace crema::cafeteria {

namespace {

auto say(std::string text) {
  return [text = std::move(text)](const auto& e) { return notification{e.phone_number, text}; };
}

std::int64_t number_of(const event_meta& m) { return static_cast<std::int64_t>(m.id); }

}  // namespace

system_declaration cafeteria() {
  system_builder s("cafeteria");

  // Their order numbers them on disk: FROZEN, append only.
  s.context<order>("order", "order", "orders")
      .handles<place_order, cancel_order, revert_cancel>()
      .records<ordered, order_canceled, order_cancel_reverted>()
      .on_create<place_order>()
      .on_status<cancel_order>("OrderCanceled")
      .finder("findByPhoneNumber", &order::phone_number);

  s.context<payment>("payment", "payment", "payments")
      .handles<approve_payment, void_payment, cancel_payment>()
      .records<payment_approved, payment_canceled>()
      .gone_when([](const payment& p) { return gone(p); })
      .finder("findByOrderId", &payment::order_id);

  s.context<drink>("drink", "drink", "drinks")
      .handles<make_drink, receipt_drink, finish_drink, cancel_drink>()
      .records<drink_ordered, receipted, made, drink_canceled, cancel_failed>()
      .on_status<receipt_drink>("Receipted")
      .on_status<finish_drink>("Made")
      .finder("findByOrderId", &drink::order_id);

  s.context<sale>("sale", "sale", "sales")
      .handles<count_sale, uncount_sale>()
      .records<sale_counted, sale_uncounted>()
      .keyed_by<count_sale, uncount_sale>([](const auto& c) { return sale_key(c.phone_number, c.yyyymm); })
      .gone_when([](const sale& x) { return gone(x); })
      .finder("findByPhoneNumberAndYyyymm", &sale::phone_number, &sale::yyyymm);

  s.context("customercenter");

  // Who talks to whom. (order asks payment, payment asks sale: in their deciders.)
  s.whenever<payment_approved>().tell<make_drink>([](const payment_approved& e) {
    return make_drink{e.order_id, e.phone_number, e.product_name, e.qty};
  });

  s.whenever<order_canceled>().tell<cancel_drink>([](const order_canceled& e, const event_meta& m) {
    return cancel_drink{number_of(m), e.phone_number, e.product_name, e.qty, e.cancel_attempt};
  });
  s.whenever<drink_canceled>().tell<cancel_payment>([](const drink_canceled& e) { return cancel_payment{e.order_id}; });
  s.whenever<cancel_failed>().tell<revert_cancel>([](const cancel_failed& e) { return revert_cancel{e.order_id, e.cancel_attempt}; });

  s.whenever<payment_canceled>().tell<uncount_sale>(
      [](const payment_canceled& e) { return uncount_sale{e.order_id, e.phone_number, e.product_name, e.yyyymm, e.amt, e.voided}; });

  // What the customer is told.
  s.whenever<ordered>().notify("customercenter", say("Your Order is Ordered"));
  s.whenever<receipted>().notify("customercenter", say("Your Order is Receipted"));
  s.whenever<made>().notify("customercenter", say("Your Order is Made\nCome and Take it, Please!"));
  s.whenever<order_canceled>().notify("customercenter", say("Your Order is OrderCanceled"));
  s.whenever<cancel_failed>().notify("customercenter", say("Your Order is already started. You cannot cancel!!"));

  // What people look at. Numbered like the contexts: FROZEN, append only.
  s.view<mypage>("customercenter", "mypage", "mypages")
      .takes<ordered, order_canceled, order_cancel_reverted, receipted, made>()
      .plain_finder("findByPhoneNumber", &mypage::phone_number);

  s.view<orderinfo>("customercenter", "orderinfo", "orderinfos")
      .takes<drink_ordered, receipted, made, drink_canceled>()
      .finder("findByOrderId", &orderinfo::order_id);

  s.view<sale_page>("customercenter", "salePage", "salePages")
      .takes<sale_counted, sale_uncounted>()
      .finder("findByPhoneNumber", &sale_page::phone_number)
      .finder(std::string(ledger_finder), &sale_page::phone_number, &sale_page::yyyymm);

  return std::move(s).build();
}

}  // namespace crema::cafeteria
