// The cafeteria's rules, one aggregate at a time: given these events, when this command, then those events (or that refusal).
#include "behaviors/cafeteria/cafeteria.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "behaviors/cafeteria/customercenter.hpp"
#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "behaviors/cafeteria/payment.hpp"
#include "behaviors/cafeteria/sale.hpp"
#include "tests/behaviors/given_when_then.hpp"

using namespace crema;
using namespace crema::cafeteria;
using namespace crema::testing;

namespace {

constexpr timestamp mar_2021{1614556800000};  // 2021-03-01T00:00:00Z
const std::string phone = "01033132570";

const place_order two_coffees{phone, "coffee", 2, 1000};
const ordered was_ordered{phone, "coffee", 2, 1000, feb_2021, order_status::ordered};
const order_canceled was_canceled{phone, "coffee", 2, 1000, feb_2021, order_status::order_canceled, 1};
const order_cancel_reverted was_reverted{phone, "coffee", 2, 1000, feb_2021, order_status::ordered};

const approve_payment pay{11, phone, "coffee", 2, 1000};
const payment_approved was_paid{11, phone, "coffee", 2, 1000, "202102", feb_2021, payment_status::payment_approved};
const payment_canceled was_refunded{11, phone, "coffee", 2, 1000, "202102", feb_2021, payment_status::payment_canceled, false};
const payment_canceled was_voided{11, phone, "coffee", 2, 1000, "202102", feb_2021, payment_status::payment_canceled, true};

const make_drink brew{11, phone, "coffee", 2};
const cancel_drink stop_it{11, phone, "coffee", 2, 1};
const drink_ordered was_queued{11, phone, "coffee", 2, feb_2021, drink_status::payment_approved};
const receipted was_receipted{11, phone, "coffee", 2, feb_2021, drink_status::receipted};
const made was_made{11, phone, "coffee", 2, feb_2021, drink_status::made};
const drink_canceled was_stopped{11, phone, "coffee", 2, feb_2021, drink_status::drink_canceled};
const cancel_failed was_too_late{11, phone, "coffee", 2, feb_2021, drink_status::receipted, 1};

const count_sale count{11, phone, "coffee", "202102", 1000};
const uncount_sale uncount{11, phone, "coffee", "202102", 1000, false};
const uncount_sale uncount_void{11, phone, "coffee", "202102", 1000, true};
const sale_counted was_counted{11, phone, "coffee", 1000, "202102", 1000};

using orders = history<order>;
using payments = history<payment>;
using drinks = history<drink>;
using sales = history<sale>;

template <record T>
void comes_back(const T& object) {
  const auto& type = type_of<T>();
  std::string bytes;
  encode_fields(type, &object, bytes);
  const auto back = decode_fields(type, type.version, bytes);
  REQUIRE(back.template as<T>() != nullptr);
  std::string again;
  encode_fields(type, back.data(), again);
  CHECK(again == bytes);
  for (const auto& f : type.fields) {
    INFO(type.name << "." << f.name);
    CHECK(f.get(&object) == f.get(back.data()));
  }
}

}  // namespace

// ---- order

TEST_CASE("order: given nothing, when placed, then it asks for the payment, undone by voiding it") {
  const auto r = orders{}.when(two_coffees);
  REQUIRE(r.ok());
  CHECK(r->events.empty());
  REQUIRE(r->asks.size() == 1);
  const auto* asked = r->asks.front().command.as<approve_payment>();
  REQUIRE(asked != nullptr);
  CHECK(asked->order_id == 11);
  CHECK(asked->phone_number == phone);
  CHECK(asked->product_name == "coffee");
  CHECK(asked->qty == 2);
  CHECK(asked->amt == 1000);
  CHECK_FALSE(r->asks.front().to.has_value());
  REQUIRE(r->asks.front().undo.as<void_payment>() != nullptr);
  CHECK(r->asks.front().undo.as<void_payment>()->order_id == 11);
}

