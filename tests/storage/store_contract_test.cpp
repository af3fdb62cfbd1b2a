// What every store promises, run against each, and reopened where there is something to reopen.
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include "storage/deferred/deferred_store.hpp"
#include "storage/faulty/faulty_store.hpp"
#include "storage/filtered/filtered_store.hpp"
#include "storage/lmdb/lmdb_store.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/packed/packed_store.hpp"
#include "tests/storage/temporary_directory.hpp"

using namespace crema::storage;

namespace {

struct lmdb_bed {
  crema::tests::temporary_directory directory;
  std::unique_ptr<store> s = open_lmdb(directory.path);
  void reopen() {
    s.reset();
    s = open_lmdb(directory.path);
  }
};

struct memory_bed {
  std::unique_ptr<store> s = make_memory_store();
  void reopen() {}
};

struct faulty_bed {
  std::shared_ptr<store> disk = make_memory_store();
  std::unique_ptr<store> s = make_faulty_store(disk, std::make_shared<fault_plan>());
  void reopen() { s = make_faulty_store(disk, std::make_shared<fault_plan>()); }
};

struct deferred_bed {
  std::shared_ptr<store> disk = make_memory_store();
  std::unique_ptr<store> s = make_deferred_store(disk, 3);
  void reopen() { s = make_deferred_store(disk, 3); }
};

struct deferred_lmdb_bed {
  crema::tests::temporary_directory directory;
  std::unique_ptr<store> s = make_deferred_store(open_lmdb(directory.path), 40);
  void reopen() {
    s.reset();
    s = make_deferred_store(open_lmdb(directory.path), 40);
  }
};

// Blocks of two or three entries: what a page of entries does in the node, a handful does here.
struct packed_bed {
  std::shared_ptr<store> disk = make_memory_store();
  std::unique_ptr<store> s = make_packed_store(disk, 40);
  void reopen() { s = make_packed_store(disk, 40); }
};

// As the node has it.
struct whole_bed {
  crema::tests::temporary_directory directory;
  std::unique_ptr<store> s = open();
  void reopen() {
    s.reset();
    s = open();
  }
  std::unique_ptr<store> open() const {
    return make_filtered_store(make_deferred_store(make_packed_store(open_lmdb(directory.path)), 40), 4096, learning::beside);
  }
};

using model = std::map<std::string, std::string>;

void put_all(store& s, table t, const model& entries) {
  const auto tx = s.write();
  for (const auto& [key, value] : entries) tx->put(t, key, value);
  tx->commit();
}

std::string got(const snapshot& s, table t, std::string_view key) { return std::string(s.get(t, key).value_or("(none)")); }

model forward(const snapshot& s, table t) {
  model all;
  const auto c = s.open(t);
  std::string last;
  while (c->next()) {
    if (!all.empty()) CHECK(last < c->key());
    last = c->key();
    all.emplace(c->key(), c->value());
  }
  return all;
}

model backward(const snapshot& s, table t) {
  model all;
  const auto c = s.open(t);
  CHECK_FALSE(c->seek(std::string(max_key_bytes, '\xff') + "beyond"));
  while (c->prev()) all.emplace(c->key(), c->value());
  return all;
}

template <class F>
storage_errc code_of(F f) {
  try {
    f();
  } catch (const storage_error& e) {
    CHECK(std::string(e.what()).size() > 20);
    return e.code();
  }
  FAIL("nothing was thrown");
  return storage_errc::io;
}

}  // namespace

#define EVERY_STORE lmdb_bed, memory_bed, faulty_bed, deferred_bed, deferred_lmdb_bed, packed_bed, whole_bed

TEMPLATE_TEST_CASE("store: what is committed is read, in its own table, also after reopening", "", EVERY_STORE) {
  TestType bed;
  std::vector<std::size_t> tables;
  for (std::size_t i = 0; i < table_count; ++i)
    if (static_cast<table>(i) != table::deferred) tables.push_back(i);  // that one is a deferring store's own
  for (const auto i : tables) put_all(*bed.s, static_cast<table>(i), {{"key", "value " + std::to_string(i)}});
  for (int round = 0; round < 2; ++round) {
    const auto snap = bed.s->read();
    for (const auto i : tables) {
      CHECK(got(*snap, static_cast<table>(i), "key") == "value " + std::to_string(i));
      CHECK(snap->count(static_cast<table>(i)) == 1);
    }
    CHECK(got(*snap, table::state, "other") == "(none)");
    if (round == 0) {
      const_cast<std::unique_ptr<snapshot>&>(snap).reset();
      bed.reopen();
    }
  }
}

