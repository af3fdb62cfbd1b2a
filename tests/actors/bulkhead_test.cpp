// The gate in front of a slow partner, in virtual time.
#include <caf/send.hpp>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

constexpr std::uint16_t ledgers = 1;

/// Ledgers take `slow` for each booking.
actors::runtime_settings gated(milliseconds slow, std::uint32_t concurrent_max = 1, std::uint32_t queued_max = 1) {
  auto s = few_partitions();
  auto& c = s.contexts["ledger"];
  c.slow_min = c.slow_max = slow;
  c.bulkhead.concurrent_max = concurrent_max;
  c.bulkhead.queued_max = queued_max;
  c.bulkhead.call_timeout = milliseconds(500);
  c.bulkhead.window_calls_min = 4;
  c.bulkhead.half_open_probes = 2;
  c.bulkhead.open_time = milliseconds(1000);
  return s;
}

struct gate_node : stepped_node {
  explicit gate_node(actors::runtime_settings s) : stepped_node(test_system(), std::move(s)) { settle(); }
  actors::bulkhead_status& gate() { return shared().contexts[ledgers].bulkhead; }
};

std::shared_ptr<stepped_node::pending> transfer_of_a_new_account(stepped_node& n, const std::string& ledger_name,
                                                                 milliseconds limit = milliseconds(5000)) {
  const auto p = n.send("account", {}, transfer{1, "t", ledger_name}, {}, {}, limit);
  n.settle();
  return p;
}

}  // namespace