TEST_CASE("order: given nothing, when placed and paid, then it is Ordered") {
  const auto e = only<ordered>(orders{}.with(was_paid).when(two_coffees));
  CHECK(e.phone_number == phone);
  CHECK(e.product_name == "coffee");
  CHECK(e.qty == 2);
  CHECK(e.amt == 1000);
  CHECK(e.create_time == feb_2021);
  CHECK(orders::of(e).state.status == order_status::ordered);
}

TEST_CASE("order: given an order, when placed again, then it is refused") {
  CHECK(conflicts(orders::of(was_ordered).with(was_paid).when(two_coffees)));
}

TEST_CASE("order: given nothing, when canceled, then there is no such order") { CHECK(not_found(orders{}.when(cancel_order{}))); }

TEST_CASE("order: given an order, when canceled, then it is OrderCanceled by its first attempt") {
  const auto e = only<order_canceled>(orders::of(was_ordered).when(cancel_order{}));
  CHECK(e.cancel_attempt == 1);
  CHECK(e.create_time == was_ordered.create_time);
  CHECK(orders::of(was_ordered, e).state.status == order_status::order_canceled);
}

TEST_CASE("order: given a canceled order, when canceled again, then nothing changes and that is a success") {
  CHECK(nothing_came_of(orders::of(was_ordered, was_canceled).when(cancel_order{})));
}

TEST_CASE("order: given a canceled order, when its cancel failed, then the order is Ordered again") {
  const auto e = only<order_cancel_reverted>(orders::of(was_ordered, was_canceled).when(revert_cancel{11, 1}));
  CHECK(orders::of(was_ordered, was_canceled, e).state.status == order_status::ordered);
}

TEST_CASE("order: given a failed cancel, when canceled again, then it is a new attempt") {
  const auto e = only<order_canceled>(orders::of(was_ordered, was_canceled, was_reverted).when(cancel_order{}));
  CHECK(e.cancel_attempt == 2);
}

TEST_CASE("order: given a second cancel, when the first one's failure comes late, then the second stands") {
  auto second = was_canceled;
  second.cancel_attempt = 2;
  CHECK(nothing_came_of(orders::of(was_ordered, was_canceled, was_reverted, second).when(revert_cancel{11, 1})));
}

TEST_CASE("order: given an order that stands or none, when a cancel is reverted, then nothing changes") {
  CHECK(nothing_came_of(orders::of(was_ordered).when(revert_cancel{11, 0})));
  CHECK(nothing_came_of(orders::of(was_ordered, was_canceled, was_reverted).when(revert_cancel{11, 1})));
  CHECK(nothing_came_of(orders{}.when(revert_cancel{11, 1})));
}

// ---- payment

TEST_CASE(
    "payment: given nothing, when to be approved, then it asks to count the sale of this month (UTC), undone by uncounting it as void") {
  const auto r = payments{}.when(pay);
  REQUIRE(r.ok());
  CHECK(r->events.empty());
  REQUIRE(r->asks.size() == 1);
  const auto* asked = r->asks.front().command.as<count_sale>();
  REQUIRE(asked != nullptr);
  CHECK(asked->yyyymm == "202102");
  CHECK(asked->phone_number == phone);
  CHECK(asked->amt == 1000);
  CHECK(asked->order_id == 11);
  const auto* undo = r->asks.front().undo.as<uncount_sale>();
  REQUIRE(undo != nullptr);
  CHECK(undo->yyyymm == asked->yyyymm);
  CHECK(undo->phone_number == asked->phone_number);
  CHECK(undo->amt == asked->amt);
  CHECK(undo->voided);
}

TEST_CASE("payment: given nothing, when to be approved and the sale is counted, then it is PaymentApproved with what the drink needs") {
  const auto e = only<payment_approved>(payments{}.with(was_counted).when(pay));
  CHECK(e.order_id == 11);
  CHECK(e.product_name == "coffee");
  CHECK(e.qty == 2);
  CHECK(e.amt == 1000);
  CHECK(e.yyyymm == "202102");
  CHECK(payments::of(e).state.status == payment_status::payment_approved);
}

TEST_CASE("payment: given the month turns between asking and approving, then the payment keeps the month that was counted") {
  auto late = payments{}.with(was_counted);
  late.now = mar_2021;
  CHECK(only<payment_approved>(late.when(pay)).yyyymm == "202102");
}

