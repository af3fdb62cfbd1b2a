// Handlers that throw: now and then, always, half-way through a chain, while folding; and the dead letters they leave.
#include <nlohmann/json.hpp>

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

struct poison_node : stepped_node {
  explicit poison_node(actors::runtime_settings s = small()) : stepped_node(test_system(), std::move(s)) { settle(); }

  std::uint64_t opened(std::int64_t amt = 100) { return ask("account", {}, deposit{amt, "open"}).resource.id; }
  void settle_letter(std::uint64_t id, bool replay) {
    bool told = false;
    node().settle_dead_letter(id, replay, [&](std::optional<rejection> why) { told = !why; });
    settle();
    CHECK(told);
  }
};

int thrown(const std::string& name) { return for_ever - armed_faults().at(name); }

}  // namespace

TEST_CASE(
    "poison: given a message whose handler always throws, when its attempts are used up, then it is a dead letter and the others are "
    "handled in order") {
  poison_node n;
  const auto id = n.opened();
  fault always("note:b");
  for (const auto* tag : {"a", "b", "c", "d"}) CHECK_FALSE(n.ask("account", id, deposit{1, tag}).refused);
  CHECK(thrown("note:b") == 1);  // the next attempt waits for its time
  CHECK(n.row<shadow>("shadow", id)->tags == "open,a,");
  n.advance(milliseconds(4));
  CHECK(thrown("note:b") == 1);  // the shortest back-off is half of 10 ms
  n.advance(milliseconds(2000));
  CHECK(thrown("note:b") == 5);
  CHECK(n.row<shadow>("shadow", id)->tags == "open,a,c,d,");
  CHECK(n.row<account>("account", id)->tags == "open,a,b,c,d,");
  const auto letters = n.node().dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0]["context"] == "shadow");
  CHECK(letters[0]["message"] == "note");
  CHECK(letters[0]["attempts"] == 5);
  CHECK(letters[0]["aggregate"] == id);
  CHECK(letters[0]["fields"]["tag"] == "b");
  CHECK(letters[0]["error"] == "a fault was armed: note:b");
  CHECK(n.shared().contexts[2].dead_letters == 1);
  check_at_rest(n);
}

TEST_CASE(
    "poison: given a dead letter, when it is replayed, then it dies again while the cause is there and is handled once when it is gone") {
  for (const bool crashed : {false, true}) {
    poison_node n;
    const auto id = n.opened();
    fault always("note:b");
    (void)n.ask("account", id, deposit{1, "b"});
    n.advance(milliseconds(2000));
    if (crashed) {
      n.crash();
      n.settle();
    }
    auto letters = n.node().dead_letters();
    REQUIRE(letters.size() == 1);
    const auto first = letters[0]["id"].get<std::uint64_t>();
    n.settle_letter(first, true);
    n.advance(milliseconds(20000));  // the back-off goes on from where it was
    letters = n.node().dead_letters();
    REQUIRE(letters.size() == 1);
    CHECK(letters[0]["id"] != first);
    always.mend();
    n.settle_letter(letters[0]["id"].get<std::uint64_t>(), true);
    n.advance(milliseconds(100));
    CHECK(n.row<shadow>("shadow", id)->tags == "open,b,");
    CHECK(n.node().dead_letters().empty());
    check_at_rest(n);
  }
}

TEST_CASE("poison: given a dead letter, when two people replay it at the same moment, then it is handled once") {
  poison_node n;
  const auto id = n.opened();
  fault always("note:b");
  (void)n.ask("account", id, deposit{1, "b"});
  n.advance(milliseconds(2000));
  always.mend();
  const auto letter = n.node().dead_letters()[0]["id"].get<std::uint64_t>();
  int told = 0, refused = 0;
  for (int i = 0; i < 2; ++i) {
    n.node().settle_dead_letter(letter, true, [&](std::optional<rejection> why) {
      ++told;
      if (why) ++refused;
    });
  }
  n.advance(milliseconds(100));
  CHECK(told == 2);
  CHECK(refused == 1);
  CHECK(n.row<shadow>("shadow", id)->tags == "open,b,");
  n.node().settle_dead_letter(letter, true, [&](std::optional<rejection> why) { CHECK(why->kind == rejection_kind::not_found); });
  check_at_rest(n);
}

