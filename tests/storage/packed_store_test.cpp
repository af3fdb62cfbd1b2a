// What blocks must not change is in store_contract_test.cpp; here are the blocks' own promises.
#include "storage/packed/packed_store.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

#include "storage/entry_block.hpp"
#include "storage/layout.hpp"
#include "storage/memory/memory_store.hpp"

using namespace crema::storage;

namespace {

using model = std::map<std::string, std::string>;

model all_of(const snapshot& s) {
  model found;
  const auto c = s.open(table::index);
  while (c->next()) found.emplace(c->key(), c->value());
  return found;
}

void put(store& s, const model& entries) {
  const auto tx = s.write();
  for (const auto& [k, v] : entries) tx->put(table::index, k, v);
  tx->commit();
}

std::string key_of(unsigned n) { return "key " + number_key(n).substr(4); }

// Each row's key is not behind its block's first entry and behind the last of the one before; no block is empty or too large.
void check_rows(const store& disk, std::size_t bytes_max) {
  const auto now = disk.read();
  const auto rows = now->open(table::index);
  std::string before;
  while (rows->next()) {
    entry_block b;
    b.load(rows->value());
    REQUIRE_FALSE(b.empty());
    CHECK(rows->key() <= b.key(0));
    CHECK(before < rows->key());
    CHECK((b.size() == 1 || rows->value().size() <= bytes_max + 2));
    before = b.key(b.size() - 1);
  }
}

}  // namespace

TEST_CASE("packed: a few entries are one row, which goes with the last of them") {
  const std::shared_ptr<store> disk = make_memory_store();
  const auto s = make_packed_store(disk);
  put(*s, {{"a", "1"}, {"b", ""}});
  CHECK(disk->read()->count(table::index) == 1);
  CHECK(all_of(*s->read()) == model{{"a", "1"}, {"b", ""}});
  const auto tx = s->write();
  CHECK(tx->erase(table::index, "a"));
  CHECK(tx->erase(table::index, "b"));
  CHECK_FALSE(tx->erase(table::index, "b"));
  tx->commit();
  CHECK(disk->read()->count(table::index) == 0);
}

TEST_CASE("packed: entries that come in order fill their blocks; those that come anywhere leave room in both halves") {
  const std::shared_ptr<store> disk = make_memory_store();
  const auto s = make_packed_store(disk, 200);
  for (unsigned n = 0; n < 400; ++n) put(*s, {{key_of(n), ""}});
  check_rows(*disk, 200);
  const auto in_order = disk->read()->count(table::index);
  for (unsigned n = 1; n <= 400; ++n) put(*s, {{"other " + key_of(n * 7919 % 401), ""}});
  check_rows(*disk, 200);
  const auto anywhere = disk->read()->count(table::index) - in_order;
  CHECK(in_order * 5 < anywhere * 4);
  CHECK(anywhere < 2 * in_order);
  CHECK(s->read()->count(table::index) == 800);
}

TEST_CASE("packed: other tables stay as they are") {
  const std::shared_ptr<store> disk = make_memory_store();
  const auto s = make_packed_store(disk);
  const auto tx = s->write();
  tx->put(table::state, "a", "1");
  tx->put(table::state, "b", "2");
  CHECK(tx->count(table::state) == 2);
  tx->commit();
  CHECK(disk->read()->get(table::state, "b") == "2");
  CHECK(s->read()->count(table::state) == 2);
}

TEST_CASE("packed: blocks that are divided and emptied at random hold what a map holds, for each snapshot") {
  constexpr std::size_t bytes_max = 60;
  const std::shared_ptr<store> disk = make_memory_store();
  const auto s = make_packed_store(disk, bytes_max);
  std::mt19937 rng(11);
  model expected;
  for (int round = 0; round < 300; ++round) {
    const auto before = s->read();
    const auto then = expected;
    const auto tx = s->write();
    const bool mostly_erases = round / 50 % 2 == 1;
    for (int n = 0; n < 12; ++n) {
      const auto key = key_of(static_cast<unsigned>(rng() % 150));
      if (rng() % 4 < (mostly_erases ? 3U : 1U)) {
        CHECK(tx->erase(table::index, key) == (expected.erase(key) == 1));
      } else {
        const auto value = rng() % 2 == 0 ? "" : std::to_string(n);
        tx->put(table::index, key, value);
        expected[key] = value;
      }
    }
    tx->commit();
    CHECK(all_of(*before) == then);
    REQUIRE(all_of(*s->read()) == expected);
    check_rows(*disk, bytes_max);
  }
}

TEST_CASE("packed: a damaged block is corrupt data, not a surprise") {
  const std::shared_ptr<store> disk = make_memory_store();
  put(*disk, {{"a", std::string("\5\0", 2)}});
  const auto s = make_packed_store(disk);
  const auto code = [](auto use) {
    try {
      use();
    } catch (const storage_error& e) { return e.code(); }
    FAIL("it was read");
    return storage_errc::io;
  };
  const auto now = s->read();
  CHECK(code([&] { (void)now->get(table::index, "b"); }) == storage_errc::corrupt);
  CHECK(code([&] { (void)now->open(table::index)->next(); }) == storage_errc::corrupt);
  CHECK(code([&] { put(*s, {{"b", ""}}); }) == storage_errc::corrupt);
}
