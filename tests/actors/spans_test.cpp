// One order and its cancel, followed by their spans through order → payment → sale → drink → views → notification: every parent link,
// the order of times, and what is kept of that which was not sampled.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "behaviors/cafeteria/cafeteria.hpp"
#include "behaviors/cafeteria/drink.hpp"
#include "behaviors/cafeteria/order.hpp"
#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;
using telemetry::span;

namespace {

using span_id = std::array<std::uint8_t, 8>;

trace_context trace_of_request(std::uint8_t n, bool sampled = true) {
  trace_context t;
  t.trace_id.fill(n);
  t.span_id.fill(0xAA);
  t.sampled = sampled;
  return t;
}

actors::runtime_settings slow_payment() {
  auto s = few_partitions();
  s.contexts["payment"].slow_min = s.contexts["payment"].slow_max = milliseconds(50);
  return s;
}

// A node that is asked under a trace, and what its ring holds of it.
struct traced_node : stepped_node {
  using stepped_node::stepped_node;

  template <record Command>
  bool ask_traced(std::string_view context, std::optional<std::uint64_t> id, Command c, const trace_context& t) {
    command_request r;
    r.context = system().context_named(context).index;
    r.id = id;
    r.command = value::of(std::move(c));
    r.trace = t;
    const auto ok = std::make_shared<std::optional<bool>>();
    node().ask(std::move(r), [ok](const command_answer& a) { *ok = !a.refused; });
    for (int i = 0; i < 5000 && !*ok; ++i) advance(milliseconds(1));
    REQUIRE(ok->has_value());
    advance(milliseconds(100));
    return **ok;
  }
  std::vector<span> spans(const trace_context& t) { return shared().traces.recent(1000, trace_id_text(t)); }
};

const span& one(const std::vector<span>& all, std::string_view kind, std::string_view what, std::string_view where) {
  const span* found = nullptr;
  for (const auto& s : all) {
    if (s.kind != kind || s.what != what || s.where != where) continue;
    REQUIRE(found == nullptr);
    found = &s;
  }
  INFO(kind << " " << what << " " << where);
  REQUIRE(found != nullptr);
  return *found;
}

std::int64_t end_of(const span& s) { return s.start_us + s.duration_us; }

void check_child(const span& child, const span& parent) {
  INFO(child.kind << " " << child.what << " below " << parent.kind << " " << parent.what);
  CHECK(child.parent == parent.context.span_id);
  CHECK(child.start_us >= parent.start_us);
}
void check_inside(const span& child, const span& parent) {
  check_child(child, parent);
  CHECK(end_of(child) <= end_of(parent));
}
// A message's handling follows its wait, and both come from who sent it.
void check_told(const std::vector<span>& all, std::string_view message, std::string_view where, const span& sender) {
  const auto& wait = one(all, "wait", message, where);
  const auto& handle = one(all, "handle", message, where);
  check_child(wait, sender);
  check_child(handle, sender);
  CHECK(end_of(wait) == handle.start_us);
}
void check_asked(const std::vector<span>& all, std::string_view command, std::string_view where, const span& asker) {
  const auto& ask = one(all, "ask", command, where);
  check_inside(ask, asker);
  check_inside(one(all, "wait", command, where), ask);
  check_inside(one(all, "handle", command, where), ask);
}

std::size_t count_failed(const std::vector<span>& all) {
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const span& s) { return s.failed; }));
}

}  // namespace

TEST_CASE("spans: given an order, then each step has the parent that caused it, and the times lie within each other") {
  traced_node n(cafeteria::cafeteria(), slow_payment());
  n.settle();
  const auto request = trace_of_request(1);
  REQUIRE(n.ask_traced("order", {}, cafeteria::place_order{"01012345679", "coffee", 2, 1000}, request));
  const auto all = n.spans(request);

  const auto& order = one(all, "handle", "place_order", "order");
  CHECK(order.parent == request.span_id);
  CHECK(one(all, "wait", "place_order", "order").parent == request.span_id);
  CHECK(order.duration_us >= 50000);  // it waited for the payment
  check_asked(all, "approve_payment", "payment", order);
  const auto& payment = one(all, "handle", "approve_payment", "payment");
  CHECK(payment.duration_us >= 50000);
  check_asked(all, "count_sale", "sale", payment);
  check_told(all, "make_drink", "drink", payment);
  const auto& commit = one(all, "commit", "place_order", "order");
  check_child(commit, order);
  CHECK(commit.start_us >= one(all, "handle", "count_sale", "sale").start_us);
  check_child(one(all, "view", "Ordered", "customercenter"), order);
  check_child(one(all, "view", "SaleCounted", "customercenter"), one(all, "handle", "count_sale", "sale"));
  check_child(one(all, "view", "DrinkOrdered", "customercenter"), one(all, "handle", "make_drink", "drink"));
  const auto& notify = one(all, "notify", "notification", "customercenter");
  check_child(notify, order);
  CHECK(notify.start_us >= end_of(commit));  // nobody is told of what is not durable
  CHECK(count_failed(all) == 0);
  const auto shown = n.node().traces(trace_id_text(request))["spans"];
  CHECK(std::any_of(shown.begin(), shown.end(), [](const auto& s) { return s["kind"] == "ask" && s["aggregate"] == "sale"; }));
  std::set<span_id> ids;
  for (const auto& s : all) CHECK(ids.insert(s.context.span_id).second);
}

