// verify finds what does not fit (a canary for each kind), and restore leads to the state of any moment.
#include "storage/maintenance.hpp"

#include <catch2/catch.hpp>

#include "tests/storage/small_system.hpp"

using namespace small;

namespace {

const progress_handler quiet = [](const std::string&, std::uint64_t) {};

// A bit of everything: made, filled, broken cups; a keyed tally; a message taken and one left over; a timer; a hold left over and one
// confirmed; a dead letter; idempotency keys, one of them on a record without events.
void play(
    hand& h, const std::function<void()>& after_each = [] {}) {
  const auto write = [&](journal_record r) {
    auto written = h.write(std::move(r));
    after_each();
    return written;
  };
  auto first = hand::step(cups, 1, {made("010", 2), filled(3, 10)});
  first.messages = {message_to(2, 1), message_to(3, 1), message_to(1, 1, 99000)};
  first.idempotency = key_of(1);
  const auto put = write(std::move(first));

  auto second = hand::step(cups, 2, {made("020", 5)});
  second.consumed = {put->messages[0].ref};
  write(std::move(second));

  auto asked = hand::step(cups, 3, {made("010", 7)});
  asked.held = hold_of(3, {message_to(1, 4)});
  const auto held = write(std::move(asked));

  auto confirming = hand::step(tallies, 7, {value::of(tallied{"may", 7})}, "may");
  confirming.confirmed = {held->hold_ref()};
  confirming.messages = held->held->messages;
  write(std::move(confirming));

  auto pending = hand::step(cups, 5, {made("050", 1)});
  pending.held = hold_of(5);
  write(std::move(pending));

  auto again = hand::step(cups, 1, {});
  again.idempotency = key_of(2);
  write(std::move(again));

  write(hand::step(cups, 2, {broken()}));

  auto fired = hand::step(cups, 1, {});
  fired.fired = {{99000, put->messages[2].ref.id}};
  fired.messages = {message_to(1, 1)};
  write(std::move(fired));

  auto dead = hand::step(cups, 3, {});
  dead.consumed = {put->messages[1].ref};
  dead.died = dead_letter{put->messages[1], "it fell", 5, {4711}};
  write(std::move(dead));

  auto timer = hand::step(tallies, 7, {value::of(tallied{"may", 1})}, "may");
  timer.messages = {message_to(4, 1, 88000)};
  write(std::move(timer));
}

struct played {
  std::unique_ptr<store> disk = make_memory_store();
  hand writer{*disk};
  played() {
    play(writer);
    writer.project();
  }
};

std::string all_of(const verify_report& r) {
  std::string text;
  for (const auto& f : r.faults) text += f + "\n";
  return text;
}

// The first row of a table whose key begins with `prefix`.
std::pair<std::string, std::string> first_of(const store& s, table t, const std::string& prefix = {}) {
  const auto now = s.read();
  const auto c = now->open(t);
  REQUIRE(c->seek(prefix));
  return {std::string(c->key()), std::string(c->value())};
}

void change(store& s, const std::function<void(transaction&)>& what) {
  const auto tx = s.write();
  what(*tx);
  tx->commit();
}

std::string flipped(std::string bytes, std::size_t from_end) {
  auto& b = bytes[bytes.size() - 1 - from_end];
  b = static_cast<char>(b ^ 1);
  return bytes;
}

struct corruption {
  std::string name;
  std::function<void(store&)> inject;
  std::string fault;  // part of what must be reported
};

const std::vector<corruption> corruptions{
    {"a record's byte",
     [](store& s) {
       const auto e = first_of(s, table::journal);
       change(s, [&](transaction& tx) { tx.put(table::journal, e.first, flipped(e.second, 3)); });
     },
     "does not match its checksum"},
    {"a record is lost in the middle",
     [](store& s) {
       const auto k = journal_key(1);
       change(s, [&](transaction& tx) { REQUIRE(tx.erase(table::journal, k)); });
     },
     "does not follow the record before it"},
    {"the last record is lost",
     [](store& s) {
       change(s, [&](transaction& tx) {
         const auto c = tx.open(table::journal);
         std::string last;
         for (bool there = c->seek({}); there; there = c->next())
           if (last.empty() || tail_number(c->key()) > tail_number(last)) last = c->key();
         tx.erase(table::journal, last);
       });
     },
     "The next offset should be"},
    {"the end of a chain is noted down wrongly",
     [](store& s) {
       change(s, [](transaction& tx) { tx.put(table::meta, chain_key(1), std::string(tx.get(table::meta, chain_key(2)).value())); });
     },
     "The chain of partition 1 should end with record"},
    {"a journal entry without its end",
     [](store& s) {
       const auto e = first_of(s, table::journal);
       change(s, [&](transaction& tx) { tx.put(table::journal, e.first, e.second.substr(0, 20)); });
     },
     "the journal's entry at offset 1 cannot be read: the record ends too early"},
    {"a state row is lost",
     [](store& s) { change(s, [](transaction& tx) {
                      REQUIRE(tx.erase(table::state, row_key({false, cups}, 1)));
                    }); },
     "cup/1 has no state row"},
    {"a gone row is lost",
     [](store& s) { change(s, [](transaction& tx) { REQUIRE(tx.erase(table::state, row_key(graveyard_of(cups), 2))); }); },
     "cup/2 has no state row among those that are gone"},
    {"a state row says something else",
     [](store& s) {
       change(s, [](transaction& tx) {
         tx.put(table::state, row_key({false, cups}, 3), encode_row({6, 1}, value::of(cup{"010", 8, {}, false})));
       });
     },
     "has another 'qty'"},
    {"a state row's version",
     [](store& s) {
       change(s, [](transaction& tx) {
         tx.put(table::state, row_key({false, cups}, 3), encode_row({6, 2}, value::of(cup{"010", 7, {}, false})));
       });
     },
     "has version 2"},
    {"a state row too many",
     [](store& s) {
       change(s, [](transaction& tx) { tx.put(table::state, row_key({false, cups}, 44), encode_row({99, 1}, value::of(cup{}))); });
     },
     "The state row of cup/44 has no record"},
    {"a gone aggregate is in its collection too",
     [](store& s) {
       change(s, [](transaction& tx) {
         const auto row = std::string(*tx.get(table::state, row_key(graveyard_of(cups), 2)));
         tx.put(table::state, row_key({false, cups}, 2), row);
       });
     },
     "cup/2 is there twice"},
    {"an index entry is lost",
     [](store& s) {
       change(s, [](transaction& tx) {
         REQUIRE(
             tx.erase(table::index,
                      index_keys({false, cups}, *the_system().contexts[cups].resource, 3, value::of(cup{"010", 7, {}, false})).front()));
       });
     },
     "cup/3 is missing from the index of 'findByPhone'"},
    {"an index entry too many",
     [](store& s) {
       change(s, [](transaction& tx) {
         tx.put(table::index,
                index_keys({false, cups}, *the_system().contexts[cups].resource, 3, value::of(cup{"999", 7, {}, false})).front(), "");
       });
     },
     "entry of cup/3 that its row does not make"},
    {"a key leads elsewhere",
     [](store& s) { change(s, [](transaction& tx) { tx.put(table::index, unique_key(tallies, "may"), number_key(8)); }); },
     "tally/7 is not the one that is found under its key"},
    {"a count of rows",
     [](store& s) { change(s, [](transaction& tx) {
                      tx.put(table::meta, row_count_key({false, cups}), number_key(9));
                    }); },
     "The count of 'cup' says 9 rows"},
    {"an outbox entry is lost",
     [](store& s) {
       const auto e = first_of(s, table::outbox);
       change(s, [&](transaction& tx) { tx.erase(table::outbox, e.first); });
     },
     "The outbox lacks"},
    {"an outbox entry too many",
     [](store& s) {
       const auto e = first_of(s, table::outbox);
       change(s, [&](transaction& tx) { tx.put(table::outbox, outbox_key({{cups, 0}, {77, 1}}), e.second); });
     },
     "The outbox holds message 77-1"},
    {"an outbox entry is another",
     [](store& s) {
       const auto e = first_of(s, table::outbox);
       change(s, [&](transaction& tx) { tx.put(table::outbox, e.first, flipped(e.second, 0)); });
     },
     "The outbox holds another"},
    {"a timer is lost",
     [](store& s) {
       const auto e = first_of(s, table::timers);
       change(s, [&](transaction& tx) { tx.erase(table::timers, e.first); });
     },
     "The timers lack"},
    {"a timer too many",
     [](store& s) {
       const auto e = first_of(s, table::timers);
       change(s, [&](transaction& tx) { tx.put(table::timers, timer_key(1, {2, 3}), e.second); });
     },
     "The timers hold one of record 2"},
    {"an idempotency key is lost",
     [](store& s) {
       const auto e = first_of(s, table::idempotency);
       change(s, [&](transaction& tx) { tx.erase(table::idempotency, e.first); });
     },
     "is missing"},
    {"an idempotency key keeps another answer",
     [](store& s) {
       const auto e = first_of(s, table::idempotency);
       change(s, [&](transaction& tx) { tx.put(table::idempotency, e.first, flipped(e.second, 0)); });
     },
     "keeps another answer"},
    {"an idempotency key too many",
     [](store& s) {
       const auto e = first_of(s, table::idempotency);
       change(s, [&](transaction& tx) { tx.put(table::idempotency, std::string(16, 'x'), e.second); });
     },
     "There are 3 idempotency keys"},
    {"a dead letter is lost",
     [](store& s) {
       const auto e = first_of(s, table::deadletters);
       change(s, [&](transaction& tx) { tx.erase(table::deadletters, e.first); });
     },
     "Dead letter"},
    {"a dead letter too many",
     [](store& s) {
       const auto e = first_of(s, table::deadletters);
       change(s, [&](transaction& tx) { tx.put(table::deadletters, number_key(999), e.second); });
     },
     "Dead letter 999 is not in the journal"},
    {"a counter that would deal a number again",
     [](store& s) { change(s, [](transaction& tx) { tx.put(table::meta, counter_key(cups), number_key(2)); }); }, "would be dealt again"},
    {"a view row is lost",
     [](store& s) {
       const auto e = first_of(s, table::views);
       change(s, [&](transaction& tx) { tx.erase(table::views, e.first); });
     },
     "The view row line/1 is missing"},
    {"a view row says something else",
     [](store& s) {
       change(s, [](transaction& tx) { tx.put(table::views, row_key({true, shelves}, 1), encode_row({0, 1}, value::of(shelf{"xxx"}))); });
     },
     "The view row shelf/1 is not what the journal leads to"},
    {"a view row too many",
     [](store& s) {
       change(s, [](transaction& tx) { tx.put(table::views, row_key({true, shelves}, 2), encode_row({0, 1}, value::of(shelf{"020"}))); });
     },
     "there should be none"},
    {"a view's index entry too many",
     [](store& s) {
       change(s, [](transaction& tx) {
         tx.put(table::index, index_keys({true, shelves}, the_system().views[shelves].resource, 1, value::of(shelf{"zzz"})).front(), "");
       });
     },
     "where it does not belong"},
    {"a view's count",
     [](store& s) { change(s, [](transaction& tx) {
                      tx.put(table::meta, row_count_key({true, shelves}), number_key(9));
                    }); },
     "of view 'shelf'"},
};

}  // namespace