TEMPLATE_TEST_CASE("store: a value is replaced and erased", "", EVERY_STORE) {
  TestType bed;
  put_all(*bed.s, table::index, {{"a", "1"}, {"b", "2"}});
  {
    const auto tx = bed.s->write();
    tx->put(table::index, "a", "one");
    CHECK(tx->erase(table::index, "b"));
    CHECK_FALSE(tx->erase(table::index, "b"));
    CHECK_FALSE(tx->erase(table::index, "never"));
    CHECK(tx->count(table::index) == 1);
    tx->commit();
  }
  bed.reopen();
  CHECK(forward(*bed.s->read(), table::index) == model{{"a", "one"}});
}

TEMPLATE_TEST_CASE("store: a transaction sees its own changes, nobody else does before its commit", "", EVERY_STORE) {
  TestType bed;
  put_all(*bed.s, table::index, {{"a", "1"}, {"b", "2"}});
  const auto tx = bed.s->write();
  tx->put(table::index, "c", "3");
  tx->put(table::index, "a", "x");
  tx->erase(table::index, "b");
  CHECK(got(*tx, table::index, "c") == "3");
  CHECK(got(*tx, table::index, "b") == "(none)");
  CHECK(tx->count(table::index) == 2);
  CHECK(forward(*bed.s->read(), table::index) == model{{"a", "1"}, {"b", "2"}});
  tx->commit();
  CHECK(forward(*bed.s->read(), table::index) == model{{"a", "x"}, {"c", "3"}});
}

TEMPLATE_TEST_CASE("store: a transaction without commit leaves no trace", "", EVERY_STORE) {
  TestType bed;
  put_all(*bed.s, table::index, {{"a", "1"}});
  {
    const auto tx = bed.s->write();
    tx->put(table::index, "b", "2");
    tx->erase(table::index, "a");
  }
  CHECK(forward(*bed.s->read(), table::index) == model{{"a", "1"}});
  put_all(*bed.s, table::index, {{"c", "3"}});
  bed.reopen();
  CHECK(forward(*bed.s->read(), table::index) == model{{"a", "1"}, {"c", "3"}});
}

TEMPLATE_TEST_CASE("store: a snapshot stays at its state", "", EVERY_STORE) {
  TestType bed;
  put_all(*bed.s, table::index, {{"a", "1"}, {"b", "2"}});
  const auto before = bed.s->read();
  const auto kept = before->get(table::index, "a");
  const auto c = before->open(table::index);
  REQUIRE(c->next());
  {
    const auto tx = bed.s->write();
    tx->put(table::index, "a", "changed");
    tx->put(table::index, "aa", "new");
    tx->erase(table::index, "b");
    tx->commit();
  }
  const auto after = bed.s->read();
  CHECK(kept == "1");
  REQUIRE(c->next());
  CHECK(c->key() == "b");
  CHECK_FALSE(c->next());
  CHECK(before->count(table::index) == 2);
  CHECK(forward(*before, table::index) == model{{"a", "1"}, {"b", "2"}});
  CHECK(forward(*after, table::index) == model{{"a", "changed"}, {"aa", "new"}});
}

TEMPLATE_TEST_CASE("store: a cursor at its edges", "", EVERY_STORE) {
  TestType bed;
  put_all(*bed.s, table::index, {{"b", "2"}, {"d", "4"}, {"f", "6"}});
  const auto check = [](const snapshot& s) {
    const auto c = s.open(table::index);
    CHECK_FALSE(c->prev());
    REQUIRE(c->next());
    CHECK(c->key() == "b");
    CHECK_FALSE(c->prev());
    CHECK_FALSE(c->prev());
    REQUIRE(c->next());
    CHECK(c->key() == "b");

    REQUIRE(c->seek("c"));
    CHECK(c->key() == "d");
    CHECK(c->value() == "4");
    REQUIRE(c->prev());
    CHECK(c->key() == "b");
    REQUIRE(c->seek("d"));
    CHECK(c->key() == "d");
    REQUIRE(c->next());
    CHECK(c->key() == "f");
    CHECK_FALSE(c->next());
    CHECK_FALSE(c->next());
    REQUIRE(c->prev());
    CHECK(c->key() == "f");

    CHECK_FALSE(c->seek("g"));
    CHECK_FALSE(c->next());
    REQUIRE(c->prev());
    CHECK(c->key() == "f");
    REQUIRE(c->seek(""));
    CHECK(c->key() == "b");
    REQUIRE(c->seek("a"));
    CHECK(c->key() == "b");

    REQUIRE(c->seek_before("e"));
    CHECK(c->key() == "d");
    REQUIRE(c->seek_before("d"));
    CHECK(c->key() == "b");
    CHECK(c->value() == "2");
    REQUIRE(c->next());
    CHECK(c->key() == "d");
    REQUIRE(c->seek_before("z"));
    CHECK(c->key() == "f");
    CHECK_FALSE(c->next());
    CHECK_FALSE(c->seek_before("b"));
    REQUIRE(c->next());
    CHECK(c->key() == "b");
    CHECK_FALSE(c->seek_before(""));
  };
  check(*bed.s->read());
  check(*bed.s->write());
}

