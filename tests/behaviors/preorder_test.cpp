// The rules of the pre-reservation, one aggregate at a time, and who tells whom what.
#include "behaviors/preorder/preorder.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/codec.hpp"
#include "behaviors/core/json.hpp"
#include "behaviors/preorder/fields.hpp"
#include "behaviors/preorder/my_reservation.hpp"
#include "behaviors/preorder/payment.hpp"
#include "behaviors/preorder/receipt.hpp"
#include "behaviors/preorder/reservation.hpp"
#include "tests/behaviors/given_when_then.hpp"

using namespace crema;
using namespace crema::preorder;
using namespace crema::testing;
using nlohmann::json;

namespace {

using reservations = history<reservation>;
using payments = history<payment>;
using receipts = history<receipt>;

constexpr timestamp later{feb_2021.ms + 5000};
constexpr timestamp three_weeks_on{feb_2021.ms + 21LL * 24 * 3600 * 1000};  // 2021-03-18T04:28:24.716Z
const std::string card = "1234-****-****-1234";

const reserve a_phone{7, "Main Street 1", 3, "Phone", 900, card, "order"};
const reservation_created was_created{{7, "Main Street 1", 3, "Phone", 900, card, "order", feb_2021, feb_2021, false, false}};
const reservation_cancelled was_cancelled{
    {7, "Main Street 1", 3, "Phone", 900, card, "reservation_cancelled", feb_2021, later, true, false}};
const reservation_cancelled was_unpaid{
    {7, "Main Street 1", 3, "Phone", 900, card, "reservation_cancelled", feb_2021, feb_2021, true, true}};

const pay_reservation to_pay{11, 7, 3, "Phone", 900, card};
const payment_created was_paid{{11, 7, 3, "Phone", 900, card, payment_status::paid, feb_2021, feb_2021, false}};
const payment_cancelled was_refunded{{11, 7, 3, "Phone", 900, card, payment_status::cancelled, feb_2021, later, false}};
const payment_cancelled was_voided{{11, 7, 3, "Phone", 900, card, payment_status::cancelled, feb_2021, later, true}};

const issue_receipt to_issue{11, 11, 7, 3, "Phone", 900, feb_2021};
const receipt_created was_issued{{11, 11, 7, 3, "Phone", 900, receipt_status::issued, three_weeks_on, later, later}};
const receipt_cancelled was_withdrawn{{11, 11, 7, 3, "Phone", 900, receipt_status::cancelled, three_weeks_on, later, later}};

std::string digits(std::size_t n) { return std::string("1234567890123456789012345").substr(0, n); }

}  // namespace

// ---- prereservation

TEST_CASE("preorder reservation: given nothing, when reserved, then it asks for the payment, undone by voiding it") {
  const auto a = asked(reservations{}.when(a_phone));
  CHECK(same(as<pay_reservation>(a.command), to_pay));
  CHECK_FALSE(a.to.has_value());
  CHECK(a.undo.as<void_payment>() != nullptr);
}

TEST_CASE("preorder reservation: given the payment fails, then created and cancelled are recorded all the same, and it is gone") {
  const auto r = reservations{}.when(a_phone);
  REQUIRE(r.ok());
  REQUIRE(r->if_refused.size() == 2);
  const auto first = as<reservation_created>(r->if_refused[0]);
  const auto second = as<reservation_cancelled>(r->if_refused[1]);
  CHECK(same(first, was_created));
  CHECK(same(second, was_unpaid));
  const auto after = reservations::of(first, second);
  CHECK_FALSE(after.exists);
  CHECK(gone(after.state));
  CHECK(after.state.status == "reservation_cancelled");
}

TEST_CASE("preorder reservation: given it is paid, when reserved, then it is created as it was sent") {
  const auto r = reservations{}.with(was_paid).when(a_phone);
  const auto e = only<reservation_created>(r);
  CHECK(r->if_refused.empty());
  CHECK(same(e, was_created));
  const auto after = reservations::of(e);
  CHECK(after.exists);
  CHECK(same_facts(after.state, was_created));
}

