// Values on the disk that cannot be read any more: nobody decides upon one or takes it for none, and everything beside it goes on.
#include <nlohmann/json.hpp>

#include "storage/layout.hpp"
#include "tests/actors/books.hpp"
#include "tests/actors/test_system.hpp"
#include "tests/support/damaged_store.hpp"

using namespace crema;
using namespace crema::testing;
using std::chrono::milliseconds;
using storage::table;

namespace {

constexpr std::uint16_t accounts = 0, ledgers = 1, shadows = 2, statements = 0;

actors::runtime_settings settings() {
  actors::runtime_settings s;
  s.partitions = 2;
  s.idle = milliseconds(100);
  s.idempotency_ttl = milliseconds(10000);
  return s;
}

struct node_on_damage : stepped_node {
  node_on_damage() : node_on_damage(std::make_shared<damaged_store>(std::shared_ptr<storage::store>(storage::make_memory_store()))) {}
  explicit node_on_damage(const std::shared_ptr<damaged_store>& s) : stepped_node(test_system(), settings(), s), spoilt(s) { settle(); }

  std::uint64_t opened(std::int64_t amt = 100) { return ask("account", {}, deposit{amt, "open"}).resource.id; }
  // Nobody is awake who would know better than the disk.
  void fall_asleep() {
    advance(milliseconds(1500));
    REQUIRE(shared().awake.load() == 0);
  }
  rejection_kind refusal_of(const std::shared_ptr<pending>& p) {
    advance(milliseconds(3000));
    REQUIRE(p->answers == 1);
    REQUIRE(p->answer->refused);
    return p->answer->refused->kind;
  }

  const std::shared_ptr<damaged_store> spoilt;
};

idempotency_key key_of(std::uint8_t n) {
  idempotency_key k;
  k.key.fill(n);
  k.fingerprint = 1000U + n;
  return k;
}

std::string key_on_disk(std::uint8_t n) { return std::string(16, static_cast<char>(n)); }

}  // namespace

TEST_CASE("damaged value: given a state row that cannot be read, then requests to it fail, nothing is recorded, and others go on") {
  node_on_damage n;
  const auto damaged = n.opened(), sound = n.opened();
  n.fall_asleep();
  n.spoilt->damage(table::state, storage::row_key({false, accounts}, damaged));
  const auto events = n.event_names().size();
  CHECK(n.refusal_of(n.send("account", damaged, deposit{1, "lost"})) == rejection_kind::failed);
  CHECK(n.event_names().size() == events);
  CHECK_THROWS_AS(n.node().get({false, accounts}, damaged), storage::storage_error);
  CHECK_FALSE(n.ask("account", sound, deposit{1, "fine"}).refused);
  n.spoilt->mend();
  n.advance(milliseconds(1000));
  CHECK_FALSE(n.ask("account", damaged, deposit{1, "again"}).refused);
  CHECK(n.row<account>("account", damaged)->tags == "open,again,");
}

TEST_CASE("damaged value: given a message to an aggregate whose row cannot be read, then it becomes a dead letter that says why") {
  node_on_damage n;
  const auto id = n.opened();
  n.fall_asleep();
  n.spoilt->damage(table::state, storage::row_key({false, shadows}, id));
  CHECK_FALSE(n.ask("account", id, deposit{1, "told"}).refused);
  n.advance(milliseconds(3000));
  const auto letters = n.node().dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0]["error"].get<std::string>().find("a value in 'state' is damaged") != std::string::npos);
  n.spoilt->mend();
  CHECK(n.row<shadow>("shadow", id)->tags == "open,");
}

TEST_CASE("damaged value: given an index that cannot tell who has a key, then nobody else gets it") {
  node_on_damage n;
  const auto id = n.opened();
  CHECK_FALSE(n.ask("account", id, transfer{5, "first", "books"}).refused);
  n.fall_asleep();
  n.spoilt->damage(table::index, storage::unique_key(ledgers, "books"));
  CHECK(n.refusal_of(n.send("account", id, transfer{5, "second", "books"})) == rejection_kind::failed);
  CHECK_FALSE(n.ask("account", id, transfer{5, "third", "other books"}).refused);
  CHECK(n.failed_with.empty());
  n.spoilt->mend();
  CHECK_FALSE(n.ask("account", id, transfer{5, "fourth", "books"}).refused);
  CHECK(n.row<account>("account", id)->booked == 15);
  CHECK(n.row<ledger>("ledger", 1)->entries == 2);
  CHECK(n.rows_in(table::state) == 4);  // account, shadow, and two ledgers
}

TEST_CASE("damaged value: given an answer under an idempotency key that cannot be read, then nothing is done, however often it is asked") {
  node_on_damage n;
  const auto id = n.ask("account", {}, deposit{100, "open"}, key_of(1)).resource.id;
  n.spoilt->damage(table::idempotency, key_on_disk(1));
  for (int i = 0; i < 3; ++i) CHECK(n.refusal_of(n.send("account", {}, deposit{100, "open"}, key_of(1))) == rejection_kind::failed);
  CHECK(n.event_names().size() == 2);  // Deposited, Noted
  n.spoilt->mend();
  const auto again = n.ask("account", {}, deposit{100, "open"}, key_of(1));
  CHECK(again.replayed);
  CHECK(again.resource.id == id);
}

TEST_CASE("damaged value: given an idempotency key that cannot be read, then the housekeeper forgets those behind it") {
  node_on_damage n;
  for (std::uint8_t k : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}}) (void)n.ask("account", {}, deposit{1, "open"}, key_of(k));
  n.spoilt->damage(table::idempotency, key_on_disk(2));
  n.advance(milliseconds(25000));
  CHECK(n.rows_in(table::idempotency) == 1);
  CHECK(n.failed_with.empty());
}

TEST_CASE("damaged value: given a view row that cannot be read, then the other rows go on") {
  node_on_damage n;
  const auto damaged = n.opened(), sound = n.opened();
  n.spoilt->damage(table::views, storage::row_key({true, statements}, damaged));
  CHECK_FALSE(n.ask("account", damaged, deposit{1, "a"}).refused);
  CHECK_FALSE(n.ask("account", sound, deposit{1, "b"}).refused);
  n.advance(milliseconds(5000));
  CHECK(n.view_row<statement>(statements, sound)->sum == 101);
  CHECK_THROWS_AS(n.node().get({true, statements}, damaged), storage::storage_error);
  CHECK(n.failed_with.empty());
}

TEST_CASE("damaged value: given an outbox entry that cannot be read, then a start says so and does not begin") {
  const auto disk = std::shared_ptr<storage::store>(storage::make_memory_store());
  const auto spoilt = std::make_shared<damaged_store>(disk);
  node_on_damage n(spoilt);
  fault never("note:stuck");
  const auto id = n.opened();
  CHECK_FALSE(n.ask("account", id, deposit{1, "stuck"}).refused);
  n.stop();
  const auto now = disk->read();
  const auto at = now->open(table::outbox);
  REQUIRE(at->seek({}));
  spoilt->damage(table::outbox, at->key());
  CHECK_THROWS_WITH(n.start(), Catch::Contains("a value in 'outbox' is damaged"));
  spoilt->mend();
  n.start();
  n.settle();
  CHECK(n.node().ready());
}
