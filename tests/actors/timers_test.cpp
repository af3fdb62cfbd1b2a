// Durable timers: each fires once, in order, also when the node or the timer service was down in between.
#include <caf/send.hpp>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

struct timer_node : stepped_node {
  timer_node() : stepped_node(test_system(), few_partitions()) { settle(); }
  std::string tags() { return row<account>("account", 1)->tags; }
};

}  // namespace

TEST_CASE("timers: given several, when their times come, then each fires once, in the order of their times, not before") {
  timer_node n;
  (void)n.ask("account", {}, remind_later{300, "c"});
  (void)n.ask("account", 1, remind_later{100, "a"});
  (void)n.ask("account", 1, remind_later{200, "b"});
  CHECK(n.rows_in(storage::table::timers) == 3);
  n.advance(milliseconds(99));
  CHECK(n.tags() == "(c),(a),(b),");
  n.advance(milliseconds(2));
  CHECK(n.tags() == "(c),(a),(b),a,");
  n.advance(milliseconds(1000));
  CHECK(n.tags() == "(c),(a),(b),a,b,c,");
  CHECK(n.rows_in(storage::table::timers) == 0);
}

TEST_CASE("timers: given a node that is down when timers come due, when it starts, then they fire at once, in order, and once") {
  timer_node n;
  (void)n.ask("account", {}, remind_later{200, "b"});
  (void)n.ask("account", 1, remind_later{100, "a"});
  (void)n.ask("account", 1, remind_later{10000, "c"});
  n.stop();
  n.clock().advance(milliseconds(5000));
  n.start();
  n.settle();
  CHECK(n.tags() == "(b),(a),(c),a,b,");
  n.crash();
  n.settle();
  CHECK(n.tags() == "(b),(a),(c),a,b,");
  n.advance(milliseconds(5100));
  CHECK(n.tags() == "(b),(a),(c),a,b,c,");
}

TEST_CASE("timers: given a crash at any step around the firing, then each fires exactly once") {
  for (const std::size_t items : {std::size_t{1}, std::size_t{4096}}) {
    for (int step = 0, left = 1; left > 0; ++step) {
      CAPTURE(items, step);
      auto s = few_partitions();
      s.batch_items_max = items;
      stepped_node n(test_system(), s);
      n.settle();
      for (const auto* tag : {"a", "b"}) (void)n.ask("account", {}, remind_later{10, tag});
      n.clock().advance(milliseconds(10));
      n.coordinator().advance_time(milliseconds(10));
      left = 1;
      for (int i = 0; i < step && left > 0; ++i) left = n.step() ? 1 : 0;
      n.crash();
      n.settle();
      n.advance(milliseconds(50));
      for (std::uint64_t id = 1; id <= 2; ++id) CHECK(times(n.row<account>("account", id)->tags, ",") == 2);
      CHECK(n.rows_in(storage::table::timers) == 0);
      CHECK(n.rows_in(storage::table::outbox) == 0);
    }
  }
}

TEST_CASE(
    "timers: given a timer service that is killed at any step of setting and firing, while the disk stands still or not, then each fires "
    "exactly once") {
  for (const bool with_disk : {true, false}) {
    for (int step = 0, left = 1; left > 0; ++step) {
      CAPTURE(with_disk, step);
      timer_node n;
      const auto a = n.send("account", {}, remind_later{2, "a"});
      const auto b = n.send("account", {}, remind_later{3, "b"});
      left = 1;
      for (int i = 0; i < step && left > 0; ++i) {
        if (n.step()) continue;
        n.clock().advance(milliseconds(1));
        n.coordinator().advance_time(milliseconds(1));
        left = n.rows_in(storage::table::timers) > 0 || n.coordinator().has_job() ? 1 : 0;
      }
      caf::anon_send_exit(n.shared().timer.get(), caf::exit_reason::kill);
      if (!with_disk) n.advance_without_disk(milliseconds(30));
      n.settle();
      n.advance(milliseconds(60));
      CHECK(a->ok());
      CHECK(b->ok());
      for (std::uint64_t id = 1; id <= 2; ++id) CHECK(times(n.row<account>("account", id)->tags, ",") == 2);
      check_disk(n);
      CHECK(n.rows_in(storage::table::timers) == 0);
      CHECK(n.shared().contexts[0].outbox == 0);
    }
  }
}

TEST_CASE("timers: given a stopped context, when its timers come due, then they wait for its start") {
  timer_node n;
  (void)n.ask("account", {}, remind_later{100, "a"});
  n.switch_context("account", false);
  n.advance(milliseconds(500));
  CHECK(n.rows_in(storage::table::timers) == 0);
  CHECK(n.rows_in(storage::table::outbox) == 1);
  n.switch_context("account", true);
  n.advance(milliseconds(10));
  CHECK(n.tags() == "(a),a,");
  check_disk(n);
}

TEST_CASE("timers: given an account that is closed before its timer comes due, then the timer is consumed all the same") {
  timer_node n;
  (void)n.ask("account", {}, remind_later{100, "a"});
  (void)n.ask("account", 1, close_account{});
  n.advance(milliseconds(200));
  CHECK(n.rows_in(storage::table::timers) == 0);  // it came to a closed account, whose rules decide
  CHECK(n.rows_in(storage::table::outbox) == 0);
  check_disk(n);
}
