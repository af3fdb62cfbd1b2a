// What deferring must not change: readers see commits, crashes lose nothing, and what is moved is moved once. The contract of every
// store is in store_contract_test.cpp; here are its own promises.
#include "storage/deferred/deferred_store.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

#include "behaviors/core/codec.hpp"
#include "storage/faulty/faulty_store.hpp"
#include "storage/layout.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/packed/packed_store.hpp"

using namespace crema::storage;

namespace {

using model = std::map<std::string, std::string>;

model all_of(const snapshot& s, table t = table::index) {
  model found;
  const auto c = s.open(t);
  while (c->next()) found.emplace(c->key(), c->value());
  return found;
}

void put(store& s, const model& entries) {
  const auto tx = s.write();
  for (const auto& [k, v] : entries) tx->put(table::index, k, v);
  tx->commit();
}

std::string key_of(unsigned n) { return "key " + std::to_string(n); }

// Puts and erases some keys, here and in the model.
void change(store& s, model& expected, std::mt19937& rng, unsigned keys, int times = 5) {
  const auto tx = s.write();
  for (int n = 0; n < times; ++n) {
    const auto key = key_of(static_cast<unsigned>(rng() % keys));
    if (rng() % 3 == 0) {
      CHECK(tx->erase(table::index, key) == (expected.erase(key) == 1));
    } else {
      const auto value = std::to_string(rng());
      tx->put(table::index, key, value);
      expected[key] = value;
    }
  }
  tx->commit();
}

}  // namespace

TEST_CASE("deferred: up to its limit entries wait, beyond it they are moved to their places") {
  const std::shared_ptr<store> disk = make_memory_store();
  const auto s = make_deferred_store(disk, 10);
  for (unsigned n = 0; n < 10; ++n) put(*s, {{key_of(n), "x"}});
  CHECK(disk->read()->count(table::index) == 0);
  CHECK(disk->read()->count(table::deferred) == 11);  // ten rows, and the number of the last commit
  put(*s, {{key_of(10), "x"}});
  CHECK(disk->read()->count(table::index) == 10);
  CHECK(s->read()->count(table::index) == 11);
}

TEST_CASE("deferred: an entry of its row's own number goes to its place at once") {
  const auto of_row = [](std::int64_t value, std::uint64_t id) { return "\3\1" + crema::ordered_key(value) + "owner" + number_key(id); };
  const std::shared_ptr<store> disk = make_memory_store();
  const auto s = make_deferred_store(disk, 10);
  put(*s, {{of_row(7, 7), "own"}, {of_row(7, 9), "another's"}});
  CHECK(all_of(*disk->read()) == model{{of_row(7, 7), "own"}});
  CHECK(all_of(*s->read()) == model{{of_row(7, 7), "own"}, {of_row(7, 9), "another's"}});
}

TEST_CASE("deferred: after a start the same entries wait as before it, whenever it comes") {
  constexpr unsigned keys = 60;
  for (unsigned commits = 0; commits < 150; ++commits) {
    CAPTURE(commits);
    const std::shared_ptr<store> disk = make_memory_store();
    const auto before = make_deferred_store(disk, 20);
    std::mt19937 rng(19);
    model expected;
    for (unsigned n = 0; n < commits; ++n) change(*before, expected, rng, keys);
    CHECK(all_of(*make_deferred_store(disk, 20)->read()) == expected);

    model in_place;  // what lies below an entry that waits is not seen
    for (unsigned n = 0; n < keys; ++n) in_place.emplace(key_of(n), "in place");
    put(*disk, in_place);
    CHECK(all_of(*make_deferred_store(disk, 20)->read()) == all_of(*before->read()));
  }
}

TEST_CASE("deferred: rows that nobody needs go, however long it runs") {
  const std::shared_ptr<store> disk = make_memory_store();
  const auto s = make_deferred_store(disk, 50);
  model expected;
  std::mt19937 rng(7);
  std::uint64_t most = 0;
  for (int n = 0; n < 3000; ++n) {
    change(*s, expected, rng, 500);
    most = std::max(most, disk->read()->count(table::deferred));
  }
  CHECK(all_of(*s->read()) == expected);
  CHECK(most < 50);  // one round moves 50 entries and half of what comes meanwhile, five in a commit
}

