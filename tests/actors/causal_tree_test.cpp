// The causal tree of an aggregate, read from the journal of a node: what caused what, also when it waits, failed, was undone or replayed.
#include <nlohmann/json.hpp>

#include "behaviors/cafeteria/cafeteria.hpp"
#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using nlohmann::json;
using std::chrono::milliseconds;

namespace {

// "order/1 request Ordered", each step on a line, indented below its cause.
std::string outline(const json& steps, const std::string& indent = "") {
  std::string text;
  for (const auto& s : steps) {
    text += indent + s["aggregate"].get<std::string>() + " " + s["cause"].get<std::string>();
    if (s.contains("message")) text += ":" + s["message"].get<std::string>();
    for (const auto& e : s.value("events", json::array())) text += " " + e.get<std::string>();
    if (s["state"] != "recorded") text += " (" + s["state"].get<std::string>() + ")";
    if (s.value("undone", false)) text += " (undone)";
    text += "\n" + outline(s["steps"], indent + "  ");
  }
  return text;
}

std::string outline(stepped_node& n, std::string_view context, std::uint64_t id) {
  const auto tree = n.node().causal_tree(n.system().context_named(context).index, id);
  REQUIRE(tree.is_object());
  CHECK(tree["complete"] == true);
  return outline(tree["steps"]);
}

// Every step with its cause, whose record comes before it in the log unless the step was asked for: a partner records first.
void check_order(const json& steps, const json* cause) {
  for (const auto& s : steps) {
    if (s.contains("queuedMs") && s.contains("handledMs")) CHECK(s["queuedMs"] <= s["handledMs"]);
    if (cause != nullptr && s.contains("sequence")) {
      const bool before = (*cause)["sequence"].get<std::uint64_t>() < s["sequence"].get<std::uint64_t>();
      CHECK(before == (s["cause"] != "ask"));
      if (s["cause"] != "ask") CHECK((*cause)["handledMs"] <= s["handledMs"]);
    }
    check_order(s["steps"], &s);
  }
}

constexpr auto whole_order = R"(order/1 request Ordered
  payment/1 ask PaymentApproved
    sale/1 ask SaleCounted
    drink/1 message:make_drink DrinkOrdered
  customercenter/1 notification
)";

constexpr auto whole_cancel = R"(order/1 request OrderCanceled
  drink/1 message:cancel_drink DrinkCanceled
    payment/1 message:cancel_payment PaymentCanceled
      sale/1 message:uncount_sale SaleUncounted
  customercenter/1 notification
)";

struct cafe : stepped_node {
  explicit cafe() : stepped_node(cafeteria::cafeteria()) { settle(); }
  command_answer place() { return ask("order", {}, cafeteria::place_order{"01012345679", "coffee", 2, 1000}); }
};

struct bank : stepped_node {
  bank() : stepped_node(test_system(), few_partitions()) { settle(); }
};

}  // namespace

TEST_CASE("causal tree: given an order and its cancel, then each is one tree from the request down to the notification") {
  cafe n;
  (void)n.place();
  n.advance(milliseconds(5));
  (void)n.ask("order", 1, cafeteria::cancel_order{});
  n.advance(milliseconds(5));
  const auto expected = std::string(whole_order) + whole_cancel;
  CHECK(outline(n, "order", 1) == expected);
  CHECK(outline(n, "drink", 1) == expected);  // whoever took part sees the same conversations
  CHECK(outline(n, "sale", 1) == expected);
  const auto tree = n.node().causal_tree(0, 1);
  CHECK(tree["aggregate"] == "order/1");
  CHECK(tree["durationMs"] == 5);
  check_order(tree["steps"], nullptr);
}

TEST_CASE("causal tree: given a later conversation with a drink, then the order's tree does not show it and the drink's does") {
  cafe n;
  (void)n.place();
  (void)n.ask("drink", 1, cafeteria::receipt_drink{});
  CHECK(outline(n, "order", 1) == whole_order);
  CHECK(outline(n, "drink", 1) == std::string(whole_order) + "drink/1 request Receipted\n  customercenter/1 notification\n");
  (void)n.ask("order", 1, cafeteria::cancel_order{});
  CHECK(outline(n, "order", 1) == std::string(whole_order) + R"(order/1 request OrderCanceled
  drink/1 message:cancel_drink CancelFailed
    order/1 message:revert_cancel OrderCancelReverted
    customercenter/1 notification
  customercenter/1 notification
)");
}

