// Each kind of fault on a whole node in virtual time: it strikes, it is counted, it heals when it is removed, and the books balance.
#include <caf/send.hpp>
#include <nlohmann/json.hpp>

#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using nlohmann::json;
using std::chrono::milliseconds;

namespace {

actors::runtime_settings drill() {
  auto s = few_partitions();
  s.faults_enabled = true;
  return s;
}

std::uint64_t add(stepped_node& n, const json& fields) {
  const auto f = n.node().add_fault(fields);
  if (!f) FAIL(f.why().detail);
  return f->at("id");
}

std::uint64_t fired(stepped_node& n, std::uint64_t id) {
  for (const auto& f : n.node().faults())
    if (f.at("id") == id) return f.at("fired");
  return 0;
}

void heal(stepped_node& n) {
  n.node().remove_faults({});
  n.settle();
  n.advance(milliseconds(1300));
}

void open_accounts(stepped_node& n, int count) {
  n.settle();
  for (int i = 0; i < count; ++i) REQUIRE_FALSE(n.ask("account", {}, deposit{100, "open"}).refused);
}

std::string shadow_tags(stepped_node& n, std::uint64_t id) {
  const auto s = n.row<shadow>("shadow", id);
  return s ? s->tags : "";
}

}  // namespace

TEST_CASE("faults: given a node on which they are not enabled, then none is taken and the hint says how") {
  stepped_node n(test_system(), few_partitions());
  const auto refused = n.node().add_fault({{"target", "account"}, {"kind", "throw"}});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.why().detail, Catch::Contains("faults.enabled"));
  CHECK(n.node().faults().empty());
}

// ---- handlers