TEST_CASE("deferred: what was left waits on when it is opened again, with the last that came of each key") {
  const std::shared_ptr<store> disk = make_memory_store();
  model expected;
  std::mt19937 rng(11);
  for (int life = 0; life < 20; ++life) {
    const auto s = make_deferred_store(disk, 25);
    CHECK(all_of(*s->read()) == expected);
    CHECK(s->read()->count(table::index) == expected.size());
    for (auto n = rng() % 60; n > 0; --n) change(*s, expected, rng, 40);
    CHECK(all_of(*s->read()) == expected);
  }
}

TEST_CASE("deferred: a snapshot stays at its commit while entries change and are moved") {
  const std::shared_ptr<store> disk = make_memory_store();
  const auto s = make_deferred_store(disk, 8);
  model expected;
  std::mt19937 rng(13);
  std::vector<std::pair<std::unique_ptr<snapshot>, model>> kept;
  for (int n = 0; n < 300; ++n) {
    change(*s, expected, rng, 60);
    if (rng() % 4 == 0) kept.emplace_back(s->read(), expected);
    if (kept.size() > 12) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(rng() % kept.size()));
    for (const auto& [snap, then] : kept) {
      REQUIRE(all_of(*snap) == then);
      REQUIRE(snap->count(table::index) == then.size());
    }
  }
}

TEST_CASE("deferred: with thousands of entries, snapshots stay at their commits, and commits that fail leave no trace") {
  constexpr unsigned keys = 3000;
  const std::shared_ptr<store> disk = make_memory_store();
  const auto plan = std::make_shared<fault_plan>(7);
  const auto s = make_deferred_store(std::shared_ptr<store>(make_faulty_store(disk, plan)), 1000);
  model expected;
  std::mt19937 rng(37);
  std::vector<std::pair<std::unique_ptr<snapshot>, model>> kept;
  for (int n = 0; n < 200; ++n) {
    const bool fails = rng() % 5 == 0;
    if (fails) plan->fail_nth(1 + rng() % 40, storage_errc::full);
    auto attempt = expected;
    try {
      change(*s, attempt, rng, keys, 60);
      expected = attempt;
    } catch (const storage_error&) {}
    plan->clear();
    if (n % 7 == 0) kept.emplace_back(s->read(), expected);
    if (kept.size() > 4) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(rng() % kept.size()));
    if (n % 10 != 0) continue;
    REQUIRE(all_of(*s->read()) == expected);
    for (const auto& [snap, then] : kept) REQUIRE(all_of(*snap) == then);
  }
  CHECK(disk->read()->count(table::index) > 500);  // many were moved
  kept.clear();
  CHECK(all_of(*make_deferred_store(disk, 1000)->read()) == expected);
}

TEST_CASE("deferred: a commit that fails changes nothing, wherever it fails, and nothing comes back when it is opened again") {
  for (std::uint64_t nth = 1; nth < 60; ++nth) {
    CAPTURE(nth);
    const std::shared_ptr<store> disk = make_memory_store();
    const auto plan = std::make_shared<fault_plan>(nth);
    model expected;
    std::mt19937 rng(17);
    {
      const auto s = make_deferred_store(std::shared_ptr<store>(make_faulty_store(disk, plan)), 4);
      for (int n = 0; n < 12; ++n) change(*s, expected, rng, 20);
      plan->fail_nth(nth, storage_errc::full);
      for (int n = 0; n < 12; ++n) {
        auto attempt = expected;
        try {
          change(*s, attempt, rng, 20);
          expected = attempt;
        } catch (const storage_error&) {}
        REQUIRE(all_of(*s->read()) == expected);
      }
    }
    const auto again = make_deferred_store(disk, 4);
    CHECK(all_of(*again->read()) == expected);
  }
}