TEST_CASE("spans: given the cancel of an order, then drink, payment and sale hang below each other") {
  traced_node n(cafeteria::cafeteria(), few_partitions());
  n.settle();
  REQUIRE(n.ask_traced("order", {}, cafeteria::place_order{"01012345679", "coffee", 2, 1000}, trace_of_request(1)));
  const auto request = trace_of_request(2);
  REQUIRE(n.ask_traced("order", 1, cafeteria::cancel_order{}, request));
  const auto all = n.spans(request);
  const auto& order = one(all, "handle", "cancel_order", "order");
  CHECK(order.parent == request.span_id);
  check_told(all, "cancel_drink", "drink", order);
  check_told(all, "cancel_payment", "payment", one(all, "handle", "cancel_drink", "drink"));
  check_told(all, "uncount_sale", "sale", one(all, "handle", "cancel_payment", "payment"));
  check_child(one(all, "view", "SaleUncounted", "customercenter"), one(all, "handle", "uncount_sale", "sale"));
  check_child(one(all, "notify", "notification", "customercenter"), order);

  // The tree from the journal takes its times from them.
  const auto tree = n.node().causal_tree(0, 1);
  CHECK(tree["steps"][1]["spanId"].is_string());
  CHECK(tree["steps"][1].contains("committedMs"));
}

TEST_CASE("spans: given a request that is not sampled, then nothing is kept of it") {
  traced_node n(cafeteria::cafeteria(), few_partitions());
  n.settle();
  const auto request = trace_of_request(3, false);
  REQUIRE(n.ask_traced("order", {}, cafeteria::place_order{"01012345679", "coffee", 2, 1000}, request));
  CHECK(n.spans(request).empty());
}

TEST_CASE("spans: given a chain that is not sampled, when a partner does not answer in time, then the way to it is kept") {
  auto s = slow_payment();
  s.contexts["payment"].bulkhead.call_timeout = milliseconds(20);
  traced_node n(cafeteria::cafeteria(), s);
  n.settle();
  const auto request = trace_of_request(4, false);
  CHECK_FALSE(n.ask_traced("order", {}, cafeteria::place_order{"01012345679", "coffee", 2, 1000}, request));
  const auto all = n.spans(request);
  const auto& order = one(all, "handle", "place_order", "order");
  CHECK(order.failed);
  CHECK(order.note == "timed out");
  const auto& ask = one(all, "ask", "approve_payment", "payment");
  CHECK(ask.failed);
  check_inside(ask, order);
}

TEST_CASE("spans: given a request that is not sampled, when a step is slow, then it and those who waited for it are kept") {
  traced_node n(cafeteria::cafeteria(), slow_payment());
  n.trace_settings.slow_us = 40000;
  n.crash();
  n.settle();
  const auto request = trace_of_request(5, false);
  REQUIRE(n.ask_traced("order", {}, cafeteria::place_order{"01012345679", "coffee", 2, 1000}, request));
  const auto all = n.spans(request);
  REQUIRE(all.size() == 3);
  check_inside(one(all, "ask", "approve_payment", "payment"), one(all, "handle", "place_order", "order"));
  check_inside(one(all, "handle", "approve_payment", "payment"), one(all, "ask", "approve_payment", "payment"));
}

TEST_CASE("spans: given a message whose handler throws twice, then the tries are marked failed, and the tree counts them") {
  traced_node n(test_system(), few_partitions());
  n.settle();
  const auto request = trace_of_request(6);
  fault twice("note:b", 2);
  REQUIRE(n.ask_traced("account", {}, deposit{1, "b"}, request));
  n.advance(milliseconds(1000));
  const auto all = n.spans(request);
  CHECK(count_failed(all) == 2);
  CHECK(std::count_if(all.begin(), all.end(), [](const span& s) { return s.kind == "wait" && s.where == "shadow"; }) == 1);
  const auto shadow = n.node().causal_tree(0, 1)["steps"][0]["steps"][0];
  CHECK(shadow["aggregate"] == "shadow/1");
  CHECK(shadow["failedTries"] == 2);
}

TEST_CASE("spans: given a notification that is not taken at once, then each try has its span") {
  traced_node n(test_system(), few_partitions());
  n.settle();
  n.sink->failures_left = 2;
  const auto request = trace_of_request(7);
  REQUIRE(n.ask_traced("account", {}, deposit{1, "x"}, request));
  n.advance(milliseconds(3000));
  const auto all = n.spans(request);
  CHECK(std::count_if(all.begin(), all.end(), [](const span& s) { return s.kind == "notify"; }) == 3);
  CHECK(count_failed(all) == 2);
}

TEST_CASE("spans: given a mark in a handling, then it is kept, sampled or not, and the traces show its text") {
  traced_node n(test_system(), few_partitions());
  n.settle();
  actors::delivery d;
  d.to = {0, 1, {}};
  auto handling = trace_of_request(8, false);
  n.shared().mark_fault(d, handling, 7);
  const auto shown = n.node().traces(trace_id_text(handling));
  REQUIRE(shown["spans"].size() == 1);
  CHECK(shown["spans"][0]["note"] == "fault=7");
  CHECK(shown["spans"][0]["aggregate"] == "account/1");
}