TEST_CASE("poison: given a dead letter, when it is dropped, then it is gone and nothing is handled") {
  poison_node n;
  const auto id = n.opened();
  fault always("note:b");
  (void)n.ask("account", id, deposit{1, "b"});
  n.advance(milliseconds(2000));
  always.mend();
  n.settle_letter(n.node().dead_letters()[0]["id"].get<std::uint64_t>(), false);
  n.advance(milliseconds(2000));
  CHECK(n.node().dead_letters().empty());
  CHECK(n.row<shadow>("shadow", id)->tags == "open,");
  check_at_rest(n);
}

TEST_CASE(
    "poison: given a request that always throws, when its attempts are used up, then its caller is told 'failed' once, and the letter is "
    "there") {
  poison_node n;
  const auto id = n.opened();
  fault always("decide:x");
  const auto p = n.send("account", id, deposit{1, "x"});
  const auto other = n.send("account", id, deposit{1, "y"});
  n.advance(milliseconds(2000));
  REQUIRE(p->answers == 1);
  REQUIRE(p->answer->refused);
  CHECK(p->answer->refused->kind == rejection_kind::failed);
  CHECK(thrown("decide:x") == 5);
  CHECK(other->ok());
  CHECK(n.row<account>("account", id)->tags == "open,y,");
  REQUIRE(n.node().dead_letters().size() == 1);
  CHECK(n.node().dead_letters()[0]["message"] == "deposit");
  check_at_rest(n);
}

TEST_CASE("poison: given a caller with little time, when its request keeps throwing, then it is told in the end, and exactly once") {
  poison_node n;
  const auto id = n.opened();
  fault always("decide:x");
  const auto p = n.send("account", id, deposit{1, "x"}, {}, {}, milliseconds(20));
  n.advance(milliseconds(2000));
  REQUIRE(p->answers == 1);
  CHECK(p->answer->refused);
  CHECK(n.row<account>("account", id)->tags == "open,");
  check_at_rest(n);
}

TEST_CASE(
    "poison: given an ask that always throws, when its attempts are used up, then the whole chain is refused and nothing of it is kept") {
  poison_node n;
  const auto id = n.opened();
  fault always("book:t");
  const auto p = n.send("account", id, transfer{7, "t", "l"});
  n.advance(milliseconds(3000));
  REQUIRE(p->answers == 1);
  CHECK(p->answer->refused->kind == rejection_kind::failed);
  CHECK(n.row<account>("account", id)->booked == 0);
  CHECK_FALSE(n.row<ledger>("ledger", 1));
  REQUIRE(n.node().dead_letters().size() == 1);
  CHECK(n.node().dead_letters()[0]["message"] == "book");
  check_at_rest(n);
}

TEST_CASE(
    "poison: given handlers that throw twice and then work, then each step happens once and in order, for messages, requests and asks") {
  for (const auto* name : {"note:b", "decide:b", "book:b"}) {
    CAPTURE(name);
    poison_node n;
    const auto id = n.opened();
    fault twice(name, 2);
    const auto a = n.send("account", id, deposit{1, "a"});
    const auto b = n.send("account", id, transfer{2, "b", "l"});
    const auto c = n.send("account", id, deposit{3, "c"});
    n.advance(milliseconds(2000));
    CHECK(a->ok());
    CHECK(b->ok());
    CHECK(c->ok());
    CHECK(n.row<shadow>("shadow", id)->tags == n.row<account>("account", id)->tags);
    CHECK(n.row<shadow>("shadow", id)->sum == 106);
    CHECK(n.row<ledger>("ledger", 1)->sum == 2);
    if (std::string(name) == "note:b") CHECK(n.row<shadow>("shadow", id)->tags == "open,a,b,c,");
    CHECK(n.node().dead_letters().empty());
    check_at_rest(n);
  }
}