TEST_CASE("verify: given a journal and what it derives, then it is clean, counted and untouched") {
  played p;
  const auto before = contents(*p.disk);
  const auto report = verify(*p.disk, the_system(), quiet);
  INFO(all_of(report));
  CHECK(report.faults.empty());
  CHECK(report.records == 10);
  CHECK(report.events == 8);
  CHECK(report.aggregates == 5);
  CHECK(report.rows == 5);
  CHECK(report.outbox_entries == 3);
  CHECK(report.timers == 1);
  CHECK(report.idempotency_keys == 2);
  CHECK(report.dead_letters == 1);
  CHECK(report.view_rows == 6);
  CHECK(report.last_offset == p.writer.next_sequence() - 1);
  CHECK(report.view_records_behind == 0);
  CHECK(contents(*p.disk) == before);
  CHECK(to_text(report).find("clean") != std::string::npos);
  CHECK(to_json(report).find("\"clean\":true") != std::string::npos);
}

TEST_CASE("verify: given any one kind of damage, then it is found and said where") {
  for (const auto& c : corruptions) {
    played p;
    c.inject(*p.disk);
    const auto report = verify(*p.disk, the_system(), quiet);
    INFO(c.name << "\n" << all_of(report));
    CHECK(all_of(report).find(c.fault) != std::string::npos);
    CHECK(report.faults_total >= 1);
  }
}