TEST_CASE("payment: given an approved payment, when approved again, then nothing changes and the first approval is the answer") {
  const auto r = payments::of(was_paid).when(pay);
  REQUIRE(nothing_came_of(r));
  const auto* answer = r->answer.as<payment_approved>();
  REQUIRE(answer != nullptr);
  CHECK(answer->order_id == 11);
  CHECK(answer->yyyymm == "202102");
  CHECK(answer->create_time == feb_2021);
}

TEST_CASE("payment: given a canceled payment, when to be approved, then it is refused") {
  CHECK(conflicts(payments::of(was_paid, was_refunded).when(pay)));
}

TEST_CASE("payment: given a voided payment, when to be approved, then it begins afresh") {
  const auto past = payments::of(was_paid, was_voided);
  CHECK_FALSE(past.exists);
  REQUIRE(past.when(pay).ok());
  CHECK(past.when(pay)->asks.size() == 1);
  auto again = past;
  again.take(only<payment_approved>(past.with(was_counted).when(pay)));
  CHECK(again.exists);
  CHECK(again.state.status == payment_status::payment_approved);
}

TEST_CASE("payment: given an approved payment, when voided, then it is canceled and gone") {
  const auto e = only<payment_canceled>(payments::of(was_paid).when(void_payment{11}));
  CHECK(e.voided);
  CHECK(e.yyyymm == "202102");
  CHECK(e.amt == 1000);
  CHECK_FALSE(payments::of(was_paid, e).exists);
}

TEST_CASE("payment: given an approved payment, when canceled, then it is PaymentCanceled and still there") {
  const auto e = only<payment_canceled>(payments::of(was_paid).when(cancel_payment{11}));
  CHECK_FALSE(e.voided);
  CHECK(e.yyyymm == "202102");
  CHECK(payments::of(was_paid, e).exists);
  CHECK(payments::of(was_paid, e).state.status == payment_status::payment_canceled);
}

TEST_CASE("payment: given no payment or one already taken back, when voided or canceled, then nothing changes") {
  for (const auto& past : {payments{}, payments::of(was_paid, was_refunded), payments::of(was_paid, was_voided)}) {
    CHECK(nothing_came_of(past.when(void_payment{11})));
    CHECK(nothing_came_of(past.when(cancel_payment{11})));
  }
}

// ---- drink

TEST_CASE("drink: given nothing, when the payment is approved, then the barista knows it") {
  const auto e = only<drink_ordered>(drinks{}.when(brew));
  CHECK(e.order_id == 11);
  CHECK(e.create_time == feb_2021);
  CHECK(drinks::of(e).state.status == drink_status::payment_approved);
}

TEST_CASE("drink: given a drink in any state, when made known again, then nothing changes") {
  for (const auto& past : {drinks::of(was_queued), drinks::of(was_queued, was_receipted), drinks::of(was_queued, was_receipted, was_made),
                           drinks::of(was_queued, was_stopped), drinks::of(was_stopped)})
    CHECK(nothing_came_of(past.when(brew)));
}

TEST_CASE("drink: PaymentApproved → Receipted → Made, and the same status twice changes nothing") {
  const auto first = only<receipted>(drinks::of(was_queued).when(receipt_drink{}));
  CHECK(drinks::of(was_queued, first).state.status == drink_status::receipted);
  CHECK(nothing_came_of(drinks::of(was_queued, first).when(receipt_drink{})));
  const auto second = only<made>(drinks::of(was_queued, first).when(finish_drink{}));
  CHECK(drinks::of(was_queued, first, second).state.status == drink_status::made);
  CHECK(nothing_came_of(drinks::of(was_queued, first, second).when(finish_drink{})));
}

TEST_CASE("drink: every other step of the barista is refused with a sentence") {
  CHECK(conflicts(drinks::of(was_queued).when(finish_drink{})));
  CHECK(conflicts(drinks::of(was_queued, was_receipted, was_made).when(receipt_drink{})));
  CHECK(conflicts(drinks::of(was_queued, was_stopped).when(receipt_drink{})));
  CHECK(conflicts(drinks::of(was_queued, was_stopped).when(finish_drink{})));
  CHECK(not_found(drinks{}.when(receipt_drink{})));
  CHECK(not_found(drinks{}.when(finish_drink{})));
}