TEMPLATE_TEST_CASE("store: a cursor in an empty table", "", EVERY_STORE) {
  TestType bed;
  const auto check = [](const snapshot& s) {
    const auto c = s.open(table::index);
    CHECK_FALSE(c->next());
    CHECK_FALSE(c->prev());
    CHECK_FALSE(c->seek(""));
    CHECK_FALSE(c->prev());
    CHECK_FALSE(c->seek("a"));
    CHECK_FALSE(c->next());
    CHECK(s.count(table::index) == 0);
  };
  check(*bed.s->read());
  check(*bed.s->write());
}

TEMPLATE_TEST_CASE("store: a table may be changed while a cursor walks over it", "", EVERY_STORE) {
  TestType bed;
  model many;
  for (int i = 100; i < 400; ++i) many["k" + std::to_string(i)] = std::string(200, 'v');
  put_all(*bed.s, table::index, many);
  const auto tx = bed.s->write();
  const auto c = tx->open(table::index);
  std::size_t walked = 0;
  for (bool more = c->seek("k"); more; more = c->next()) {
    CHECK(c->value() == std::string(200, 'v'));
    CHECK(tx->erase(table::index, c->key()));
    if (walked % 3 == 0) tx->put(table::index, "a" + std::to_string(walked), c->value());  // behind the cursor: not met
    ++walked;
  }
  CHECK(walked == 300);
  CHECK(tx->count(table::index) == 100);
  tx->put(table::index, "z", "last");
  REQUIRE(c->prev());
  CHECK(c->key() == "z");
  CHECK(tx->erase(table::index, "z"));
  REQUIRE(c->prev());
  CHECK(c->key() < "b");
  tx->commit();
  CHECK(bed.s->read()->count(table::index) == 100);
}

TEMPLATE_TEST_CASE("store: a cursor may outlive its transaction, but not be used", "", EVERY_STORE) {
  TestType bed;
  const auto tx = bed.s->write();
  const auto c = tx->open(table::index);
  tx->put(table::index, "a", "1");
  tx->commit();
  CHECK_THROWS_AS(tx->commit(), std::logic_error);
  CHECK_THROWS_AS(tx->get(table::index, "a"), std::logic_error);
  CHECK_THROWS_AS(tx->put(table::index, "a", "2"), std::logic_error);
  CHECK(got(*bed.s->read(), table::index, "a") == "1");
}

TEMPLATE_TEST_CASE("store: one thread has one write transaction", "", EVERY_STORE) {
  TestType bed;
  auto tx = bed.s->write();
  CHECK_THROWS_AS(bed.s->write(), std::logic_error);
  tx.reset();
  put_all(*bed.s, table::index, {{"a", "1"}});
}

TEMPLATE_TEST_CASE("store: keys up to the limit, and not beyond", "", EVERY_STORE) {
  TestType bed;
  const std::string longest(max_key_bytes, 'k'), longer(max_key_bytes + 1, 'k'), zero("\0", 1);
  put_all(*bed.s, table::index, {{longest, "edge"}, {zero, "zero"}});
  {
    const auto tx = bed.s->write();
    CHECK(code_of([&] { tx->put(table::index, longer, "v"); }) == storage_errc::unsupported);
    CHECK(code_of([&] { tx->put(table::index, "", "v"); }) == storage_errc::unsupported);
    CHECK_FALSE(tx->erase(table::index, longer));
    CHECK_FALSE(tx->erase(table::index, ""));
    tx->put(table::index, "after", "a refused key spoils nothing");
    tx->commit();
  }
  bed.reopen();
  const auto snap = bed.s->read();
  CHECK(got(*snap, table::index, longest) == "edge");
  CHECK(got(*snap, table::index, zero) == "zero");
  CHECK(got(*snap, table::index, "after") == "a refused key spoils nothing");
  CHECK(got(*snap, table::index, longer) == "(none)");
  CHECK(got(*snap, table::index, "") == "(none)");
  const auto c = snap->open(table::index);
  CHECK_FALSE(c->seek(longer));
  REQUIRE(c->seek(std::string(600, 'a')));
  CHECK(c->key() == "after");
}