TEST_CASE(
    "poison: given a decider that throws after its partner's step, then the caller is told, the partner's step is undone, nothing is "
    "kept") {
  poison_node n;
  const auto id = n.opened();
  fault once("replied:t", 1);
  const auto p = n.send("account", id, transfer{7, "t", "l"});
  n.advance(milliseconds(2000));
  REQUIRE(p->answers == 1);
  CHECK(p->answer->refused->kind == rejection_kind::failed);
  CHECK(n.row<account>("account", id)->tags == "open,");
  CHECK_FALSE(n.row<ledger>("ledger", 1));
  CHECK(n.row<shadow>("shadow", id)->tags == "open,");
  CHECK(n.node().metrics().find("crema_steps_undone_total 1") != std::string::npos);
  check_at_rest(n);
  CHECK_FALSE(n.ask("account", id, transfer{7, "t", "l"}).refused);
  CHECK(n.row<ledger>("ledger", 1)->sum == 7);
}

TEST_CASE(
    "poison: given an undo that keeps throwing, then it is tried for ever, ever more slowly, and shown; done, nothing of it is left") {
  poison_node n;
  const auto id = n.opened();
  CHECK_FALSE(n.ask("account", id, transfer{1, "before", "l"}).refused);
  fault once("replied:t", 1);
  fault always("unbook:t");
  const auto p = n.send("account", id, transfer{7, "t", "l"});
  n.advance(milliseconds(2000));
  CHECK(p->answer->refused);
  REQUIRE(n.node().dead_letters().size() == 1);  // the request
  CHECK(n.row<ledger>("ledger", 1)->sum == 8);
  const auto ledger_of = [&] {
    const auto tree = n.node().supervisors();
    for (const auto& c : tree["children"])
      if (c["name"] == "ledger") return c;
    return nlohmann::json();
  };
  const auto shown = ledger_of().at("undos").at(0);
  CHECK(shown["aggregate"] == "ledger/1");
  CHECK(shown["undo"] == "unbook");
  CHECK(shown["tries"].get<int>() == thrown("unbook:t"));
  CHECK(shown["lastError"] == "a fault was armed: unbook:t");
  CHECK(shown["since"].is_string());
  CHECK(shown["nextTryInMs"].get<int>() > 0);
  CHECK(n.node().health()["undos"]["failing"] == 1);
  CHECK(n.node().causal_tree(n.system().context_named("ledger").index, 1).dump().find("its undo (unbook) failed") != std::string::npos);

  // What it holds open: readiness, the figure of what is under way, the hold on disk. Its aggregate goes on meanwhile.
  CHECK_FALSE(n.node().ready());
  CHECK(n.shared().compensations == 1);
  CHECK(n.rows_in(storage::table::outbox) == 1);
  CHECK_FALSE(n.ask("account", id, transfer{2, "beside", "l"}).refused);
  CHECK(n.row<ledger>("ledger", 1)->sum == 10);

  const auto tries_within = [&](milliseconds d) {
    const auto before = thrown("unbook:t");
    n.advance(d);
    return thrown("unbook:t") - before;
  };
  (void)tries_within(std::chrono::minutes(2));
  const auto slow = tries_within(std::chrono::minutes(5));
  CHECK(slow >= 5);   // at most a minute apart …
  CHECK(slow <= 10);  // … and at least half of that

  n.crash();
  n.advance(milliseconds(2000));
  CHECK_FALSE(n.node().ready());
  always.mend();
  n.advance(std::chrono::minutes(1));
  CHECK(n.row<ledger>("ledger", 1)->sum == 3);
  CHECK_FALSE(ledger_of().contains("undos"));
  n.settle_letter(n.node().dead_letters()[0]["id"].get<std::uint64_t>(), false);
  check_at_rest(n);
}

TEST_CASE(
    "poison: given an undo that needs a partner itself, when that partner is stopped or fails now and then, then the undo waits for it and "
    "is not lost") {
  for (const bool stopped : {true, false}) {
    CAPTURE(stopped);
    poison_node n;
    const auto id = n.opened();
    fault once("replied:deep", 1);
    if (stopped) n.switch_context("shadow", false);
    fault twice("note:undone", stopped ? 0 : 2);
    const auto p = n.send("account", id, transfer{7, "deep", "l"});
    n.advance(milliseconds(1000));
    REQUIRE(p->answers == 1);
    CHECK(p->answer->refused->kind == rejection_kind::failed);
    if (stopped) {
      CHECK(n.row<ledger>("ledger", 1)->sum == 7);
      CHECK(n.shared().compensations == 1);
      n.switch_context("shadow", true);
      n.advance(milliseconds(10000));
    }
    CHECK_FALSE(n.row<ledger>("ledger", 1));
    CHECK(n.row<shadow>("shadow", 99)->tags == "undone,");
    check_at_rest(n);
  }
}