TEST_CASE("verify: given a message settled twice, or never put, then that is a fault") {
  played p;
  auto twice = hand::step(cups, 2, {});
  twice.consumed = {outbox_ref{{cups, 2}, {1, 1}}};
  p.writer.write(std::move(twice));
  CHECK(all_of(verify(*p.disk, the_system(), quiet)).find("settles message 1-1, which was not outstanding") != std::string::npos);
}

TEST_CASE("verify: given views that are behind the journal, then they are compared up to where they stand") {
  played p;
  p.writer.write(hand::step(cups, 9, {made("090", 1)}));
  const auto report = verify(*p.disk, the_system(), quiet);
  INFO(all_of(report));
  CHECK(report.faults.empty());
  CHECK(report.view_records_behind == 1);
}

TEST_CASE("verify: given damaged views, when they are rebuilt, then it is clean") {
  played p;
  change(*p.disk, [](transaction& tx) {
    tx.erase(table::views, row_key({true, lines}, 1));
    tx.put(table::views, row_key({true, lines}, 77), encode_row({0, 1}, value::of(line{})));
  });
  REQUIRE_FALSE(verify(*p.disk, the_system(), quiet).faults.empty());
  const auto report = rebuild_and_verify(*p.disk, the_system(), quiet);
  INFO(all_of(report));
  CHECK(report.faults.empty());
}