TEST_CASE(
    "bulkhead: given one place and one waiting, when a third asks, then it is refused at once; the others are served one after the other") {
  gate_node n(gated(milliseconds(100)));
  const auto a = transfer_of_a_new_account(n, "a"), b = transfer_of_a_new_account(n, "b"), c = transfer_of_a_new_account(n, "c");
  CHECK(n.gate().in_flight == 1);
  CHECK(n.gate().queued == 1);
  REQUIRE(c->answers == 1);
  CHECK(c->answer->refused->kind == rejection_kind::overloaded);
  CHECK(c->answer->refused->retry_after_ms > 0);
  CHECK(n.gate().refused == 1);
  n.advance(milliseconds(101));
  CHECK(a->ok());
  CHECK_FALSE(b->done());
  CHECK(n.gate().queued == 0);
  n.advance(milliseconds(101));
  CHECK(b->ok());
  CHECK(n.gate().passed == 2);
  CHECK(n.gate().state == actors::circuit_state::closed);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("bulkhead: given a full one, when a waiting ask's time is over, then it is timed out without having been handled") {
  gate_node n(gated(milliseconds(450), 1, 10));
  const auto a = transfer_of_a_new_account(n, "a"), b = transfer_of_a_new_account(n, "b"), c = transfer_of_a_new_account(n, "c");
  const auto hasty = transfer_of_a_new_account(n, "d", milliseconds(100));
  n.advance(milliseconds(110));
  REQUIRE(hasty->answers == 1);  // although it waits behind others with more time
  CHECK(hasty->answer->refused->kind == rejection_kind::timed_out);
  n.advance(milliseconds(345));
  CHECK(a->ok());
  n.advance(milliseconds(100));
  REQUIRE(c->answers == 1);
  CHECK(c->answer->refused->kind == rejection_kind::timed_out);
  REQUIRE(b->answers == 1);
  CHECK(b->answer->refused->kind == rejection_kind::timed_out);  // passed with what was left of its time
  n.advance(milliseconds(2000));
  CHECK(n.row<ledger>("ledger", 1)->entries == 1);
  CHECK(all_rows<ledger>(n, "ledger").size() == 1);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE(
    "bulkhead: given a partner that does not answer in time, when enough calls failed, then the circuit opens, refuses at once, probes, "
    "and closes") {
  auto s = gated(milliseconds(0), 100, 100);
  s.contexts["ledger"].slow_min = s.contexts["ledger"].slow_max = milliseconds(600);
  gate_node n(s);
  std::vector<std::shared_ptr<stepped_node::pending>> first;
  for (int i = 0; i < 6; ++i) first.push_back(transfer_of_a_new_account(n, "l" + std::to_string(i)));
  n.advance(milliseconds(505));
  for (const auto& p : first) CHECK(p->answer->refused->kind == rejection_kind::timed_out);
  CHECK(n.gate().state == actors::circuit_state::open);
  const auto refused = transfer_of_a_new_account(n, "x");
  REQUIRE(refused->answers == 1);
  CHECK(refused->answer->refused->kind == rejection_kind::overloaded);
  CHECK(refused->answer->refused->retry_after_ms >= 990);
  CHECK(refused->answer->refused->retry_after_ms <= 1000);
  n.advance(milliseconds(1010));
  // A bad probe opens it again.
  const auto bad = transfer_of_a_new_account(n, "x");
  CHECK(n.gate().state == actors::circuit_state::half_open);
  n.advance(milliseconds(505));
  CHECK(bad->answer->refused->kind == rejection_kind::timed_out);
  CHECK(n.gate().state == actors::circuit_state::open);
  CHECK(transfer_of_a_new_account(n, "x")->answer->refused->kind == rejection_kind::overloaded);
  n.advance(milliseconds(2000));
  CHECK(all_rows<ledger>(n, "ledger").empty());
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE(
    "bulkhead: given an open circuit, when its partner is well again, then as many good probes as it wants close it, and more than that "
    "wait") {
  gate_node n(gated(milliseconds(10), 100, 100));
  {
    fault always("book:t");
    std::vector<std::shared_ptr<stepped_node::pending>> all;
    for (int i = 0; i < 6; ++i) all.push_back(transfer_of_a_new_account(n, "l" + std::to_string(i)));
    n.advance(milliseconds(2000));
    for (const auto& p : all) CHECK(p->answers == 1);
  }
  // Whatever the circuit went through meanwhile, it has failures only; now it waits for its probes.
  n.advance(milliseconds(1100));
  const auto a = transfer_of_a_new_account(n, "a"), b = transfer_of_a_new_account(n, "b");
  CHECK(n.gate().state == actors::circuit_state::half_open);
  const auto c = transfer_of_a_new_account(n, "c");
  REQUIRE(c->answers == 1);
  CHECK(c->answer->refused->kind == rejection_kind::overloaded);
  n.advance(milliseconds(20));
  CHECK(a->ok());
  CHECK(b->ok());
  CHECK(n.gate().state == actors::circuit_state::closed);
  const auto d = transfer_of_a_new_account(n, "d");
  n.advance(milliseconds(20));
  CHECK(d->ok());
  check_accounts(n);
}

TEST_CASE(
    "bulkhead: given an open circuit and all places taken, when somebody asks, then he is refused at once and does not wait for a place") {
  auto s = gated(milliseconds(400), 5, 100);
  s.contexts["ledger"].bulkhead.window_calls_min = 2;
  gate_node n(s);
  // Two have little time: given up before the rest, they open the circuit while the other places are taken.
  std::vector<std::shared_ptr<stepped_node::pending>> slow;
  for (int i = 0; i < 2; ++i) slow.push_back(transfer_of_a_new_account(n, "l", milliseconds(50)));
  for (int i = 0; i < 8; ++i) slow.push_back(transfer_of_a_new_account(n, "l" + std::to_string(i)));
  CHECK(n.gate().in_flight == 5);
  CHECK(n.gate().queued == 5);
  n.advance(milliseconds(56));
  CHECK(n.gate().state == actors::circuit_state::open);
  CHECK(n.gate().queued == 0);  // whoever waited has his refusal too
  const auto p = transfer_of_a_new_account(n, "y");
  REQUIRE(p->answers == 1);
  CHECK(p->answer->refused->kind == rejection_kind::overloaded);
  n.advance(milliseconds(2000));
  for (const auto& q : slow) CHECK(q->answers == 1);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("bulkhead: given a stopped partner, when it is asked often, then each is refused at once and the circuit stays closed") {
  gate_node n(gated(milliseconds(10), 100, 100));
  n.switch_context("ledger", false);
  for (int i = 0; i < 30; ++i) {
    const auto p = transfer_of_a_new_account(n, "l");
    REQUIRE(p->answers == 1);
    CHECK(p->answer->refused->kind == rejection_kind::stopped);
  }
  CHECK(n.gate().state == actors::circuit_state::closed);
  n.switch_context("ledger", true);
  const auto p = transfer_of_a_new_account(n, "l");
  n.advance(milliseconds(20));
  CHECK(p->ok());
  check_at_rest(n);
}

TEST_CASE("bulkhead: given a partner whose rules say no, then that is no failure of its") {
  gate_node n(gated(milliseconds(0), 100, 100));
  for (int i = 0; i < 30; ++i) {
    const auto a = n.ask("account", {}, transfer{-1, "t", "l"});
    CHECK(a.refused->kind == rejection_kind::conflict);
  }
  CHECK(n.gate().state == actors::circuit_state::closed);
  check_at_rest(n);
}

TEST_CASE(
    "deadlines: given a caller with less time than the chain may take, then the partner's time is cut to the caller's, and nothing late is "
    "kept") {
  gate_node n(gated(milliseconds(100), 10, 10));
  const auto p = n.send("account", {}, transfer{1, "t", "l"}, {}, {}, milliseconds(60));
  n.settle();
  n.advance(milliseconds(66));
  REQUIRE(p->answers == 1);
  CHECK(p->answer->refused->kind == rejection_kind::timed_out);
  n.advance(milliseconds(2000));
  CHECK(all_rows<ledger>(n, "ledger").empty());
  CHECK(all_rows<account>(n, "account").empty());
  check_at_rest(n);
}

TEST_CASE("deadlines: given a request whose time is over before its turn, then it is refused and not handled") {
  gate_node n(gated(milliseconds(200), 10, 10));
  REQUIRE_FALSE(n.ask("account", {}, deposit{1, "open"}).refused);
  const auto slow = n.send("account", 1, transfer{1, "t", "l"});
  const auto late = n.send("account", 1, deposit{5, "late"}, {}, {}, milliseconds(100));
  const auto patient = n.send("account", 1, deposit{5, "patient"});
  n.settle();
  n.advance(milliseconds(210));
  CHECK(slow->ok());
  CHECK(patient->ok());
  REQUIRE(late->answers == 1);
  CHECK(late->answer->refused->kind == rejection_kind::timed_out);
  CHECK(n.row<account>("account", 1)->tags == "open,t,patient,");
}