TEST_CASE("preorder reservation: given only a user, when reserved, then nothing else is made up and the status is order") {
  reserve c;
  c.user_id = 1;
  CHECK(same(as<pay_reservation>(asked(reservations{}.when(c)).command), pay_reservation{11, 1, {}, {}, {}, {}}));
  const auto e = only<reservation_created>(reservations{}.with(was_paid).when(c));
  CHECK(same(e, reservation_created{{1, {}, {}, {}, {}, {}, "order", feb_2021, feb_2021, false, false}}));
}

TEST_CASE("preorder reservation: the caller's status is kept, but for the one that says cancelled") {
  auto c = a_phone;
  c.status = "my wish";
  CHECK(only<reservation_created>(reservations{}.with(was_paid).when(c)).status == "my wish");
  c.status = "reservation_cancelled";
  CHECK(invalid(reservations{}.when(c), "status"));
  CHECK(invalid(reservations{}.with(was_paid).when(c), "status"));
}

TEST_CASE("preorder reservation: given a reservation, when reserved again, then it is refused") {
  CHECK(conflicts(reservations::of(was_created).when(a_phone)));
  CHECK(conflicts(reservations::of(was_created).with(was_paid).when(a_phone)));
}

TEST_CASE("preorder reservation: given a reservation, when cancelled, then it is gone and tells when") {
  const auto past = reservations::of(was_created).at(later);
  const auto e = only<reservation_cancelled>(past.when(cancel_reservation{}));
  CHECK(same(e, was_cancelled));
  CHECK_FALSE(past.then(e).exists);
  CHECK(gone(past.then(e).state));
}

TEST_CASE("preorder reservation: given nothing or a cancelled one, when cancelled, then there is no such reservation") {
  for (const auto& past : {reservations{}, reservations::of(was_created, was_cancelled), reservations::of(was_created, was_unpaid)})
    CHECK(not_found(past.when(cancel_reservation{})));
}

// ---- payment

TEST_CASE("preorder payment: given nothing, when to be paid, then it is paid") {
  const auto e = only<payment_created>(payments{}.when(to_pay));
  CHECK(same(e, was_paid));
  CHECK(payments::of(e).exists);
  CHECK(same_facts(payments::of(e).state, was_paid));
}

TEST_CASE("preorder payment: given it is paid, when to be paid again, then nothing changes and the first payment is the answer") {
  CHECK(same(only_answer<payment_created>(payments::of(was_paid).at(later).when(pay_reservation{11, 8, {}, {}, 1, {}})), was_paid));
}

TEST_CASE("preorder payment: given it is paid, when voided or cancelled, then it is payment_cancelled and gone") {
  const auto past = payments::of(was_paid).at(later);
  const auto voided = only<payment_cancelled>(past.when(void_payment{}));
  CHECK(same(voided, was_voided));
  CHECK_FALSE(past.then(voided).exists);
  const auto cancelled = only<payment_cancelled>(past.when(cancel_payment{}));
  CHECK(same(cancelled, was_refunded));
  CHECK_FALSE(past.then(cancelled).exists);
  CHECK(gone(past.then(cancelled).state));
  CHECK_FALSE(gone(past.state));
}

TEST_CASE("preorder payment: given no payment or one already taken back, when voided or cancelled, then nothing changes") {
  for (const auto& past : {payments{}, payments::of(was_paid, was_refunded), payments::of(was_paid, was_voided)}) {
    CHECK(nothing_came_of(past.when(void_payment{})));
    CHECK(nothing_came_of(past.when(cancel_payment{})));
  }
}

TEST_CASE("preorder payment: given a voided payment, when to be paid, then it begins afresh") {
  const auto past = payments::of(was_paid, was_voided).at(later);
  const auto e = only<payment_created>(past.when(to_pay));
  CHECK(e.created_at == later);
  CHECK_FALSE(e.voided);
  CHECK(past.then(e).exists);
}