TEST_CASE("deferred: with a limit of none, an entry waits for the next commit only") {
  const std::shared_ptr<store> disk = make_memory_store();
  const auto s = make_deferred_store(disk, 0);
  put(*s, {{"a", "1"}});
  put(*s, {{"b", "2"}});
  CHECK(all_of(*disk->read()) == model{{"a", "1"}});
  CHECK(all_of(*s->read()) == model{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("deferred: a walk in both directions passes over what is erased and meets what waits") {
  const std::shared_ptr<store> disk = make_memory_store();
  {
    const auto before = make_deferred_store(disk, 100);
    put(*before, {{"a", "1"}, {"c", "3"}, {"e", "5"}, {"g", "7"}});
  }
  const auto s = make_deferred_store(disk, 100);
  {
    const auto tx = s->write();
    tx->put(table::index, "b", "2");
    tx->put(table::index, "c", "three");
    tx->erase(table::index, "e");
    tx->erase(table::index, "g");
    tx->commit();
  }
  const auto now = s->read();
  const auto c = now->open(table::index);
  std::string seen;
  while (c->next()) seen.append(c->key()).append("=").append(c->value()).append(" ");
  CHECK(seen == "a=1 b=2 c=three ");
  seen.clear();
  while (c->prev()) seen.append(c->key()).append(" ");
  CHECK(seen == "c b a ");
  REQUIRE(c->seek("bb"));
  CHECK(c->key() == "c");
  REQUIRE(c->prev());
  CHECK(c->key() == "b");
  REQUIRE(c->next());
  CHECK(c->key() == "c");
  CHECK_FALSE(c->seek("d"));
  REQUIRE(c->prev());
  CHECK(c->key() == "c");
}

TEST_CASE("deferred: a damaged row is corrupt data, not a surprise") {
  const auto [key, bytes] =
      GENERATE(Catch::Generators::table<std::string, std::string>({{number_key(1), "\1"}, {number_key(~std::uint64_t{0}), number_key(1)}}));
  const std::shared_ptr<store> disk = make_memory_store();
  put(*make_deferred_store(disk, 10), {{"a", "1"}});
  const auto tx = disk->write();
  tx->put(table::deferred, key, bytes);
  tx->commit();
  try {
    (void)make_deferred_store(disk, 10);
    FAIL("it was opened");
  } catch (const storage_error& e) {
    CHECK(e.code() == storage_errc::corrupt);
    CHECK(std::string(e.what()).find("restore a backup") != std::string::npos);
  }
}

TEST_CASE("deferred: a walk that turns and jumps as it likes is where a walk through the same entries in place would be") {
  const bool in_blocks = GENERATE(false, true);
  constexpr std::size_t few_in_a_block = 60;
  std::shared_ptr<store> disk = make_memory_store();
  if (in_blocks) disk = make_packed_store(disk, few_in_a_block);
  const auto s = make_deferred_store(disk, 40);
  model expected;
  std::mt19937 rng(23);
  for (int n = 0; n < 100; ++n) change(*s, expected, rng, 120);  // some wait, some are in place, of some an older state is
  const std::shared_ptr<store> plain = make_memory_store();
  put(*plain, expected);

  const auto now = s->read(), plain_now = plain->read();
  for (int walk = 0; walk < 50; ++walk) {
    const auto c = now->open(table::index), p = plain_now->open(table::index);
    for (int step = 0; step < 100; ++step) {
      const auto key = key_of(static_cast<unsigned>(rng() % 130));
      const auto how = rng() % 12;
      const bool there = how == 0 ? c->seek(key) : how == 1 ? c->seek_before(key) : how < 7 ? c->next() : c->prev();
      REQUIRE(there == (how == 0 ? p->seek(key) : how == 1 ? p->seek_before(key) : how < 7 ? p->next() : p->prev()));
      if (!there) continue;
      REQUIRE(c->key() == p->key());
      REQUIRE(c->value() == p->value());
    }
  }
}