TEST_CASE("drink: given a drink nobody has started, when its order is canceled, then it is DrinkCanceled") {
  const auto e = only<drink_canceled>(drinks::of(was_queued).when(stop_it));
  CHECK(drinks::of(was_queued, e).state.status == drink_status::drink_canceled);
  CHECK(nothing_came_of(drinks::of(was_queued, e).when(stop_it)));
}

TEST_CASE("drink: given a receipted or made drink, when its order is canceled, then the cancel fails and the drink stays") {
  for (const auto& past : {drinks::of(was_queued, was_receipted), drinks::of(was_queued, was_receipted, was_made)}) {
    const auto e = only<cancel_failed>(past.when(stop_it));
    CHECK(e.status == past.state.status);
    CHECK(e.phone_number == phone);
    auto after = past;
    after.take(e);
    CHECK(after.state.status == past.state.status);
    CHECK(nothing_came_of(after.when(stop_it)));
    auto again = stop_it;
    again.cancel_attempt = 2;
    CHECK(only<cancel_failed>(after.when(again)).cancel_attempt == 2);
  }
}

TEST_CASE("drink: given the cancel comes before the drink is known, then the drink is canceled for good") {
  const auto e = only<drink_canceled>(drinks{}.when(stop_it));
  CHECK(e.order_id == 11);
  CHECK(e.product_name == "coffee");
  const auto after = drinks::of(e);
  CHECK(after.exists);
  CHECK(nothing_came_of(after.when(brew)));
  CHECK(after.state.phone_number == phone);
}

// ---- sale

TEST_CASE("sale: given nothing, when an order is counted, then the sum is its amount") {
  const auto e = only<sale_counted>(sales{}.when(count));
  CHECK(e.sum_amt == 1000);
  CHECK(e.order_id == 11);
  CHECK(e.product_name == "coffee");
  CHECK(sales::of(e).state.sum_amt == 1000);
  CHECK(sales::of(e).state.yyyymm == "202102");
}

TEST_CASE("sale: given a sum, when an order is canceled, then the amount is taken off and the sale stays, at zero too") {
  const auto e = only<sale_uncounted>(sales::of(was_counted).when(uncount));
  CHECK(e.sum_amt == 0);
  CHECK(sales::of(was_counted, e).exists);
}

TEST_CASE("sale: given only an order whose chain failed, when uncounted, then no sale remains") {
  const auto e = only<sale_uncounted>(sales::of(was_counted).when(uncount_void));
  CHECK_FALSE(sales::of(was_counted, e).exists);
  auto again = sales::of(was_counted, e);
  CHECK(nothing_came_of(again.when(uncount_void)));
  again.take(only<sale_counted>(again.when(count)));
  CHECK(again.exists);
  CHECK(again.state.sum_amt == 1000);
}

TEST_CASE("sale: given an order that stands, when another one's chain fails, then the sale stays with the first") {
  auto both = sales::of(was_counted);
  both.take(only<sale_counted>(both.when(count)));
  both.take(only<sale_uncounted>(both.when(uncount_void)));
  CHECK(both.exists);
  CHECK(both.state.sum_amt == 1000);
}

TEST_CASE("sale: an order without a price makes a sale of zero, which is there") {
  const auto e = only<sale_counted>(sales{}.when(count_sale{11, phone, "water", "202102", 0}));
  CHECK(sales::of(e).exists);
}

TEST_CASE("sale: nothing is taken from a sale that is not there, and never more than there is") {
  CHECK(nothing_came_of(sales{}.when(uncount)));
  CHECK(conflicts(sales::of(was_counted).when(uncount_sale{12, phone, "tea", "202102", 1001, false})));
}