TEST_CASE("verify: given many faults, then the first are listed and all are counted") {
  auto disk = make_memory_store();
  hand h(*disk);
  for (std::uint64_t id = 1; id <= 300; ++id) h.add(cups, id, {made("010", 1)});
  h.flush();
  h.project();
  change(*disk, [](transaction& tx) {
    for (std::uint64_t id = 1; id <= 300; ++id) tx.erase(table::state, row_key({false, cups}, id));
  });
  const auto report = verify(*disk, the_system(), quiet);
  CHECK(report.faults.size() == verify_report::faults_max);
  CHECK(report.faults_total >= 300);
  CHECK(to_text(report).find("more faults") != std::string::npos);
}

TEST_CASE("verify: given another system's data or none, then that is said instead") {
  auto disk = make_memory_store();
  CHECK_THROWS_AS(verify(*disk, the_system(), quiet), storage_error);
  auto other = make_system();
  other.name = "other";
  prepare(*disk, other, partitions, the_history);
  CHECK_THROWS_AS(verify(*disk, the_system(), quiet), storage_error);
}

TEST_CASE("verify: given a journal entry that cannot be read, then it is told of once, and what lies behind it is looked at") {
  played p;
  const auto e = first_of(*p.disk, table::journal);
  change(*p.disk, [&](transaction& tx) {
    tx.put(table::journal, e.first, e.second.substr(0, 20));
    tx.put(table::deadletters, number_key(12345), "");
  });
  const auto report = verify(*p.disk, the_system(), quiet);
  const auto text = all_of(report);
  CHECK(text.find("cannot be read") != std::string::npos);
  CHECK(text.find("cannot be read") == text.rfind("cannot be read"));
  CHECK(text.find("Dead letter 12345 is not in the journal.") != std::string::npos);
  CHECK(report.records == 9);
}

