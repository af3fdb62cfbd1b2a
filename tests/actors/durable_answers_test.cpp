// What a refusal rests on is durable before the refusal leaves the node, as it is with a success.
#include "behaviors/breakfast/breakfast.hpp"
#include "behaviors/breakfast/catalog.hpp"
#include "behaviors/breakfast/customer.hpp"
#include "behaviors/breakfast/order.hpp"
#include "tests/actors/scenarios.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;

namespace {

struct plain_node : stepped_node {
  plain_node() : stepped_node(test_system(), few_partitions()) { settle(); }
};

idempotency_key key_of(std::uint8_t n, std::uint64_t fingerprint) {
  idempotency_key k;
  k.key.fill(n);
  k.fingerprint = fingerprint;
  return k;
}

// Sent while the disk stands still.
template <class... Words>
auto begun(stepped_node& n, Words&&... words) {
  auto p = n.send(std::forward<Words>(words)...);
  n.run_actors();
  return p;
}

}  // namespace

TEST_CASE(
    "durable answers: given the last piece went to an order that is not on disk, when another is refused, then it is told after that") {
  auto settings = few_partitions();
  settings.system["autoShip"] = true;
  stepped_node n(breakfast::breakfast(), settings);
  n.settle();
  REQUIRE_FALSE(n.ask("foodCatalog", {}, breakfast::register_catalog{"toast", 1, {}}).refused);
  REQUIRE_FALSE(n.ask("customer", {}, breakfast::join{{"guest", {}, {}, {}}}).refused);

  const auto a = begun(n, "order", std::nullopt, breakfast::place_order{1, 1, 1});
  const auto b = begun(n, "order", std::nullopt, breakfast::place_order{1, 1, 1});
  CHECK_FALSE(a->done());
  CHECK_FALSE(b->done());

  SECTION("the disk goes on") {
    n.settle();
    CHECK(a->ok());
    REQUIRE(b->answers == 1);
    CHECK(b->answer->refused->kind == rejection_kind::conflict);
    CHECK(n.row<breakfast::catalog>("foodCatalog", 1)->stock == 0);
  }
  SECTION("the node dies: nobody was told what is not true") {
    n.crash();
    n.settle();
    CHECK((!b->done() || b->answer->refused->kind == rejection_kind::stopped));
    CHECK(n.row<breakfast::catalog>("foodCatalog", 1)->stock == 1);
  }
  check_at_rest(n);
}

TEST_CASE(
    "durable answers: given an aggregate changed by what is not on disk, when a precondition fails, then its caller is told after that") {
  plain_node n;
  const auto id = n.ask("account", {}, deposit{1, "a"}).resource.id;
  const auto later = begun(n, "account", id, deposit{2, "b"});
  const auto stale = begun(n, "account", id, deposit{3, "c"}, std::nullopt, 1);
  CHECK_FALSE(stale->done());
  n.settle();
  CHECK(later->ok());
  REQUIRE(stale->done());
  CHECK(stale->answer->refused->kind == rejection_kind::stale);

  const auto closed = begun(n, "account", id, close_account{});
  const auto not_there = begun(n, "account", id, deposit{4, "d"});
  CHECK_FALSE(not_there->done());
  n.settle();
  CHECK(closed->ok());
  REQUIRE(not_there->done());
  CHECK(not_there->answer->refused->kind == rejection_kind::not_found);
  check_at_rest(n);
}

TEST_CASE(
    "durable answers: given a key that is used by a request that is not on disk, when another request has it, then it is told after that") {
  plain_node n;
  const auto first = begun(n, "account", std::nullopt, deposit{1, "a"}, key_of(1, 1));
  const auto other = begun(n, "account", std::nullopt, deposit{2, "b"}, key_of(1, 2));
  CHECK_FALSE(other->done());
  n.settle();
  CHECK(first->ok());
  REQUIRE(other->answers == 1);
  CHECK(other->answer->refused->field == "Idempotency-Key");
  check_at_rest(n);
}

TEST_CASE("durable answers: given a request that goes to the dead letters, then its caller is told when the letter is on disk") {
  plain_node n;
  const auto id = n.ask("account", {}, deposit{1, "a"}).resource.id;
  fault always("decide:x");
  const auto p = n.send("account", id, deposit{1, "x"});
  const auto is_told_too_early = [&] { return p->done() && n.rows_in(storage::table::deadletters) == 0; };
  for (int i = 0; i < 2000 && !p->done(); ++i) {
    n.pass_time(milliseconds(1));
    do {
      n.run_actors();
      REQUIRE_FALSE(is_told_too_early());
    } while (n.commit());
  }
  CHECK(p->answers == 1);
  check_at_rest(n);
}

TEST_CASE("durable answers: given nothing is ahead of the disk, when a request is refused, then its caller is told at once") {
  plain_node n;
  const auto id = n.ask("account", {}, deposit{1, "a"}).resource.id;
  CHECK(begun(n, "account", id, deposit{-1, "b"})->done());
  CHECK(begun(n, "account", id + 7, deposit{1, "b"})->done());
  CHECK(begun(n, "account", id, transfer{-1, "b", "l"})->done());  // its partner refuses
  CHECK_FALSE(n.commit());
  check_at_rest(n);
}