// ---- receipt

TEST_CASE("preorder receipt: given nothing, when issued, then the phone is expected 21 days after the payment, not after the receipt") {
  const auto e = only<receipt_created>(receipts{}.at(later).when(to_issue));
  CHECK(same(e, was_issued));
  CHECK(to_iso_text(e.expected_delivery_at) == "2021-03-18T04:28:24.716+0000");
  CHECK(receipts::of(e).exists);
  CHECK(same_facts(receipts::of(e).state, was_issued));
}

TEST_CASE("preorder receipt: given a receipt, when issued again, then nothing changes") {
  CHECK(nothing_came_of(receipts::of(was_issued).when(to_issue)));
}

TEST_CASE("preorder receipt: given a receipt, when cancelled, then it is receipt_cancelled and gone; twice is nothing") {
  constexpr timestamp much_later{later.ms + 1};
  const auto past = receipts::of(was_issued).at(much_later);
  const auto e = only<receipt_cancelled>(past.when(cancel_receipt{}));
  CHECK(e.modified_at == much_later);
  CHECK(e.created_at == was_issued.created_at);
  CHECK(e.status == receipt_status::cancelled);
  const auto after = past.then(e);
  CHECK_FALSE(after.exists);
  CHECK(gone(after.state));
  CHECK_FALSE(gone(past.state));
  CHECK(nothing_came_of(after.when(cancel_receipt{})));
  CHECK(nothing_came_of(receipts{}.when(cancel_receipt{})));
}

// ---- card numbers

TEST_CASE("preorder card: 12 to 19 digits are masked, fewer or more are no card number") {
  for (std::size_t n = 0; n <= 25; ++n) {
    INFO(n);
    const auto masked = masked_card(digits(n));
    REQUIRE(masked.has_value() == (n >= 12 && n <= 19));
    if (masked) CHECK(*masked == "1234-****-****-" + digits(n).substr(n - 4));
  }
}

TEST_CASE("preorder card: dashes and blanks do not count, wherever they are") {
  for (const auto* sent : {"1234567890121234", "1234-5678-9012-1234", "1234 5678 9012 1234", " 12-34 5678901 2-1234-"})
    CHECK(masked_card(sent) == card);
  CHECK_FALSE(masked_card("1234-5678-901").has_value());
  CHECK_FALSE(masked_card("------------").has_value());
  CHECK_FALSE(masked_card("            ").has_value());
}

TEST_CASE("preorder card: anything else in it makes it no card number, a masked one too") {
  for (const auto* sent : {"1234-5678-9012-123a", "1234567890121234x", "x1234567890121234", "1234.5678.9012.1234", "1234\t5678 9012 1234",
                           "1234-****-****-1234", "１２３４５６７８９０１２"})
    CHECK_FALSE(masked_card(sent).has_value());
  CHECK_FALSE(masked_card(std::string_view("123456789012\0", 13)).has_value());
}

TEST_CASE("preorder card: what was sent as a number is nowhere in the command, its bytes or its JSON") {
  const auto& type = type_of<reserve>();
  for (const auto& sent : {json("1234-5678-9012-1234"), json("1234 5678 9012 1234"), json("1234567890121234"), json(1234567890121234)}) {
    const auto r = from_json(type, json{{"userId", 7}, {"cardNo", sent}});
    REQUIRE(r.ok());
    CHECK(as<reserve>(*r).card_no == card);
    std::string everything;
    encode_fields(type, r->data(), everything);
    append_json_fields(everything, type, r->data());
    CHECK(everything.find("5678") == std::string::npos);
    CHECK(everything.find("9012") == std::string::npos);
  }
}