TEST_CASE("causal tree: given many orders of one customer and a restart, then each order's tree is its own") {
  cafe n;
  for (int i = 0; i < 30; ++i) (void)n.place();
  n.crash();
  n.settle();
  for (std::uint64_t id = 1; id <= 30; ++id) {
    auto own = outline(n, "order", id);
    CHECK(own.rfind("order/" + std::to_string(id) + " request Ordered\n  payment/" + std::to_string(id), 0) == 0);
    CHECK(times(own, "\n") == 5);
    CHECK(own.find("sale/1 ask SaleCounted") != std::string::npos);
  }
  CHECK(times(outline(n, "sale", 1), "order/") == 30);
}

TEST_CASE("causal tree: given a stopped receiver, then its message is shown as waiting, and later as handled when it was") {
  cafe n;
  n.switch_context("drink", false);
  (void)n.place();
  CHECK(outline(n, "order", 1).find("drink/1 message:make_drink (waiting)\n") != std::string::npos);
  n.advance(milliseconds(700));
  n.switch_context("drink", true);
  CHECK(outline(n, "order", 1) == whole_order);
  const auto drink = n.node().causal_tree(0, 1)["steps"][0]["steps"][0]["steps"][1];
  CHECK(drink["queuedMs"] == 0);
  CHECK(drink["handledMs"] >= 700);
}

TEST_CASE("causal tree: given nothing recorded under a number, then there is no tree") {
  cafe n;
  (void)n.place();
  CHECK(n.node().causal_tree(0, 2).is_null());
  CHECK(n.node().causal_tree(4, 1).is_null());  // a context that only carries views
}

TEST_CASE("causal tree: given a chain that fails after its partner's step, then that step is shown as undone, with what took it back") {
  bank n;
  (void)n.ask("account", {}, deposit{1, "open"});
  fault late("replied:x");
  CHECK(n.ask("account", 1, transfer{7, "x", "main"}).refused);
  n.advance(milliseconds(100));
  CHECK(outline(n, "ledger", 1) == "ledger/1 ask Booked (undone)\n  ledger/1 undo:unbook Unbooked\n");
  CHECK(outline(n, "account", 1).find("ledger") == std::string::npos);
}

TEST_CASE("causal tree: given a timer, then it waits until it is due, and its command stands below who set it") {
  bank n;
  (void)n.ask("account", {}, remind_later{500, "tea"});
  CHECK(outline(n, "account", 1) == "account/1 request ReminderSet\n  account/1 timer:ring (waiting)\n");
  CHECK(n.node().causal_tree(0, 1)["steps"][0]["steps"][0]["dueAt"].is_string());
  n.advance(milliseconds(501));
  CHECK(outline(n, "account", 1) == "account/1 request ReminderSet\n  account/1 timer:ring Rung\n");
  const auto rung = n.node().causal_tree(0, 1)["steps"][0]["steps"][0];
  CHECK(rung["handledMs"] >= 500);
}

TEST_CASE("causal tree: given a dead letter, then it is marked; replayed, what it did stands below it; dropped, it is marked so") {
  bank n;
  (void)n.ask("account", {}, deposit{1, "open"});
  fault always("note:b");
  (void)n.ask("account", 1, deposit{2, "b"});
  (void)n.ask("account", 1, deposit{3, "c"});
  n.advance(milliseconds(3000));
  const std::string before = R"(account/1 request Deposited
  shadow/1 message:note Noted
  desk/1 notification
)";
  const std::string letter = "account/1 request Deposited\n  shadow/1 message:note";
  const std::string after = "  desk/1 notification\n";
  REQUIRE(outline(n, "account", 1) == before + letter + " (dead)\n" + after + before);
  const auto dead = n.node().causal_tree(0, 1)["steps"][1]["steps"][0]["deadLetter"];
  CHECK(dead["attempts"] == 5);
  const auto settle_letter = [&](bool replay) {
    n.node().settle_dead_letter(dead["id"].get<std::uint64_t>(), replay, [](std::optional<rejection> why) { CHECK_FALSE(why); });
    n.settle();
  };
  SECTION("replayed") {
    always.mend();
    settle_letter(true);
    CHECK(outline(n, "account", 1) == before + letter + "\n    shadow/1 replay:note Noted\n" + after + before);
  }
  SECTION("dropped") {
    settle_letter(false);
    CHECK(outline(n, "account", 1) == before + letter + " (dropped)\n" + after + before);
  }
}