TEST_CASE("restore: given any last offset, then the result is what was there at that moment") {
  // What the disk held after each record, with its views up to date.
  std::vector<std::map<std::pair<table, std::string>, std::string>> moments;
  std::vector<std::uint64_t> ends;
  auto disk = make_memory_store();
  hand h(*disk);
  play(h, [&] {
    auto copy = make_memory_store();
    change(*copy, [&](transaction& tx) {
      for (const auto& [k, v] : contents(*disk)) tx.put(k.first, k.second, v);
    });
    rebuild_views(*copy, the_system(), partitions, [](std::uint64_t) {});
    moments.push_back(by_record(*copy));
    ends.push_back(h.next_sequence() - 1);
  });

  for (std::uint64_t n = 1; n < h.next_sequence(); ++n) {
    auto to = make_memory_store();
    const auto report = restore(*disk, *to, the_system(), the_history, n, std::nullopt, quiet);
    const auto moment = static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), n) - ends.begin());
    INFO("to offset " << n);
    CHECK(report.last_offset == ends[moment]);
    CHECK(report.records == moment + 1);
    CHECK(by_record(*to) == moments[moment]);
    CHECK(all_of(verify(*to, the_system(), quiet)).empty());
  }
}

TEST_CASE("restore: given a time, then the first later record and all after it are left out") {
  auto disk = make_memory_store();
  hand h(*disk);
  for (std::uint64_t id = 1; id <= 6; ++id) {
    auto r = hand::step(cups, id, {made("010", 1)});
    r.at.ms = id == 5 ? 2500 : static_cast<std::int64_t>(id) * 1000;  // a clock that once went back
    h.write(std::move(r));
  }
  auto to = make_memory_store();
  const auto report = restore(*disk, *to, the_system(), the_history, std::nullopt, timestamp{3000}, quiet);
  CHECK(report.records == 3);
  CHECK(report.last_offset == 3);
  CHECK(to->read()->get(table::state, row_key({false, cups}, 3)));
  CHECK_FALSE(to->read()->get(table::state, row_key({false, cups}, 5)));
}

TEST_CASE("restore: given everything, then records go on where they ended") {
  played p;
  auto to = make_memory_store();
  const auto report = restore(*p.disk, *to, the_system(), the_history, std::nullopt, std::nullopt, quiet);
  CHECK(report.records == 10);
  log_writer log(*to, partitions, the_system().contexts.size());
  CHECK(log.next_sequence() == p.writer.next_sequence());
}

TEST_CASE("restore: given a backup, then what is restored begins another history, and goes on with it") {
  played p;
  CHECK(history_of(*p.disk) == "0123456789abcdef");
  auto to = make_memory_store();
  (void)restore(*p.disk, *to, the_system(), 0xb, std::nullopt, std::nullopt, quiet);
  CHECK(history_of(*to) == "000000000000000b");
  prepare(*to, the_system(), partitions, 0xc);
  CHECK(history_of(*to) == "000000000000000b");
  CHECK_THROWS_WITH(history_of(*make_memory_store()), Catch::Contains("does not name its history"));
}

TEST_CASE("restore: given a directory with something in it, no data, or a damaged record, then it is refused") {
  played p;
  auto full = make_memory_store();
  change(*full, [](transaction& tx) { tx.put(table::meta, "format", number_key(1)); });
  CHECK_THROWS_WITH(restore(*p.disk, *full, the_system(), the_history, std::nullopt, std::nullopt, quiet),
                    Catch::Contains("choose a new or empty one with --data"));

  auto nothing = make_memory_store(), to = make_memory_store();
  CHECK_THROWS_WITH(restore(*nothing, *to, the_system(), the_history, std::nullopt, std::nullopt, quiet), Catch::Contains("no crema data"));

  const auto e = first_of(*p.disk, table::journal);
  change(*p.disk, [&](transaction& tx) { tx.put(table::journal, e.first, flipped(e.second, 2)); });
  CHECK_THROWS_WITH(restore(*p.disk, *to, the_system(), the_history, std::nullopt, std::nullopt, quiet), Catch::Contains("is damaged"));
}