TEST_CASE("preorder card: a refused number is nowhere in the refusal") {
  const std::vector<json> refused{"1234-5678-901",
                                  digits(11),
                                  digits(20),
                                  "1234-5678-9012-123a",
                                  "5678901212345678 x",
                                  digits(12) + "\x01",
                                  digits(25) + digits(8),
                                  56789012,
                                  1.2345678901234e+30,
                                  json{"5678901212345678"},
                                  json{{"no", "5678901212345678"}},
                                  true};
  for (const auto& sent : refused) {
    INFO(sent.dump());
    const auto r = from_json(type_of<reserve>(), json{{"userId", 7}, {"cardNo", sent}});
    REQUIRE_FALSE(r.ok());
    CHECK(r.why().field == "cardNo");
    CHECK((r.why().kind == rejection_kind::invalid || r.why().kind == rejection_kind::malformed));
    CHECK(r.why().detail.find("5678") == std::string::npos);
  }
  const auto misspelt = from_json(type_of<reserve>(), json{{"userId", 7}, {"cardno", "1234567890121234"}});
  REQUIRE(invalid(misspelt, "cardno"));
  CHECK(misspelt.why().detail.find("1234") == std::string::npos);
}

TEST_CASE("preorder card: none is sent, or null, and none is kept") {
  for (const auto& sent : {json{{"userId", 7}}, json{{"userId", 7}, {"cardNo", nullptr}}}) {
    const auto r = from_json(type_of<reserve>(), sent);
    REQUIRE(r.ok());
    CHECK_FALSE(as<reserve>(*r).card_no.has_value());
    CHECK(as<reserve>(*r).status == "order");
  }
  CHECK(invalid(from_json(type_of<reserve>(), json{{"userId", 7}, {"cardNo", ""}}), "cardNo"));
}

TEST_CASE("preorder card: wherever a card number can come in, it is masked") {
  for (const auto* type : preorder::preorder().all_types())
    for (const auto& f : type->fields) {
      INFO(type->name << "." << f.name);
      CHECK((f.keep == &masked_card) == (f.name == "cardNo"));
    }
}

TEST_CASE("preorder: only the user is required, and the limits hold") {
  const auto& type = type_of<reserve>();
  CHECK(invalid(from_json(type, json::object()), "userId"));
  CHECK(invalid(from_json(type, json{{"userId", 0}}), "userId"));
  CHECK(invalid(from_json(type, json{{"userId", 7}, {"price", -1}}), "price"));
  CHECK(invalid(from_json(type, json{{"userId", 7}, {"price", price_max + 1}}), "price"));
  CHECK(invalid(from_json(type, json{{"userId", 7}, {"productId", 0}}), "productId"));
  CHECK(invalid(from_json(type, json{{"userId", 7}, {"productName", std::string(101, 'a')}}), "productName"));
  CHECK(invalid(from_json(type, json{{"userId", 7}, {"userAddress", std::string(256, 'a')}}), "userAddress"));
  CHECK(invalid(from_json(type, json{{"userId", 7}, {"status", ""}}), "status"));
  CHECK(invalid(from_json(type, json{{"userId", 7}, {"status", std::string(51, 'a')}}), "status"));
  CHECK(from_json(type, json{{"userId", 7}, {"status", nullptr}}).ok());
}

// ---- who talks to whom

TEST_CASE("preorder: a payment issues the receipt, dated by the payment") {
  const auto all = told_by(preorder::preorder(), was_paid);
  REQUIRE(all.size() == 1);
  CHECK(same(as<issue_receipt>(all[0].command), to_issue));
  CHECK_FALSE(all[0].to.has_value());
  auto late = was_paid;
  late.created_at = later;
  CHECK(as<issue_receipt>(told_by(preorder::preorder(), late).at(0).command).paid_at == later);
}

TEST_CASE("preorder: a cancelled reservation cancels its payment, and that its receipt") {
  const auto system = preorder::preorder();
  CHECK(names_told_by(system, was_cancelled) == std::vector<std::string>{"cancel_payment"});
  CHECK(names_told_by(system, was_refunded) == std::vector<std::string>{"cancel_receipt"});
}