TEST_CASE("poison: given an event that throws while it is folded, then nothing is recorded and the caller is told; the aggregate goes on") {
  poison_node n;
  const auto id = n.opened();
  fault always("evolve:e");
  const auto p = n.send("account", id, deposit{1, "e"});
  const auto q = n.send("account", id, transfer{7, "e", "l"});
  n.advance(milliseconds(3000));
  CHECK(p->answers == 1);
  CHECK(p->answer->refused->kind == rejection_kind::failed);
  CHECK(q->answers == 1);
  CHECK(q->answer->refused->kind == rejection_kind::failed);
  CHECK_FALSE(n.ask("account", id, deposit{1, "f"}).refused);
  CHECK(n.row<account>("account", id)->tags == "open,f,");
  CHECK_FALSE(n.row<ledger>("ledger", 1));
  check_at_rest(n);
}

TEST_CASE("poison: given an event that nobody folds, then nothing is recorded and the caller is told") {
  poison_node n;
  const auto id = n.opened();
  const auto p = n.send("account", id, confuse{});
  n.advance(milliseconds(2000));
  REQUIRE(p->answers == 1);
  CHECK(p->answer->refused->kind == rejection_kind::failed);
  CHECK(n.event_names() == std::vector<std::string>{"Deposited", "Noted"});
  check_at_rest(n);
}

TEST_CASE(
    "poison: given a refusal that is part of the history and cannot be folded, then the caller is told once and the aggregate goes on") {
  poison_node n;
  const auto id = n.opened();
  {
    fault always("evolve:t");
    const auto p = n.send("account", id, transfer{-1, "t", "l", true});
    n.advance(milliseconds(3000));
    REQUIRE(p->answers == 1);
    CHECK(p->answer->refused);
    CHECK(n.row<account>("account", id)->tags == "open,");
    CHECK(n.shared().contexts[0].restarts <= 6);
  }
  const auto p = n.send("account", id, transfer{-1, "t", "l", true});
  n.advance(milliseconds(100));
  REQUIRE(p->answers == 1);
  CHECK(p->answer->refused->kind == rejection_kind::conflict);
  CHECK(n.row<account>("account", id)->tags == "open,!t,");
  check_at_rest(n);
}

TEST_CASE(
    "poison: given a message whose handler asks a partner, when the partner is stopped, then the message waits for it and is not lost") {
  poison_node n;
  const auto id = n.opened();
  n.switch_context("ledger", false);
  (void)n.ask("account", id, deposit{3, "ask1"});
  (void)n.ask("account", id, deposit{4, "later"});
  n.advance(milliseconds(20000));
  CHECK(n.row<shadow>("shadow", id)->tags == "open,");
  CHECK(n.node().dead_letters().empty());
  n.switch_context("ledger", true);
  n.advance(milliseconds(10000));
  CHECK(n.row<shadow>("shadow", id)->tags == "open,ask1,later,");
  CHECK(n.row<ledger>("ledger", 1)->sum == 3);
  check_at_rest(n);
}

TEST_CASE(
    "poison: given a message whose handler asks a partner, when the partner always fails, then it is a dead letter and the others go on") {
  poison_node n;
  const auto id = n.opened();
  fault always("book:ask1");
  (void)n.ask("account", id, deposit{3, "ask1"});
  (void)n.ask("account", id, deposit{4, "later"});
  n.advance(milliseconds(20000));
  CHECK(n.row<shadow>("shadow", id)->tags == "open,later,");
  bool listed = false;
  for (const auto& letter : n.node().dead_letters()) listed = listed || letter["message"] == "note";
  CHECK(listed);
  check_at_rest(n);
}
