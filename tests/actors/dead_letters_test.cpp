// Which dead letters may be sent again, and that nothing happens twice by it.
#include <nlohmann/json.hpp>

#include "tests/actors/books.hpp"
#include "tests/actors/test_system.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

const idempotency_key its_key{{4, 2}, 7};

struct post_office : stepped_node {
  explicit post_office(actors::runtime_settings s = {}) : stepped_node(test_system(), std::move(s)) { settle(); }

  nlohmann::json letter() {
    const auto all = node().dead_letters();
    REQUIRE(all.size() == 1);
    return all[0];
  }
  /// How the replay of the one letter ended: nothing, it was done.
  std::optional<rejection> replay() {
    std::optional<std::optional<rejection>> told;
    node().settle_dead_letter(letter()["id"].get<std::uint64_t>(), true, [&](std::optional<rejection> why) { told = std::move(why); });
    advance(milliseconds(100));
    REQUIRE(told);
    return *told;
  }
  void check_refuses(const std::string& reason) {
    CHECK(letter()["state"] == "given up");
    CHECK_THAT(letter()["reason"].get<std::string>(), Catch::Contains(reason));
    const auto why = replay();
    REQUIRE(why);
    CHECK(why->kind == rejection_kind::conflict);
    CHECK_THAT(why->detail, Catch::Contains("cannot be replayed") && Catch::Contains(reason));
    CHECK(node().dead_letters().size() == 1);
  }
  /// A request that failed so often that it is a dead letter.
  void give_up(idempotency_key key) {
    const fault five_times("decide:t", 5);
    const auto p = send("account", {}, deposit{7, "t"}, key);
    advance(milliseconds(2000));
    REQUIRE(p->done());
    REQUIRE(p->answer->refused->kind == rejection_kind::failed);
  }
};

}  // namespace

TEST_CASE("dead letters: given an ask, when its caller asked again since, then it is given up and books nothing more") {
  post_office n;
  const auto id = n.ask("account", {}, deposit{100, "open"}).resource.id;
  {
    const fault five_times("book:t", 5);
    const auto p = n.send("account", id, transfer{7, "t", "l"}, its_key);
    n.advance(milliseconds(2000));
    REQUIRE(p->answer->refused->kind == rejection_kind::failed);
  }
  CHECK_FALSE(n.ask("account", id, transfer{7, "t", "l"}, its_key).refused);
  CHECK(n.letter()["kind"] == "ask");
  n.check_refuses("it is an ask");
  CHECK(n.row<ledger>("ledger", 1)->sum == 7);
  check_at_rest(n);
}

TEST_CASE("dead letters: given a request, when it is replayed, then it is carried out under its key, once") {
  post_office n;
  n.give_up(its_key);
  CHECK(n.letter()["kind"] == "request");
  CHECK(n.letter()["state"] == "replayable");
  const bool crashed = GENERATE(false, true);
  if (crashed) {
    n.crash();
    n.settle();
  }
  CHECK_FALSE(n.replay());
  CHECK(n.node().dead_letters().empty());
  const auto again = n.ask("account", {}, deposit{7, "t"}, its_key);
  CHECK(again.replayed);
  CHECK(n.row<account>("account", again.resource.id)->balance == 7);
  CHECK(n.rows_in(storage::table::state) == 2);  // the account and its shadow
  const auto tree = n.node().causal_tree(n.system().context_named("account").index, again.resource.id).dump();
  CHECK(tree.find("Deposited") != std::string::npos);
  check_at_rest(n);
}

TEST_CASE("dead letters: given a request, when it fails or is refused once more, then there is one letter still") {
  post_office n;
  n.give_up(its_key);
  const auto first = n.letter()["id"];
  {
    const fault always("decide:t");
    std::optional<rejection> why;
    n.node().settle_dead_letter(first.get<std::uint64_t>(), true, [&](std::optional<rejection> w) { why = std::move(w); });
    n.advance(milliseconds(60000));
    REQUIRE(why);
    CHECK(why->kind == rejection_kind::failed);
  }
  CHECK(n.letter()["id"] != first);
  CHECK_FALSE(n.replay());
  CHECK(n.node().dead_letters().empty());
  check_at_rest(n);
}

TEST_CASE("dead letters: given a request whose key was answered since, is used now, is too old, or is none, then it is given up") {
  post_office n;
  SECTION("answered") {
    n.give_up(its_key);
    CHECK_FALSE(n.ask("account", {}, deposit{7, "t"}, its_key).refused);
    n.check_refuses("has been answered since");
    CHECK(n.rows_in(storage::table::state) == 2);
  }
  SECTION("in use") {
    n.give_up(its_key);
    const auto p = n.send("account", {}, deposit{7, "t"}, its_key);
    const auto letter = n.letter()["id"].get<std::uint64_t>();
    std::optional<rejection> why;
    n.node().settle_dead_letter(letter, true, [&](std::optional<rejection> w) { why = std::move(w); });
    REQUIRE(why);
    CHECK_THAT(why->detail, Catch::Contains("is being handled"));
    n.settle();
    CHECK(p->ok());
    CHECK(n.rows_in(storage::table::state) == 2);
  }
  SECTION("too old") {
    n.give_up(its_key);
    n.clock().jump(std::chrono::hours(24) - milliseconds(3000));
    CHECK(n.letter()["state"] == "replayable");
    n.clock().jump(milliseconds(3001));
    n.check_refuses("runtime.idempotencyHours");
  }
  SECTION("none") {
    const fault five_times("decide:t", 5);
    const auto p = n.send("account", {}, deposit{7, "t"});
    n.advance(milliseconds(2000));
    REQUIRE(p->done());
    n.check_refuses("without an Idempotency-Key");
  }
  n.advance(milliseconds(1000));
  check_at_rest(n);
}
