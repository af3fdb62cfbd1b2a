// A context is stopped at any moment and started later: what must arrive waits for it, whoever asks it is told at once.
#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

/// False: the story was over before that step.
bool stop_at(const scenario& story, const std::string& context, int step, bool crashed) {
  CAPTURE(story.name, context, step, crashed);
  stepped_node n(story.system(), few_partitions());
  story.prepare(n);
  const auto all = story.begin(n);
  for (int i = 0; i < step; ++i)
    if (!n.step()) return false;
  const auto stopped = std::make_shared<bool>(false);
  n.node().switch_context(context, false, [stopped](std::optional<rejection> why) { *stopped = !why; });
  n.settle();
  n.advance(milliseconds(700));
  CHECK(*stopped);
  for (const auto& p : all) CHECK(p->answers == 1);
  if (crashed) {
    n.crash();
    n.settle();
  } else {
    n.switch_context(context, true);
  }
  n.advance(milliseconds(1300));
  for (const auto& p : all) CHECK(p->answers == 1);
  story.check(n, all);
  check_at_rest(n);
  return true;
}

void stop_everywhere(const scenario& story) {
  for (const auto& c : story.system().contexts)
    for (const bool crashed : {false, true})
      for (int step = 0; stop_at(story, c.name, step, crashed); ++step) {}
}

}  // namespace

TEST_CASE(
    "stopped context: given orders being canceled, when any context is stopped at any step and started later, then the saga is finished") {
  stop_everywhere(cancel_orders());
}

TEST_CASE(
    "stopped context: given orders being placed, when any context is stopped at any step and started later, then each order is whole or "
    "not there") {
  stop_everywhere(place_orders());
}

TEST_CASE(
    "stopped context: given accounts that are asked, told and reminded, when any context is stopped at any step, then each step is there "
    "once or not at all") {
  stop_everywhere(account_mix());
}

TEST_CASE(
    "stopped context: given each partner in turn, when it is stopped, then an order is refused at once or taken, and all is whole after "
    "its start") {
  for (const auto* context : {"order", "payment", "sale", "drink", "customercenter"}) {
    CAPTURE(context);
    const bool asked = std::string(context) != "drink" && std::string(context) != "customercenter";
    stepped_node n(cafeteria::cafeteria(), few_partitions());
    n.settle();
    n.switch_context(context, false);
    const auto a = n.ask("order", {}, cafeteria::place_order{"010", "coffee", 1, 10});
    CHECK(a.refused.has_value() == asked);
    if (a.refused) {
      CHECK(a.refused->kind == rejection_kind::stopped);
      CHECK(a.refused->retry_after_ms > 0);
    }
    n.switch_context(context, true);
    CHECK_FALSE(n.ask("order", {}, cafeteria::place_order{"010", "coffee", 1, 10}).refused);
    n.advance(milliseconds(100));
    check_cafeteria(n);
    check_at_rest(n);
  }
}

TEST_CASE(
    "stopped context: given a context being stopped, when stop and start come in any order before it has ended, then the last word holds "
    "and all are told") {
  const std::vector<std::vector<bool>> orders = {
      {false, false}, {false, true}, {false, true, false}, {false, false, true}, {true, false, true, false, true}};
  for (const auto& words : orders) {
    stepped_node n(test_system(), few_partitions());
    n.settle();
    const auto told = std::make_shared<std::size_t>(0);
    for (const bool running : words)
      n.node().switch_context("shadow", running, [told](std::optional<rejection> why) { *told += why ? 0U : 1U; });
    n.settle();
    n.advance(milliseconds(50));
    CHECK(*told == words.size());
    CHECK(n.shared().contexts[2].running == words.back());
    (void)n.ask("account", {}, deposit{1, "a"});
    CHECK(n.row<shadow>("shadow", 1).has_value() == words.back());
    n.switch_context("shadow", false);
    n.switch_context("shadow", true);
    n.advance(milliseconds(50));
    CHECK(n.row<shadow>("shadow", 1).has_value());
    check_accounts(n);
    check_at_rest(n);
  }
}