TEST_CASE("preorder: a reservation that was never paid and a voided payment tell nobody, nor does what is left") {
  const auto system = preorder::preorder();
  CHECK(told_by(system, was_unpaid).empty());
  CHECK(told_by(system, was_voided).empty());
  CHECK(told_by(system, was_created).empty());
  CHECK(told_by(system, was_issued).empty());
  CHECK(told_by(system, was_withdrawn).empty());
  CHECK(system.notifications.empty());
  CHECK(system.settings.empty());
}

TEST_CASE("preorder: what is cancelled leaves its collection") {
  const auto system = preorder::preorder();
  const auto stands = reservations::of(was_created).state, went = reservations::of(was_created, was_cancelled).state;
  CHECK_FALSE(system.context_named("prereservation").gone(&stands));
  CHECK(system.context_named("prereservation").gone(&went));
  const auto paid = payments::of(was_paid).state, refunded = payments::of(was_paid, was_refunded).state;
  CHECK_FALSE(system.context_named("payment").gone(&paid));
  CHECK(system.context_named("payment").gone(&refunded));
  const auto issued = receipts::of(was_issued).state, withdrawn = receipts::of(was_issued, was_withdrawn).state;
  CHECK_FALSE(system.context_named("receipt").gone(&issued));
  CHECK(system.context_named("receipt").gone(&withdrawn));
}

// ---- what people look at

TEST_CASE("preorder myReservations: a row gathers reservation, payment and receipt, and stays when they are cancelled") {
  shown<my_reservation> page(preorder::preorder(), "myReservation");
  page.take(was_paid).take(was_created);
  CHECK(same(page.row(), my_reservation{11, 11, {}, 7, "Main Street 1", 3, "Phone", 900, "order", payment_status::paid, {}, {}}));
  page.take(was_issued);
  CHECK(same(page.row(), my_reservation{11, 11, 11, 7, "Main Street 1", 3, "Phone", 900, "order", payment_status::paid,
                                        receipt_status::issued, three_weeks_on}));
  page.take(was_cancelled).take(was_refunded).take(was_withdrawn);
  CHECK(same(page.row(), my_reservation{11, 11, 11, 7, "Main Street 1", 3, "Phone", 900, "reservation_cancelled", payment_status::cancelled,
                                        receipt_status::cancelled, three_weeks_on}));
  CHECK(page.size() == 1);
}

TEST_CASE("preorder myReservations: the order in which reservation and payment are shown does not matter") {
  shown<my_reservation> one(preorder::preorder(), "myReservation"), other(preorder::preorder(), "myReservation");
  CHECK(same(one.take(was_paid).take(was_created).row(), other.take(was_created).take(was_paid).row()));
}

TEST_CASE("preorder myReservations: a reservation whose payment failed is shown as cancelled, without a payment") {
  shown<my_reservation> page(preorder::preorder(), "myReservation");
  page.take(was_created).take(was_unpaid);
  CHECK(same(page.row(), my_reservation{11, {}, {}, 7, "Main Street 1", 3, "Phone", 900, "reservation_cancelled", {}, {}, {}}));
}

TEST_CASE("preorder myReservations: a cancel or a receipt without a reservation makes no row") {
  shown<my_reservation> page(preorder::preorder(), "myReservation");
  page.take(was_cancelled).take(was_issued).take(was_withdrawn);
  CHECK(page.size() == 0);
}

TEST_CASE("preorder: the hidden marks are not answered") {
  CHECK(answered(reservations::of(was_created).state) ==
        R"("userId":7,"userAddress":"Main Street 1","productId":3,"productName":"Phone","price":900,"cardNo":"1234-****-****-1234",)"
        R"("status":"order","createdAt":"2021-02-25T04:28:24.716+0000","modifiedAt":"2021-02-25T04:28:24.716+0000")");
  for (const auto* type : preorder::preorder().all_types())
    for (const auto& f : type->fields) {
      INFO(type->name << "." << f.name);
      CHECK(f.hidden == (f.name == "cancelled" || f.name == "unpaid" || f.name == "voided"));
    }
}