TEST_CASE("sale: the sum is never wrapped") {
  auto full = was_counted;
  full.sum_amt = sum_amt_max - 1000;
  CHECK(only<sale_counted>(sales::of(full).when(count)).sum_amt == sum_amt_max);
  full.sum_amt += 1;
  CHECK(conflicts(sales::of(full).when(count)));
}

TEST_CASE("sale: two pairs of phone and month never share a key") {
  CHECK(sale_key("202102", phone) == sale_key("202102", phone));
  CHECK(sale_key("202102", phone) != sale_key("202103", phone));
  CHECK(sale_key("202102", "1|2") != sale_key("202102", "12"));
}

// ---- the whole

TEST_CASE("cafeteria: the declaration is sound, and its numbering begins as what is on disk") {
  const auto system = crema::cafeteria::cafeteria();
  REQUIRE_NOTHROW(system.check());
  std::vector<std::string> contexts, views;
  for (const auto& c : system.contexts) contexts.push_back(c.name);
  for (const auto& v : system.views) views.push_back(v.resource.collection);
  // Append only: what is there keeps its number.
  const std::vector<std::string> first_contexts{"order", "payment", "drink", "sale", "customercenter"};
  const std::vector<std::string> first_views{"mypages", "orderinfos", "salePages"};
  contexts.resize(first_contexts.size());
  views.resize(first_views.size());
  CHECK(contexts == first_contexts);
  CHECK(views == first_views);
  CHECK(system.contexts[2].resource->verbs.size() == 2);
  CHECK(system.contexts[3].resource->verbs.empty());  // PUT /sumAmt is no outsider's call
}

TEST_CASE("cafeteria: event and row names are what is on disk") {
  const auto types = crema::cafeteria::cafeteria().catalog();
  for (const auto* name : {"Ordered", "OrderCanceled", "OrderCancelReverted", "PaymentApproved", "PaymentCanceled", "DrinkOrdered",
                           "Receipted", "Made", "DrinkCanceled", "CancelFailed", "SaleCounted", "SaleUncounted", "order", "payment",
                           "drink", "sale", "mypage", "orderinfo", "salePage"}) {
    INFO(name);
    CHECK(types.contains(name));
  }
}

TEST_CASE("cafeteria: every record comes back from its bytes") {
  comes_back(two_coffees);
  comes_back(cancel_order{});
  comes_back(revert_cancel{11, 3});
  comes_back(was_ordered);
  comes_back(was_canceled);
  comes_back(was_reverted);
  comes_back(orders::of(was_ordered, was_canceled).state);
  comes_back(pay);
  comes_back(void_payment{11});
  comes_back(cancel_payment{11});
  comes_back(was_paid);
  comes_back(was_voided);
  comes_back(payments::of(was_paid, was_voided).state);
  comes_back(brew);
  comes_back(receipt_drink{});
  comes_back(finish_drink{});
  comes_back(stop_it);
  comes_back(was_queued);
  comes_back(was_receipted);
  comes_back(was_made);
  comes_back(was_stopped);
  comes_back(was_too_late);
  comes_back(drinks::of(was_queued, was_receipted, was_too_late).state);
  comes_back(count);
  comes_back(uncount_void);
  comes_back(was_counted);
  comes_back(sale_uncounted{11, phone, "coffee", 1000, "202102", 0, true});
  comes_back(sales::of(was_counted).state);
  comes_back(mypage{11, phone, "coffee", 2, 1000, mypage_status::order_canceled, mypage_status::receipted});
  comes_back(orderinfo{11, phone, "coffee", 2, drink_status::drink_canceled});
  comes_back(sale_page{11, phone, "coffee", -1000, "202102", 0});
}

TEST_CASE("cafeteria: the limits of an order are the ones that are published") {
  const auto& t = type_of<place_order>();
  REQUIRE(t.fields.size() == 4);
  for (const auto& f : t.fields) CHECK(f.required);
  CHECK(t.find("phoneNumber")->max_length == 32);
  CHECK(t.find("productName")->max_length == 100);
  CHECK(t.find("qty")->min == 1);
  CHECK(t.find("qty")->max == 1'000'000);
  CHECK(t.find("amt")->min == 0);
  CHECK(t.find("amt")->max == 1'000'000'000'000);
}
