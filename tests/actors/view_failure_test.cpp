// Views that throw: retried, then one event is left out; never the context's end.
#include "tests/actors/books.hpp"
#include "tests/actors/test_system.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

actors::runtime_settings small() {
  actors::runtime_settings s;
  s.partitions = 2;
  return s;
}

}  // namespace

TEST_CASE("views: given a view that throws twice on an event, then it is restarted and nothing is left out") {
  stepped_node n(test_system(), small());
  n.settle();
  fault twice("view:b", 2);
  for (const auto* tag : {"a", "b", "c"}) (void)n.ask("account", {}, deposit{1, tag});
  n.advance(milliseconds(2000));
  for (std::uint64_t id = 1; id <= 3; ++id) CHECK(n.view_row<statement>(0, id)->lines == 1);
  check_at_rest(n);
}

TEST_CASE(
    "views: given a view that always throws on an event, then that event is left out, the other rows are complete, and a rebuild makes all "
    "whole") {
  stepped_node n(test_system(), small());
  n.settle();
  fault always("view:b");
  for (const auto* tag : {"a", "b", "c"}) (void)n.ask("account", {}, deposit{1, tag});
  (void)n.ask("account", 2, deposit{5, "d"});
  n.advance(milliseconds(5000));
  CHECK(n.view_row<statement>(0, 1)->sum == 1);
  CHECK(n.view_row<statement>(0, 2)->sum == 5);
  CHECK(n.view_row<statement>(0, 3)->sum == 1);
  CHECK(for_ever - armed_faults().at("view:b") == 5);
  CHECK_FALSE(n.ask("account", 2, deposit{5, "e"}).refused);
  n.advance(milliseconds(10));
  CHECK(n.view_row<statement>(0, 2)->sum == 10);
  CHECK(n.failed_with.empty());
  always.mend();
  const auto copy = copy_of(*n.disk());
  const auto report = storage::rebuild_and_verify(*copy, n.system(), [](const std::string&, std::uint64_t) {});
  CHECK(report.faults == std::vector<std::string>{});
  stepped_node whole(test_system(), small(), std::shared_ptr<storage::store>(storage::make_memory_store()));
  whole.settle();
  for (const auto* tag : {"a", "b", "c"}) (void)whole.ask("account", {}, deposit{1, tag});
  (void)whole.ask("account", 2, deposit{5, "d"});
  (void)whole.ask("account", 2, deposit{5, "e"});
  n.crash_onto(std::shared_ptr<storage::store>(copy_of(*copy)));
  n.settle();
  for (std::uint64_t id = 1; id <= 3; ++id) CHECK(n.view_row<statement>(0, id)->sum == whole.view_row<statement>(0, id)->sum);
  check_at_rest(n);
}

TEST_CASE("views: given many events on which a view throws, then each is left out in turn and its context is never given up") {
  stepped_node n(test_system(), small());
  n.settle();
  fault always("view:bad");
  for (int i = 0; i < 6; ++i) {
    (void)n.ask("account", {}, deposit{1, "bad"});
    (void)n.ask("account", {}, deposit{1, "good"});
  }
  n.advance(milliseconds(200000));
  CHECK(n.failed_with.empty());
  for (std::uint64_t id = 1; id <= 12; ++id) CHECK(n.view_row<statement>(0, id).has_value() == (id % 2 == 0));
  const auto board = n.shared().board.all();
  CHECK(board.at("desk").restarts == 0);
  CHECK(board.at("desk/projector").restarts == 30);
  CHECK_FALSE(n.sink->delivered.empty());
}
