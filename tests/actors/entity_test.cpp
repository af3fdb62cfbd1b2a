// One aggregate's life: found by number or key, gone and made anew, asleep and awake, at its limits.
#include <caf/send.hpp>
#include <nlohmann/json.hpp>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

struct plain_node : stepped_node {
  explicit plain_node(actors::runtime_settings s = few_partitions(), std::shared_ptr<storage::store> disk = nullptr)
      : stepped_node(test_system(), std::move(s), std::move(disk)) {
    settle();
  }
};

idempotency_key key_of(std::uint8_t n) {
  idempotency_key k;
  k.key.fill(n);
  k.fingerprint = n;
  return k;
}

}  // namespace

TEST_CASE("node: given a crash, then its history goes on; given an empty disk, then another one begins") {
  stepped_node n(test_system());
  const std::string history(n.node().history());
  CHECK(history.size() == 16);
  n.crash();
  CHECK(n.node().history() == history);
  actors::runtime_settings other;
  other.seed = 1;
  stepped_node empty(test_system(), other);
  CHECK(empty.node().history() != history);
}

TEST_CASE("entity: given a message that was handled, then it counts as outstanding until what it did can be read") {
  plain_node n;
  const auto& outstanding = n.shared().contexts[n.system().context_named("shadow").index].outbox;
  (void)n.send("account", {}, deposit{5, "a"});
  n.run_actors();
  CHECK(outstanding == 1);
  CHECK_FALSE(n.row<shadow>("shadow", 1));
  n.settle();
  CHECK(outstanding == 0);
  CHECK(n.row<shadow>("shadow", 1));
}