TEST_CASE("faults: given an aggregate that crashes three times, then its message is handled by the fourth life, and nothing is lost") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 2);
  const auto id = add(n, {{"target", "account/1"}, {"kind", "crash"}, {"count", 3}});
  const auto p = n.send("account", 1, deposit{5, "a"});
  n.settle();
  n.advance(milliseconds(500));
  REQUIRE(p->ok());
  CHECK(p->answers == 1);
  CHECK(fired(n, id) == 3);
  CHECK(n.shared().contexts[0].restarts == 3);
  CHECK(n.shared().contexts[0].dead_letters == 0);
  CHECK(n.node().metrics().find("crema_faults_fired_total{kind=\"crash\"} 3") != std::string::npos);
  REQUIRE_FALSE(n.ask("account", 2, deposit{5, "b"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given a receiver that crashes nine times on a message, then a later one of the same sender does not overtake it") {
  auto settings = drill();
  settings.backoff_max = milliseconds(5);
  stepped_node n(test_system(), settings);
  open_accounts(n, 1);
  const auto id = add(n, {{"target", "shadow/1"}, {"kind", "crash"}, {"count", 9}});
  const auto first = n.send("account", 1, deposit{5, "a"});
  for (int ms = 0; ms < 400 && fired(n, id) < 9; ++ms) n.advance(milliseconds(1));
  REQUIRE(fired(n, id) == 9);
  REQUIRE_FALSE(n.ask("account", 1, deposit{5, "b"}).refused);
  heal(n);
  CHECK(first->ok());
  CHECK(shadow_tags(n, 1) == "open,a,b,");
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE(
    "faults: given a context whose handlers throw, then callers are refused and messages die as any that throws; removed, all is well") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  const auto id = add(n, {{"target", "account"}, {"kind", "throw"}});
  const auto p = n.send("account", 1, deposit{5, "a"});
  n.advance(milliseconds(2000));
  REQUIRE(p->answers == 1);
  CHECK(p->answer->refused->kind == rejection_kind::failed);
  CHECK(fired(n, id) == n.shared().settings.poison_attempts);
  CHECK_THAT(n.node().dead_letters().at(0).at("error").get<std::string>(), Catch::Contains("fault " + std::to_string(id)));
  heal(n);
  REQUIRE_FALSE(n.ask("account", 1, deposit{5, "b"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given a slow context, then an answer takes as long as the fault says, and no longer once it is gone") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  const auto id = add(n, {{"target", "account"}, {"kind", "slow"}, {"delayMinMs", 40}, {"delayMaxMs", 60}});
  const auto p = n.send("account", 1, deposit{5, "a"});
  n.advance(milliseconds(39));
  CHECK_FALSE(p->done());
  n.advance(milliseconds(21));
  CHECK(p->ok());
  CHECK(fired(n, id) == 1);
  heal(n);
  CHECK_FALSE(n.ask("account", 1, deposit{5, "b"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given a partner that hangs, then its asker's call times out and is undone; removed, the partner goes on") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  const auto id = add(n, {{"target", "ledger"}, {"kind", "hang"}});
  const auto p = n.send("account", 1, transfer{7, "t", "one"});
  n.advance(milliseconds(1900));
  CHECK_FALSE(p->done());
  n.advance(milliseconds(200));
  REQUIRE(p->done());
  CHECK(p->answer->refused->kind == rejection_kind::timed_out);
  CHECK(fired(n, id) == 1);
  heal(n);
  CHECK(all_rows<ledger>(n, "ledger").empty());
  CHECK_FALSE(n.ask("account", 1, transfer{7, "u", "one"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given a full mailbox, then callers are refused at once and durable messages wait for nobody") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  (void)add(n, {{"target", "account/1"}, {"kind", "full"}});
  (void)add(n, {{"target", "shadow"}, {"kind", "full"}});
  CHECK(n.ask("account", 1, deposit{5, "a"}).refused->kind == rejection_kind::overloaded);
  CHECK_FALSE(n.ask("account", {}, deposit{5, "b"}).refused);
  CHECK(shadow_tags(n, 2) == "b,");
  heal(n);
  CHECK_FALSE(n.ask("account", 1, deposit{5, "a"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

// ---- links

TEST_CASE("faults: given a link that drops everything, then durable messages arrive once it is healed, each sender's in order") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 2);
  const auto id = add(n, {{"target", "account->shadow"}, {"kind", "drop"}});
  for (const auto* tag : {"a", "b", "c"})
    for (const std::uint64_t account : {1U, 2U}) REQUIRE_FALSE(n.ask("account", account, deposit{5, tag}).refused);
  n.advance(milliseconds(700));
  CHECK(shadow_tags(n, 1) == "open,");
  CHECK(n.shared().contexts[2].outbox == 6);
  CHECK(fired(n, id) >= 6);
  n.node().remove_faults(id);
  n.settle();
  CHECK(shadow_tags(n, 1) == "open,a,b,c,");
  CHECK(shadow_tags(n, 2) == "open,a,b,c,");
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given messages that were dropped, when the node dies, then they are read from the outbox by the next one") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  (void)add(n, {{"target", "account->shadow"}, {"kind", "drop"}});
  REQUIRE_FALSE(n.ask("account", 1, deposit{5, "a"}).refused);
  CHECK(n.rows_in(storage::table::outbox) == 1);
  n.crash();
  n.settle();
  CHECK(shadow_tags(n, 1) == "open,a,");
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given an ask that is dropped, then its asker is told of a time-out and nothing is kept") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  const auto id = add(n, {{"target", "account->ledger"}, {"kind", "drop"}, {"count", 1}});
  const auto p = n.send("account", 1, transfer{7, "t", "one"});
  n.advance(milliseconds(1990));
  CHECK_FALSE(p->done());
  n.advance(milliseconds(30));
  REQUIRE(p->done());
  CHECK(p->answer->refused->kind == rejection_kind::timed_out);
  CHECK(fired(n, id) == 1);
  CHECK(all_rows<ledger>(n, "ledger").empty());
  CHECK_FALSE(n.ask("account", 1, transfer{7, "u", "one"}).refused);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given a link that delays one message, then the next of the same sender does not overtake it, another's does") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 2);
  (void)add(n, {{"target", "account->shadow"}, {"kind", "delay"}, {"delayMinMs", 50}, {"delayMaxMs", 50}, {"count", 1}});
  REQUIRE_FALSE(n.ask("account", 1, deposit{5, "a"}).refused);
  REQUIRE_FALSE(n.ask("account", 1, deposit{5, "b"}).refused);
  REQUIRE_FALSE(n.ask("account", 2, deposit{5, "c"}).refused);
  n.advance(milliseconds(40));
  CHECK(shadow_tags(n, 1) == "open,");
  CHECK(shadow_tags(n, 2) == "open,c,");
  n.advance(milliseconds(20));
  CHECK(shadow_tags(n, 1) == "open,a,b,");
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given a link that repeats, then a message and an ask have their effect once") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  const auto told = add(n, {{"target", "account->shadow"}, {"kind", "repeat"}});
  const auto asked = add(n, {{"target", "account->ledger"}, {"kind", "repeat"}});
  REQUIRE_FALSE(n.ask("account", 1, deposit{5, "a"}).refused);
  REQUIRE_FALSE(n.ask("account", 1, transfer{7, "t", "one"}).refused);
  CHECK(fired(n, told) == 2);
  CHECK(fired(n, asked) == 1);
  CHECK(shadow_tags(n, 1) == "open,a,t,");
  CHECK(all_rows<ledger>(n, "ledger").begin()->second.entries == 1);
  heal(n);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given a link that reorders, then another sender's message overtakes, and one alone arrives after its wait") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 2);
  (void)add(n, {{"target", "account->shadow"}, {"kind", "reorder"}});
  const auto first = n.send("account", 1, deposit{5, "first"});
  n.settle();
  CHECK(shadow_tags(n, 1) == "open,");
  const auto second = n.send("account", 2, deposit{5, "second"});
  n.settle();
  CHECK(shadow_tags(n, 1) == "open,first,");
  CHECK(shadow_tags(n, 2) == "open,second,");
  event_query q;
  q.context = 2;
  const auto noted_of = n.node().events(q).events;
  REQUIRE(noted_of.size() == 4);
  CHECK(noted_of[2].id == 2);
  CHECK(noted_of[3].id == 1);
  REQUIRE_FALSE(n.ask("account", 1, deposit{5, "alone"}).refused);
  n.advance(milliseconds(110));
  CHECK(shadow_tags(n, 1) == "open,first,alone,");
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given what keeps the faults is killed while it holds messages, then they come back in their order") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  (void)add(n, {{"target", "account->shadow"}, {"kind", "drop"}});
  for (const auto* tag : {"a", "b", "c"}) REQUIRE_FALSE(n.ask("account", 1, deposit{5, tag}).refused);
  caf::anon_send_exit(n.shared().fault_keeper.get(), caf::exit_reason::kill);
  n.settle();
  n.advance(milliseconds(100));
  CHECK(n.shared().board.all().at("faults").restarts == 1);
  CHECK(shadow_tags(n, 1) == "open,a,b,c,");
  heal(n);
  check_accounts(n);
  check_at_rest(n);
}

TEST_CASE("faults: given receivers that crash behind a link that repeats now and then, then what comes back to them has its effect once") {
  for (int seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    stepped_node n(test_system(), drill());
    open_accounts(n, 2);
    (void)add(n, {{"target", "account->shadow"}, {"kind", "repeat"}, {"rate", 0.5}, {"seed", seed}});
    (void)add(n, {{"target", "shadow"}, {"kind", "crash"}, {"rate", 0.5}, {"seed", seed + 1}});
    for (const auto* tag : {"a", "b", "c", "d"})
      for (const std::uint64_t account : {1U, 2U}) REQUIRE_FALSE(n.ask("account", account, deposit{5, tag}).refused);
    heal(n);
    CHECK(shadow_tags(n, 1) == "open,a,b,c,d,");
    check_accounts(n);
    check_at_rest(n);
  }
}

// ---- supervised actors, projector

TEST_CASE("faults: given any supervised actor that is crashed twice, then it runs again and the books balance") {
  for (const auto* target : {"account/partition-0", "ledger/partition-1", "ledger/bulkhead", "account/supervisor", "desk/projector",
                             "desk/notifier", "timers", "housekeeper"}) {
    CAPTURE(target);
    stepped_node n(test_system(), drill());
    const auto story = account_mix();
    story.prepare(n);
    const auto all = story.begin(n);
    n.step();
    const auto id = add(n, {{"target", target}, {"kind", "crash"}, {"count", 2}});
    n.settle();
    n.advance(milliseconds(1300));
    CHECK(fired(n, id) == 2);
    std::string path = target;
    if (path.ends_with("/supervisor")) path.erase(path.find('/'));
    CHECK(n.shared().board.all().at(path).restarts == 2);
    for (const auto& p : all) CHECK(p->answers == 1);
    story.check(n, all);
    check_at_rest(n);
  }
}

TEST_CASE("faults: given a partition that is crashed more often than it may, then the failure goes up; given the root, the node gives up") {
  auto s = drill();
  s.restart_intensity = 2;
  stepped_node n(test_system(), s);
  n.settle();
  (void)add(n, {{"target", "account/partition-0"}, {"kind", "crash"}, {"count", 3}});
  n.advance(milliseconds(1300));
  CHECK(n.shared().board.all().at("account").restarts == 1);
  CHECK(n.failed_with.empty());
  check_at_rest(n);
  (void)add(n, {{"target", "root"}, {"kind", "crash"}});
  n.settle();
  CHECK_FALSE(n.failed_with.empty());
}

TEST_CASE("faults: given a stalled projector, then the view stands still and catches up when the time is over") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  const auto id = add(n, {{"target", "desk/projector"}, {"kind", "stall"}, {"durationMs", 400}});
  for (int i = 0; i < 5; ++i) REQUIRE_FALSE(n.ask("account", 1, deposit{5, "a"}).refused);
  n.advance(milliseconds(300));
  CHECK(n.view_row<statement>(0, 1)->sum == 100);
  CHECK(fired(n, id) == 1);
  n.advance(milliseconds(200));
  CHECK(n.view_row<statement>(0, 1)->sum == 125);
  check_accounts(n);
  check_at_rest(n);
}

// ---- disk, clock, process

TEST_CASE("faults: given a commit that fails, finds the disk full or is torn, then the node stops, and its next start finds it whole") {
  for (const auto* kind : {"fail", "full", "torn"}) {
    for (const auto& story : all_scenarios()) {
      CAPTURE(kind, story.name);
      stepped_node n(story.system(), drill());
      story.prepare(n);
      (void)add(n, {{"target", "journal"}, {"kind", kind}});
      const auto all = story.begin(n);
      n.settle();
      CHECK_FALSE(n.failed_with.empty());
      CHECK_FALSE(n.node().ready());
      for (const auto& p : all) CHECK_FALSE(p->ok());
      n.crash();
      n.settle();
      n.advance(milliseconds(1300));
      check_at_rest(n);
      if (std::string(kind) != "torn") story.check(n, all);
      if (story.system().name == "testsystem")
        check_accounts(n);
      else
        check_cafeteria(n);
    }
  }
}

TEST_CASE("faults: given slow commits, then each takes so much longer") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  (void)add(n, {{"target", "journal"}, {"kind", "slow"}, {"delayMinMs", 30}, {"delayMaxMs", 30}});
  const auto before = n.clock().steady_ms();
  const auto p = n.send("account", 1, deposit{5, "a"});
  n.run_actors();
  REQUIRE(n.commit());
  CHECK(p->ok());
  CHECK(n.clock().steady_ms() - before == 30);
  heal(n);
  check_at_rest(n);
}

TEST_CASE("faults: given a wall clock that jumps ahead, then a timer comes due; back again, the next one takes its time") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  REQUIRE_FALSE(n.ask("account", 1, remind_later{3'600'000, "ring"}).refused);
  const auto id = add(n, {{"target", "node"}, {"kind", "jump"}, {"byMs", 3'600'000}});
  n.advance(milliseconds(60'000));  // as long as it may take until a jump is noticed
  CHECK(times(n.row<account>("account", 1)->tags, ",ring,") == 1);
  CHECK(fired(n, id) == 1);
  heal(n);
  REQUIRE_FALSE(n.ask("account", 1, remind_later{5000, "again"}).refused);
  n.advance(milliseconds(4000));
  CHECK(times(n.row<account>("account", 1)->tags, ",again,") == 0);
  n.advance(milliseconds(2000));
  CHECK(times(n.row<account>("account", 1)->tags, ",again,") == 1);
  check_at_rest(n);
}

TEST_CASE("faults: given a zombie, then liveness fails while orders go on, until it is healed; given a kill, the process is killed") {
  stepped_node n(test_system(), drill());
  open_accounts(n, 1);
  (void)add(n, {{"target", "node"}, {"kind", "zombie"}});
  CHECK_FALSE(n.node().live());
  CHECK_FALSE(n.ask("account", 1, deposit{5, "a"}).refused);
  heal(n);
  CHECK(n.node().live());
  CHECK(n.killed == 0);
  (void)add(n, {{"target", "node"}, {"kind", "kill"}});
  CHECK(n.killed == 1);
}

// ---- together

TEST_CASE("faults: given any link, any kind and any seed, when it strikes half the time, then each has one answer and the books balance") {
  for (const auto& story : all_scenarios())
    for (const auto& sender : story.system().contexts)
      for (const auto& receiver : story.system().contexts)
        for (const auto* kind : {"drop", "delay", "repeat", "reorder"})
          for (int seed = 1; seed <= 4; ++seed) {
            CAPTURE(story.name, sender.name, receiver.name, kind, seed);
            stepped_node n(story.system(), drill());
            story.prepare(n);
            json fields = {{"target", sender.name + "->" + receiver.name}, {"kind", kind}, {"rate", 0.5}, {"seed", seed}};
            if (std::string(kind) == "delay") fields["delayMaxMs"] = 300;
            (void)add(n, fields);
            const auto all = story.begin(n);
            n.settle();
            n.advance(milliseconds(3000));
            for (const auto& p : all) CHECK(p->answers == 1);
            heal(n);
            story.check(n, all);
            check_at_rest(n);
          }
}

TEST_CASE("faults: given any context, when its handlers crash, throw, hang and are slow, then each has one answer and the books balance") {
  for (const auto& story : all_scenarios())
    for (const auto& context : story.system().contexts)
      for (const auto* kind : {"crash", "throw", "slow", "hang"})
        for (int seed = 1; seed <= 4; ++seed) {
          CAPTURE(story.name, context.name, kind, seed);
          stepped_node n(story.system(), drill());
          story.prepare(n);
          json fields = {{"target", context.name}, {"kind", kind}, {"rate", 0.5}, {"seed", seed}, {"count", 4}};
          if (std::string(kind) == "slow") fields["delayMaxMs"] = 100;
          if (std::string(kind) == "hang") fields["durationMs"] = 500;
          (void)add(n, fields);
          const auto all = story.begin(n);
          n.settle();
          n.advance(milliseconds(3000));
          for (const auto& p : all) CHECK(p->answers == 1);
          heal(n);
          story.check(n, all);
          check_at_rest(n);
        }
}