TEMPLATE_TEST_CASE("store: values of any size and any bytes", "", EVERY_STORE) {
  TestType bed;
  std::string bytes;
  for (int i = 0; i < 3'000'000; ++i) bytes.push_back(static_cast<char>(i * 31));
  const model entries{{"big", bytes}, {"empty", ""}, {"page", bytes.substr(0, 4096)}, {"zero", std::string("\0\0", 2)}};
  put_all(*bed.s, table::journal, entries);
  bed.reopen();
  CHECK(forward(*bed.s->read(), table::journal) == entries);
  CHECK(bed.s->read()->get(table::journal, "empty").has_value());
}

TEMPLATE_TEST_CASE("store: any sequence of changes leaves what a map would hold", "", EVERY_STORE) {
  const auto seed = GENERATE(1U, 20210225U);
  CAPTURE(seed);
  TestType bed;
  std::mt19937 random(seed);
  model committed;
  for (int round = 0; round < 40; ++round) {
    auto changed = committed;
    const auto tx = bed.s->write();
    for (int i = 0; i < 60; ++i) {
      const auto key = std::to_string(random() % 300);
      if (random() % 3 == 0) {
        CHECK(tx->erase(table::index, key) == (changed.erase(key) == 1));
      } else {
        const std::string value(random() % 700, static_cast<char>('a' + random() % 26));
        tx->put(table::index, key, value);
        changed[key] = value;
      }
    }
    CHECK(forward(*tx, table::index) == changed);
    CHECK(backward(*tx, table::index) == changed);
    CHECK(tx->count(table::index) == changed.size());
    if (random() % 4 != 0) {
      tx->commit();
      committed = changed;
    }
    if (random() % 8 == 0) {
      const_cast<std::unique_ptr<transaction>&>(tx).reset();
      bed.reopen();
    }
    const auto snap = bed.s->read();
    CHECK(forward(*snap, table::index) == committed);
    CHECK(backward(*snap, table::index) == committed);
    CHECK(snap->count(table::index) == committed.size());
  }
}

TEMPLATE_TEST_CASE("store: readers beside a writer see whole commits only", "", EVERY_STORE) {
  TestType bed;
  put_all(*bed.s, table::index, {{"n", "0"}});
  put_all(*bed.s, table::index, {{"n", "0"}});
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0, reads = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        const auto snap = bed.s->read();
        if (snap->get(table::index, "n") != snap->get(table::index, "n")) ++torn;
        const auto c = snap->open(table::index);
        if (!c->next() || c->value() != *snap->get(table::index, "n")) ++torn;
        ++reads;
      }
    });
  for (int n = 1; n <= 200 || reads < 200; ++n) {
    const auto tx = bed.s->write();
    tx->put(table::index, "n", std::to_string(n));
    tx->put(table::index, "n", std::to_string(n));
    tx->commit();
  }
  stop = true;
  for (auto& r : readers) r.join();
  CHECK(torn == 0);
}

TEMPLATE_TEST_CASE("store: usage grows with what is kept", "", EVERY_STORE) {
  TestType bed;
  const auto before = bed.s->usage();
  put_all(*bed.s, table::journal, {{"a", std::string(100'000, 'x')}});
  const auto after = bed.s->usage();
  CHECK(after.bytes_used >= before.bytes_used + 100'000);
  CHECK(after.bytes_limit >= after.bytes_used);
  bed.s->trim();
  CHECK(bed.s->read()->get(table::journal, "a")->size() == 100'000);
}

TEST_CASE("memory store: at its limit a commit is refused whole, and making room goes on") {
  const auto s = make_memory_store({1000});
  put_all(*s, table::index, {{"a", std::string(600, 'x')}});
  CHECK(code_of([&] { put_all(*s, table::index, {{"b", std::string(600, 'x')}}); }) == storage_errc::full);
  CHECK(s->read()->count(table::index) == 1);
  {
    const auto tx = s->write();
    tx->erase(table::index, "a");
    tx->commit();
  }
  put_all(*s, table::index, {{"b", std::string(600, 'x')}});
  CHECK(code_of([&] { s->copy_to("/tmp/never", {}); }) == storage_errc::unsupported);
}
