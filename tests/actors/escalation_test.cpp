// Failures that go up the tree: a context that is restarted as a whole, and a node that gives up.
#include <caf/send.hpp>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

/// Kills the partition as soon as it is there, so many times.
void kill_again_and_again(stepped_node& n, std::uint16_t context, int times_killed) {
  for (int killed = 0, waited = 0; killed < times_killed && waited < 100000; ++waited) {
    if (const auto victim = n.shared().partition({context, 0}).get()) {
      caf::anon_send_exit(victim, caf::exit_reason::kill);
      ++killed;
    }
    n.settle();
    n.advance(milliseconds(1));
  }
}

actors::runtime_settings impatient() {
  auto s = few_partitions();
  s.restart_intensity = 3;
  s.backoff_max = milliseconds(10);
  return s;
}

}  // namespace

TEST_CASE(
    "escalation: given a child that fails as often as it may, then it is restarted on its own; once more, and its context is restarted as "
    "a whole") {
  stepped_node n(test_system(), impatient());
  n.settle();
  REQUIRE_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  kill_again_and_again(n, 0, 3);
  n.advance(milliseconds(50));
  CHECK(n.shared().board.all().at("account/partition-0").restarts == 3);
  CHECK(n.shared().board.all().at("account").restarts == 0);
  kill_again_and_again(n, 0, 1);
  n.advance(milliseconds(50));
  CHECK(n.shared().board.all().at("account").restarts == 1);
  CHECK(n.shared().board.all().at("account/partition-0").restarts == 0);
  CHECK(n.failed_with.empty());
  CHECK_FALSE(n.ask("account", 1, deposit{1, "b"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("escalation: given failures further apart than the period, then nothing goes up the tree") {
  auto s = impatient();
  s.restart_period = milliseconds(1000);
  stepped_node n(test_system(), s);
  n.settle();
  for (int i = 0; i < 10; ++i) {
    kill_again_and_again(n, 0, 1);
    n.advance(milliseconds(400));
  }
  CHECK(n.shared().board.all().at("account").restarts == 0);
  CHECK(n.shared().board.all().at("account/partition-0").restarts == 10);
}

TEST_CASE("escalation: given a context that fails as a whole more often than it may, then the node gives up and says why, once") {
  stepped_node n(test_system(), impatient());
  n.settle();
  REQUIRE_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  kill_again_and_again(n, 0, 12);
  n.advance(milliseconds(50));
  CHECK(n.failed_with.empty());
  kill_again_and_again(n, 0, 4);
  CHECK(n.failed_with.find("account") != std::string::npos);
  CHECK(n.failed_with.find("restartIntensity") != std::string::npos);
  n.crash();
  n.settle();
  CHECK_FALSE(n.ask("account", 1, deposit{1, "b"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("escalation: given a root supervisor that ends, then the node gives up and says so") {
  stepped_node n(test_system(), impatient());
  n.settle();
  caf::anon_send_exit(n.node().inside().root, caf::exit_reason::kill);
  n.settle();
  CHECK_FALSE(n.failed_with.empty());
}

TEST_CASE(
    "escalation: given a context that is restarted as a whole at any step of a chain, then each caller has one answer and the books "
    "balance") {
  for (std::uint16_t context = 0; context < 3; ++context) {
    for (int step = 0, left = 1; left > 0; ++step) {
      CAPTURE(context, step);
      auto s = few_partitions();
      s.restart_intensity = 1;  // two children at once are more than that: the context's failure, and the root's first
      stepped_node n(test_system(), s);
      const auto story = account_mix();
      story.prepare(n);
      const auto all = story.begin(n);
      left = 1;
      for (int i = 0; i < step && left > 0; ++i) left = n.step() ? 1 : 0;
      for (std::uint16_t p = 0; p < 2; ++p) caf::anon_send_exit(n.shared().partition({context, p}).get(), caf::exit_reason::kill);
      n.settle();
      n.advance(milliseconds(1300));
      CHECK(n.shared().board.all().at(n.system().contexts[context].name).restarts == 1);
      for (const auto& p : all) CHECK(p->answers == 1);
      story.check(n, all);
      check_at_rest(n);
    }
  }
}

TEST_CASE(
    "escalation: given a node that gives up at any step of a chain, when it starts again, then each caller has one answer and the books "
    "balance") {
  for (int step = 0, left = 1; left > 0; ++step) {
    CAPTURE(step);
    auto s = few_partitions();
    s.restart_intensity = 0;  // any child's failure is the node's
    stepped_node n(test_system(), s);
    const auto story = account_mix();
    story.prepare(n);
    const auto all = story.begin(n);
    left = 1;
    for (int i = 0; i < step && left > 0; ++i) left = n.step() ? 1 : 0;
    caf::anon_send_exit(n.shared().gate(1).get(), caf::exit_reason::kill);
    n.settle();
    n.advance(milliseconds(100));
    CHECK_FALSE(n.failed_with.empty());
    n.crash();
    n.settle();
    n.advance(milliseconds(1300));
    for (const auto& p : all) CHECK(p->answers == 1);
    story.check(n, all);
    check_at_rest(n);
  }
}
