// Rules that cost nothing until something fails: each has a test here that sees its absence (tests/mutants/ has the absences).
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

constexpr std::uint16_t ledgers = 1, shadows = 2, desk = 3;
const storage::address first_ledger{ledgers, 1, {}};

struct plain_node : stepped_node {
  explicit plain_node(actors::runtime_settings s = few_partitions()) : stepped_node(test_system(), std::move(s)) { settle(); }

  // Until a ledger's step waits for its asker's record.
  void step_until_a_step_is_held() {
    while (!shared().provisional.any(first_ledger)) REQUIRE(step());
  }
};

// Asks a ledger to book, and keeps the ticket for as long as the test likes.
class patient_asker {
 public:
  patient_asker(stepped_node& n, const std::string& name) : replies_(std::make_shared<std::vector<actors::ask_reply_ptr>>()) {
    const auto self = n.node().inside().actors->spawn([all = replies_](caf::event_based_actor*) -> caf::behavior {
      return {[all](const actors::ask_reply_ptr& r) { all->push_back(r); }};
    });
    auto d = std::make_shared<actors::delivery>();
    d->node = &n.shared();
    d->kind = actors::delivery_kind::ask;
    d->to = {ledgers, 0, name};
    d->from = {0, 1, {}};
    d->payload = value::of(book{name, "patient", 1});
    d->undo_command = value::of(unbook{name, "patient", 1});
    d->correlation = d->from;
    d->reply_to = self;
    d->ask = ++n.shared().last_ask;
    n.shared().deliver(std::move(d));
    n.settle();
    REQUIRE(replies_->size() == 1);
    REQUIRE(replies_->front()->ticket);
  }
  void give_up() { replies_->clear(); }

 private:
  std::shared_ptr<std::vector<actors::ask_reply_ptr>> replies_;
};

}  // namespace

// ---- passivation

TEST_CASE("safeguard: given a step that is not on disk yet, when its aggregate would be passivated, then it stays active and goes on") {
  for (const bool for_room : {false, true}) {
    CAPTURE(for_room);
    auto s = few_partitions();
    s.partitions = 1;
    s.idle = milliseconds(500);
    s.kept_awake_max = for_room ? 1 : 512;
    plain_node n(s);
    const auto a = n.send("account", {}, deposit{1, "a"});
    n.run_actors();
    n.advance_without_disk(milliseconds(2000));
    if (for_room) {
      for (int others = 0; others < 4; ++others) (void)n.send("account", {}, deposit{1, "o"}), n.run_actors();
    }
    const auto b = n.send("account", 1, deposit{1, "b"});
    n.settle();
    CHECK(a->ok());
    CHECK(b->ok());
    CHECK(n.row<account>("account", 1)->balance == 2);
    CHECK(n.row<account>("account", 1)->tags == "a,b,");
    check_accounts(n);
  }
}

// ---- pending holds

TEST_CASE(
    "safeguard: given a step that may still be taken back, when a caller's command finds nothing to do, then it is told to ask again") {
  plain_node n;
  patient_asker asker(n, "l");
  const auto while_pending = n.ask("ledger", {}, look_over{"l"});
  REQUIRE(while_pending.refused);
  CHECK(while_pending.refused->kind == rejection_kind::overloaded);
  asker.give_up();
  n.settle();
  n.advance(milliseconds(10));
  CHECK_FALSE(n.row<ledger>("ledger", 1));
  CHECK_FALSE(n.ask("ledger", {}, look_over{"l"}).refused);
  check_at_rest(n);
}

TEST_CASE("safeguard: given a crash with a step that nobody confirmed, when the node starts, then the step is pending until it is undone") {
  plain_node n(lanes_one_by_one());
  (void)n.send("account", {}, transfer{1, "t", "l"});
  while (n.rows_in(storage::table::outbox) == 0) REQUIRE(n.step());
  n.crash();
  CHECK(n.shared().provisional.any(first_ledger));
  CHECK_FALSE(n.node().ready());
  n.settle();
  CHECK_FALSE(n.shared().provisional.any(first_ledger));
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("safeguard: given a lane that starts, when a caller came before an undo, then the undo goes first") {
  plain_node n;
  patient_asker asker(n, "l");
  const auto lane = n.shared().lane_of({ledgers, 0, "l"});
  caf::anon_send_exit(n.shared().partition(lane).get(), caf::exit_reason::kill);
  n.advance_without_disk(milliseconds(500));  // a new one waits for its barrier
  const auto caller = n.send("ledger", {}, look_over{"l"});
  n.run_actors();
  REQUIRE(caller->answers == 0);
  asker.give_up();
  n.run_actors();
  n.settle();
  CHECK(caller->ok());
  check_at_rest(n);
}

// ---- fences

TEST_CASE("safeguard: given a projector of an older epoch, when it writes, then nothing of it happens and a new one shows the event once") {
  plain_node n;
  n.node().inside().log->set_epoch({desk, storage::view_partition}, 1000000);
  REQUIRE_FALSE(n.ask("account", {}, deposit{5, "a"}).refused);
  CHECK_FALSE(n.view_row<statement>(0, 1));
  n.advance(milliseconds(2000));
  REQUIRE(n.view_row<statement>(0, 1));
  CHECK(n.view_row<statement>(0, 1)->lines == 1);
  check_at_rest(n);
}

TEST_CASE("safeguard: given a notifier of an older epoch, when it has delivered, then it consumes nothing and a new one delivers again") {
  plain_node n;
  n.sink->failures_left = 1;
  REQUIRE_FALSE(n.ask("account", {}, deposit{5, "a"}).refused);
  n.node().inside().log->set_epoch({desk, storage::notification_partition}, 1000000);
  while (n.sink->delivered.empty()) n.pass_time(milliseconds(1)), n.settle();
  CHECK(n.rows_in(storage::table::outbox) == 1);
  n.advance(milliseconds(2000));
  CHECK(n.rows_in(storage::table::outbox) == 0);
  CHECK(n.sink->delivered.size() == 2);
  check_at_rest(n);
}

// ---- read once

TEST_CASE("safeguard: given messages that come while a lane starts, few or more than are kept, then each is handled once") {
  for (const int messages : {1, 10500}) {  // a partition keeps 10,000
    CAPTURE(messages);
    auto s = few_partitions();
    s.partitions = 1;
    s.journal_queue_max = s.in_flight_max = 100000;
    plain_node n(s);
    REQUIRE_FALSE(n.ask("account", {}, deposit{1, {}}).refused);
    caf::anon_send_exit(n.shared().partition({shadows, 0}).get(), caf::exit_reason::kill);
    n.advance_without_disk(milliseconds(500));  // a new one waits for its barrier
    answers all;
    for (int i = 0; i < messages; ++i) all.push_back(n.send("account", 1, deposit{1, {}}));
    n.settle();
    n.advance(milliseconds(100));
    CHECK(count_ok(all) == messages);
    CHECK(n.row<shadow>("shadow", 1)->sum == messages + 1);
    check_at_rest(n);
  }
}