TEST_CASE(
    "entity: given aggregates found by key, when many ask for one key at once, also after sleep and a crash, then there is one aggregate") {
  auto s = few_partitions();
  s.idle = milliseconds(500);
  plain_node n(s);
  answers all;
  for (int i = 0; i < 10; ++i) all.push_back(n.send("account", {}, transfer{1, "t", i % 2 == 0 ? "even" : "odd"}));
  n.settle();
  n.advance(milliseconds(2000));  // all asleep
  CHECK(n.shared().awake == 0);
  for (int i = 0; i < 2; ++i) all.push_back(n.send("account", {}, transfer{1, "t", i % 2 == 0 ? "even" : "odd"}));
  n.crash();
  n.settle();
  for (int i = 0; i < 2; ++i) all.push_back(n.send("account", {}, transfer{1, "t", i % 2 == 0 ? "even" : "odd"}));
  n.settle();
  const auto ledgers = all_rows<ledger>(n, "ledger");
  CHECK(ledgers.size() == 2);
  for (const auto& [id, l] : ledgers) CHECK(l.sum == 6);
  CHECK(count_ok(all) == 12);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("entity: given an aggregate that is gone, then it is not found, and a new command makes it anew under its number") {
  for (const bool asleep : {false, true}) {
    auto s = few_partitions();
    s.idle = milliseconds(500);
    plain_node n(s);
    REQUIRE_FALSE(n.ask("account", {}, deposit{5, "a"}).refused);
    REQUIRE_FALSE(n.ask("account", 1, close_account{}).refused);
    if (asleep) n.advance(milliseconds(2000));
    CHECK_FALSE(n.row<account>("account", 1));
    CHECK(n.ask("account", 1, deposit{1, "b"}).refused->kind == rejection_kind::not_found);
    CHECK(n.ask("account", 1, close_account{}).refused->kind == rejection_kind::not_found);
    check_disk(n);
    check_at_rest(n);
  }
  // By key: a ledger without entries is gone, and booked again it is there under the number it had.
  plain_node n;
  fault once("replied:t", 1);
  const auto p = n.send("account", {}, transfer{1, "t", "l"});
  n.advance(milliseconds(100));
  CHECK(p->answer->refused);
  CHECK_FALSE(n.row<ledger>("ledger", 1));
  REQUIRE_FALSE(n.ask("account", {}, transfer{3, "u", "l"}).refused);
  CHECK(n.row<ledger>("ledger", 1)->sum == 3);
  n.crash();
  n.settle();
  REQUIRE_FALSE(n.ask("account", {}, transfer{3, "u", "l"}).refused);
  CHECK(n.row<ledger>("ledger", 1)->sum == 6);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("entity: given two callers with the same version, when both change the aggregate, then one of them wins and the other is stale") {
  plain_node n;
  REQUIRE_FALSE(n.ask("account", {}, deposit{5, "a"}).refused);
  const auto p = n.send("account", 1, deposit{1, "b"}, {}, 1);
  const auto q = n.send("account", 1, deposit{1, "c"}, {}, 1);
  const auto ahead = n.send("account", 1, deposit{1, "d"}, {}, 3);
  n.settle();
  CHECK(p->ok());
  CHECK(p->answer->resource.version == 2);
  CHECK(q->answer->refused->kind == rejection_kind::stale);
  CHECK(ahead->answer->refused->kind == rejection_kind::stale);
  CHECK(n.row<account>("account", 1)->tags == "a,b,");
}

TEST_CASE("entity: given two callers who send back what both have read, when one changes it, then the other is refused") {
  plain_node n;
  REQUIRE_FALSE(n.ask("account", {}, deposit{5, "a"}).refused);
  const auto read = value::of(*n.row<account>("account", 1));
  const auto send = [&](std::vector<std::size_t> fields) {
    command_request r;
    r.context = n.system().context_named("account").index;
    r.id = 1;
    r.command = value::of(deposit{1, "b"});
    r.read_only = {read, std::move(fields)};
    return n.send(std::move(r));
  };
  const auto first = send({0}), second = send({0});
  n.settle();
  CHECK(first->ok());
  REQUIRE(second->answer->refused);
  CHECK(second->answer->refused->kind == rejection_kind::invalid);
  CHECK(second->answer->refused->field == account::fields()[0].name);
}

TEST_CASE("entity: given chains under way, when their aggregates would be put to sleep, then they stay awake and finish") {
  auto s = few_partitions();
  s.idle = milliseconds(500);
  s.awake_max = 4;
  s.contexts["ledger"].slow_min = s.contexts["ledger"].slow_max = milliseconds(1500);
  plain_node n(s);
  answers all;
  for (int i = 0; i < 5; ++i) all.push_back(n.send("account", {}, transfer{1, "t", "l" + std::to_string(i)}));
  n.settle();
  n.advance(milliseconds(1400));
  CHECK(n.shared().awake >= 5);
  n.advance(milliseconds(200));
  CHECK(count_ok(all) == 5);
  n.advance(milliseconds(2000));
  CHECK(n.shared().awake == 0);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("entity: given an aggregate that fell asleep with messages on their way, then they wake it, in order") {
  auto s = few_partitions();
  s.idle = milliseconds(500);
  for (int step = 0; step < 60; ++step) {
    CAPTURE(step);
    plain_node n(s);
    REQUIRE_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
    n.advance(milliseconds(400));
    n.clock().advance(milliseconds(700));
    n.coordinator().advance_time(milliseconds(700));  // the sweep is due
    for (int i = 0; i < step; ++i) (void)n.step();
    const auto p = n.send("account", 1, deposit{1, "b"});
    const auto q = n.send("account", 1, deposit{1, "c"});
    n.settle();
    CHECK(p->ok());
    CHECK(q->ok());
    CHECK(n.row<account>("account", 1)->tags == "a,b,c,");
    check_accounts(n);
    check_at_rest(n);
  }
}

TEST_CASE(
    "limits: given requests in flight up to the limit, when one more comes, then it is refused; when they are answered, the next is "
    "taken") {
  auto s = few_partitions();
  s.in_flight_max = 3;
  plain_node n(s);
  answers all;
  for (int i = 0; i < 3; ++i) all.push_back(n.send("account", {}, deposit{1, "a"}));
  const auto beyond = n.send("account", {}, deposit{1, "a"});
  REQUIRE(beyond->answers == 1);
  CHECK(beyond->answer->refused->kind == rejection_kind::overloaded);
  CHECK(beyond->answer->refused->retry_after_ms > 0);
  n.settle();
  CHECK(count_ok(all) == 3);
  CHECK_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  check_at_rest(n);
}

TEST_CASE("limits: given a disk that is behind, when the journal's queue is full, then requests are refused until it has caught up") {
  auto s = few_partitions();
  s.journal_queue_max = 5;
  plain_node n(s);
  answers all;
  while (n.node().inside().log->depth() < 5) {
    all.push_back(n.send("account", {}, deposit{1, "a"}));
    n.run_actors();
  }
  const auto beyond = n.send("account", {}, deposit{1, "a"});
  REQUIRE(beyond->answers == 1);
  CHECK(beyond->answer->refused->kind == rejection_kind::overloaded);
  n.settle();
  CHECK(count_ok(all) == static_cast<std::int64_t>(all.size()));
  CHECK_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  check_at_rest(n);
}

TEST_CASE(
    "limits: given a disk without room for more, then the node is not ready and refuses requests, what is under way ends well, and all is "
    "as before when there is room") {
  const auto plan = std::make_shared<storage::fault_plan>();
  plain_node n(few_partitions(), storage::make_faulty_store(storage::make_memory_store(), plan));
  REQUIRE_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  const auto under_way = n.send("account", 1, transfer{1, "t", "l"});
  plan->leave_room(false);
  const auto beyond = n.send("account", {}, deposit{1, "a"});
  REQUIRE(beyond->answers == 1);
  CHECK(beyond->answer->refused->kind == rejection_kind::overloaded);
  CHECK(beyond->answer->refused->detail.find("data.reserveBytes") != std::string::npos);
  CHECK_FALSE(n.node().ready());
  CHECK(n.node().live());
  CHECK(n.node().health()["storage"]["status"] == "DOWN");
  n.settle();
  CHECK(under_way->ok());
  plan->leave_room(true);
  CHECK(n.node().ready());
  CHECK(n.node().health()["storage"]["status"] == "UP");
  CHECK_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("limits: given a stopped receiver, when as many messages wait for it as may, then requests are refused until it has taken them") {
  auto s = few_partitions();
  s.outbox_max = 4;
  plain_node n(s);
  n.switch_context("shadow", false);
  for (int i = 0; i < 4; ++i) REQUIRE_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  CHECK(n.ask("account", {}, deposit{1, "a"}).refused->kind == rejection_kind::overloaded);
  n.switch_context("shadow", true);
  n.advance(milliseconds(10));
  CHECK_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE(
    "limits: given a busy aggregate, when as many wait for it as may, then the next is refused, durable messages never, and the rest are "
    "served in order") {
  auto s = few_partitions();
  s.mailbox_max = 2;
  s.contexts["ledger"].slow_min = s.contexts["ledger"].slow_max = milliseconds(100);
  plain_node n(s);
  REQUIRE_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  const auto busy = n.send("account", 1, transfer{1, "t", "l"});
  const auto b = n.send("account", 1, deposit{1, "b"}), c = n.send("account", 1, deposit{1, "c"}),
             d = n.send("account", 1, deposit{1, "d"});
  n.settle();
  REQUIRE(d->answers == 1);
  CHECK(d->answer->refused->kind == rejection_kind::overloaded);
  n.advance(milliseconds(110));
  CHECK(busy->ok());
  CHECK(b->ok());
  CHECK(c->ok());
  CHECK(n.row<account>("account", 1)->tags == "a,t,b,c,");
  // A shadow that waits for a partner takes all that must arrive.
  answers all;
  all.push_back(n.send("account", 1, deposit{1, "ask1"}));
  n.settle();
  for (int i = 0; i < 5; ++i) all.push_back(n.send("account", 1, deposit{1, "m" + std::to_string(i)})), n.settle();
  n.advance(milliseconds(200));
  CHECK(count_ok(all) == 6);
  CHECK(n.row<shadow>("shadow", 1)->tags == n.row<account>("account", 1)->tags);
  check_at_rest(n);
}

TEST_CASE("limits: given idle aggregates, when as many are awake as are kept, then none sleeps; with one more, the longest idle does") {
  auto s = few_partitions();
  s.partitions = 1;
  s.kept_awake_max = 8;
  plain_node n(s);
  const auto awake = [&] { return n.shared().awake.load(); };
  std::uint64_t placed = 0;
  while (awake() < 8) REQUIRE_FALSE(n.ask("account", {}, deposit{1, "t" + std::to_string(++placed)}).refused);
  CHECK(awake() == 8);
  REQUIRE_FALSE(n.ask("account", 1, deposit{1, "again"}).refused);  // awake still, and now the one that was used last
  CHECK(awake() == 8);
  REQUIRE_FALSE(n.ask("account", {}, deposit{1, "one more"}).refused);
  CHECK(awake() <= 8);
  CHECK(n.row<account>("account", 1)->balance == 2);
  check_at_rest(n);
}

TEST_CASE("limits: given more at work than are kept awake, when all of them wait, then nobody is refused and all finish") {
  auto s = few_partitions();
  s.kept_awake_max = 4;
  s.contexts["ledger"].slow_min = s.contexts["ledger"].slow_max = milliseconds(1000);
  plain_node n(s);
  answers all;
  for (int i = 0; i < 40; ++i) all.push_back(n.send("account", {}, transfer{1, "t", "l" + std::to_string(i)}));
  n.settle();
  CHECK(n.shared().awake >= 40);
  n.advance(milliseconds(3000));
  CHECK(count_ok(all) == 40);
  CHECK(n.shared().awake <= 4);
  check_at_rest(n);
}

TEST_CASE(
    "limits: given more aggregates awake than half over the limit, when a request needs one more, then it is refused, and taken again "
    "later") {
  auto s = few_partitions();
  s.awake_max = 4;
  s.contexts["ledger"].slow_min = s.contexts["ledger"].slow_max = milliseconds(1000);
  plain_node n(s);
  answers all;
  for (int i = 0; i < 12; ++i) {
    all.push_back(n.send("account", {}, transfer{1, "t", "l" + std::to_string(i)}));
    n.settle();
  }
  CHECK(n.shared().awake >= 6);
  CHECK(all.back()->answers == 1);
  CHECK(all.back()->answer->refused->kind == rejection_kind::overloaded);
  n.advance(milliseconds(3000));
  CHECK(n.shared().awake <= 4);
  CHECK_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  check_at_rest(n);
}

TEST_CASE(
    "idempotency: given an answered key, when its time is just not over, then the answer is given again; beyond it, the request is a new "
    "one") {
  auto s = few_partitions();
  s.idempotency_ttl = milliseconds(1000);
  plain_node n(s);
  const auto first = n.ask("account", {}, deposit{1, "a"}, key_of(1));
  REQUIRE_FALSE(first.refused);
  n.clock().advance(milliseconds(1000));
  const auto again = n.ask("account", {}, deposit{1, "a"}, key_of(1));
  CHECK(again.replayed);
  CHECK(again.resource.id == first.resource.id);
  n.clock().advance(milliseconds(1));
  const auto later = n.ask("account", {}, deposit{1, "a"}, key_of(1));
  CHECK_FALSE(later.replayed);
  CHECK(later.resource.id == first.resource.id + 1);
  CHECK(n.rows_in(storage::table::idempotency) == 1);
  n.advance(milliseconds(12000));
  CHECK(n.rows_in(storage::table::idempotency) == 0);  // the housekeeper forgot it
  check_at_rest(n);
}

TEST_CASE("idempotency: given 20,000 keys a second whose time is over, then they go as fast, a thousand a commit at the most") {
  constexpr std::uint64_t came = 100'000, young = 5'000;  // came: in the five seconds from one look to the next
  plain_node n(few_partitions());
  const auto put = n.disk()->write();
  for (std::uint64_t k = 0; k < came + young; ++k) {
    const timestamp at{n.clock().wall().ms - (k < came ? 25 : 1) * 3'600'000};
    put->put(storage::table::idempotency, storage::number_key(k * 0x9E3779B97F4A7C15) + storage::number_key(k),
             storage::idempotency_value(1, at, {0, 1, {}}, ""));
  }
  put->commit();
  n.advance_without_disk(milliseconds(5000));  // the housekeeper looks
  auto left = n.rows_in(storage::table::idempotency);
  for (int commits = 0; left > young && commits < 200; ++commits) {
    REQUIRE(n.commit());
    n.run_actors();
    const auto now = n.rows_in(storage::table::idempotency);
    REQUIRE(left - now <= 1000);
    left = now;
  }
  CHECK(left == young);
}

TEST_CASE("idempotency: given a refused request, when it comes again under its key, then it is tried again") {
  plain_node n;
  CHECK(n.ask("account", {}, deposit{-1, "a"}, key_of(1)).refused);
  CHECK(n.rows_in(storage::table::idempotency) == 0);
  CHECK(n.ask("account", {}, deposit{-1, "a"}, key_of(1)).refused);
  check_at_rest(n);
}

TEST_CASE(
    "idempotency: given a key whose request changed nothing, when it comes again, then the answer is given again and the aggregate is as "
    "it was") {
  plain_node n;
  REQUIRE_FALSE(n.ask("account", {}, deposit{1, "a"}).refused);
  REQUIRE_FALSE(n.ask("account", 1, transfer{1, "t", "l"}, key_of(2)).refused);
  CHECK(n.ask("account", 1, transfer{1, "t", "l"}, key_of(2)).replayed);
  n.crash();
  n.settle();
  CHECK(n.ask("account", 1, transfer{1, "t", "l"}, key_of(2)).replayed);
  CHECK(n.row<ledger>("ledger", 1)->sum == 1);
  check_accounts(n);
  check_at_rest(n);
}
