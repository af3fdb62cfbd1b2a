// The log writer and reader, and the queries on what they wrote.
#include "storage/log.hpp"

#include <catch2/catch.hpp>

#include "storage/queries.hpp"
#include "tests/storage/small_system.hpp"

using namespace small;

namespace {

std::uint64_t count(const store& s, table t) { return s.read()->count(t); }

std::vector<std::uint64_t> sequences_from(const store& s, std::uint64_t from) {
  std::vector<std::uint64_t> all;
  const auto now = s.read();
  log_reader log(*now, from);
  while (const auto r = log.next()) all.push_back(r->sequence);
  return all;
}

const context_declaration& cup_context() { return the_system().contexts[cups]; }

std::vector<std::uint64_t> ids(const page& p) {
  std::vector<std::uint64_t> all;
  for (const auto& r : p.rows) all.push_back(r.id);
  return all;
}

using id_list = std::vector<std::uint64_t>;

page_request page_of(std::uint64_t offset, std::uint32_t limit) {
  page_request r;
  r.offset = offset;
  r.limit = limit;
  return r;
}

// Cups 1 … 5 with quantities 50, 40 … 10; the first two belong to 010, cup 3 has a discount.
std::unique_ptr<store> five_cups() {
  auto disk = make_memory_store();
  hand h(*disk);
  for (std::uint64_t id = 1; id <= 5; ++id) {
    std::vector<value> events{made(id <= 2 ? "010" : "020", static_cast<std::int64_t>(60 - 10 * id))};
    if (id == 3) events.push_back(filled(0, 7));
    h.add(cups, id, std::move(events));
  }
  h.flush();
  return disk;
}

}  // namespace

// ---- the outbox

TEST_CASE("log: given a message put and consumed in one batch, then the outbox never saw it") {
  auto disk = make_memory_store();
  hand h(*disk);
  auto first = hand::step(cups, 1, {made("010", 1)});
  first.messages = {message_to(2, 1), message_to(3, 1)};
  const auto put = h.add(std::move(first));
  auto second = hand::step(cups, 2, {made("020", 1)});
  second.consumed = {put->messages[0].ref};
  h.add(std::move(second));
  h.flush();
  REQUIRE(count(*disk, table::outbox) == 1);
  const auto now = disk->read();
  const auto c = now->open(table::outbox);
  REQUIRE(c->seek({}));
  CHECK(parse_outbox_key(c->key()) == put->messages[1].ref);
}

TEST_CASE("log: given a hold put in one batch and confirmed in a later one, then it waits on disk in between") {
  auto disk = make_memory_store();
  hand h(*disk);
  auto asked = hand::step(cups, 1, {made("010", 1)});
  asked.held = hold_of(1, {message_to(2, 9)});
  const auto held = h.write(std::move(asked));
  REQUIRE(count(*disk, table::outbox) == 1);
  const auto stored = std::string(*disk->read()->get(table::outbox, outbox_key(held->hold_ref())));
  CHECK(stored.front() == '\1');
  const auto back = decode_hold(std::string_view(stored).substr(1), the_system().catalog());
  CHECK(back.undo.as<fill_cup>() != nullptr);
  REQUIRE(back.messages.size() == 1);
  CHECK(back.messages[0].causation == held->sequence);

  auto confirming = hand::step(cups, 3, {made("030", 1)});
  confirming.confirmed = {held->hold_ref()};
  confirming.messages = held->held->messages;
  const auto last = h.write(std::move(confirming));
  REQUIRE(count(*disk, table::outbox) == 1);  // the hold is gone; its message is the asker's now
  CHECK(disk->read()->get(table::outbox, outbox_key(last->messages[0].ref)));
}

TEST_CASE("log: given a timer, when it fires, then it leaves the timers and its message is in the outbox") {
  for (const bool in_one_batch : {false, true}) {
    auto disk = make_memory_store();
    hand h(*disk);
    auto first = hand::step(cups, 1, {made("010", 1)});
    first.messages = {message_to(1, 1, 5000)};
    const auto set = h.add(std::move(first));
    if (!in_one_batch) {
      h.flush();
      CHECK(count(*disk, table::timers) == 1);
      CHECK(count(*disk, table::outbox) == 0);
    }
    auto fired = hand::step(cups, 1, {});
    fired.fired = {{5000, set->messages[0].ref.id}};
    fired.messages = {message_to(1, 1)};
    h.add(std::move(fired));
    h.flush();
    CHECK(count(*disk, table::timers) == 0);
    CHECK(count(*disk, table::outbox) == 1);
  }
}

// ---- the chain

TEST_CASE("log: given a reopened store, then the chain and the numbers go on where they ended") {
  auto disk = make_memory_store();
  {
    hand h(*disk);
    h.add(cups, 4, {made("010", 1), filled(1)});
    h.add(cups, 8, {made("010", 1)});
    h.flush();
  }
  log_writer again(*disk, partitions, the_system().contexts.size());
  CHECK(again.next_sequence() == 4);
  auto r = std::make_shared<journal_record>(hand::step(cups, 4, {filled(1)}));
  r->sequence = 4;
  commit_item item;
  item.body = encode_body(*r);
  item.record = r;
  again.write({&item, 1});

  const auto now = disk->read();
  std::uint64_t chain = 0;
  int n = 0;
  log_reader log(*now, 0);
  while (const auto raw = log.next()) {
    CHECK(raw->intact());
    CHECK(raw->previous_checksum == chain);
    chain = raw->checksum;
    ++n;
  }
  CHECK(n == 3);
  CHECK(read_number(*now, table::meta, counter_key(cups)) == 8U);
}

TEST_CASE("log: given a damaged tail, then the writer does not go on after it") {
  auto disk = make_memory_store();
  {
    hand h(*disk);
    h.write(hand::step(cups, 4, {made("010", 1)}));
  }
  const auto tx = disk->write();
  auto bytes = std::string(*tx->get(table::journal, journal_key(1)));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  tx->put(table::journal, journal_key(1), bytes);
  tx->commit();
  try {
    log_writer refused(*disk, partitions, the_system().contexts.size());
    FAIL("it went on");
  } catch (const storage_error& e) {
    CHECK(e.code() == storage_errc::corrupt);
    CHECK(std::string(e.what()).find("partition 0") != std::string::npos);
  }
}

TEST_CASE("log: given a journal without the last record that was noted, then the writer does not go on") {
  auto disk = make_memory_store();
  {
    hand h(*disk);
    h.write(hand::step(cups, 4, {made("010", 1)}));
  }
  const auto tx = disk->write();
  REQUIRE(tx->erase(table::journal, journal_key(1)));
  tx->commit();
  CHECK_THROWS_WITH(log_writer(*disk, partitions, the_system().contexts.size()), Catch::Contains("the last record of partition 0"));
}

TEST_CASE("log: given records of several partitions, then they are read in log order, and an offset inside a record leads to it") {
  auto disk = make_memory_store();
  hand h(*disk);
  h.add(cups, 1, {made("010", 1), filled(1), filled(1)});  // 1 … 3
  h.add(cups, 2, {made("010", 1)});                        // 4
  h.add(cups, 5, {made("010", 1), filled(1)});             // 5, 6, in the partition of cup 1
  h.add(cups, 3, {made("010", 1)});                        // 7
  h.flush();
  CHECK(sequences_from(*disk, 0) == std::vector<std::uint64_t>{1, 4, 5, 7});
  CHECK(sequences_from(*disk, 2).front() == 1);
  CHECK(sequences_from(*disk, 6) == std::vector<std::uint64_t>{5, 7});
  CHECK(sequences_from(*disk, 99) == std::vector<std::uint64_t>{7});

  event_query q;
  q.from = 2;
  const auto page = read_events(*disk->read(), the_system().catalog(), q);
  REQUIRE(page.events.size() == 6);
  CHECK(page.events.front().offset == 2);
  CHECK(page.events.front().event.as<cup_filled>() != nullptr);
  CHECK(page.next == 8);
  CHECK(page.at_end);
}

// ---- derived rows

TEST_CASE("log: given an aggregate that goes and comes back, then row, count and index follow") {
  auto disk = make_memory_store();
  hand h(*disk);
  h.write(hand::step(cups, 1, {made("010", 1)}));
  const auto rows = [&] { return read_number(*disk->read(), table::meta, row_count_key({false, cups})).value_or(0); };
  const auto there = [&](collection_ref c) { return disk->read()->get(table::state, row_key(c, 1)).has_value(); };
  CHECK(rows() == 1);
  h.write(hand::step(cups, 1, {broken()}));
  CHECK(rows() == 0);
  CHECK_FALSE(there({false, cups}));
  CHECK(there(graveyard_of(cups)));
  CHECK(count(*disk, table::index) == 0);
  h.write(hand::step(cups, 1, {made("020", 1)}));
  CHECK(rows() == 1);
  CHECK(there({false, cups}));
  CHECK_FALSE(there(graveyard_of(cups)));
  CHECK(count(*disk, table::index) == cup_context().resource->finders.size());
}

TEST_CASE("log: given changes of one row in one batch, then the last one and its index entries stay") {
  auto disk = make_memory_store();
  hand h(*disk);
  h.add(cups, 1, {made("010", 1)});
  h.add(cups, 1, {filled(5)});
  h.add(cups, 1, {filled(5)});
  h.flush();
  const auto row = read_row(*disk->read(), *cup_context().state, {false, cups}, 1);
  REQUIRE(row);
  CHECK(row->version == 3);
  CHECK(row->row.as<cup>()->qty == 11);
  CHECK(count(*disk, table::index) == cup_context().resource->finders.size());
}

TEST_CASE("log: given an idempotency key, then the answer is kept with it, also of a step without events") {
  auto disk = make_memory_store();
  hand h(*disk);
  auto first = hand::step(cups, 1, {made("010", 1)});
  first.idempotency = key_of(1);
  h.write(std::move(first));
  h.write(hand::step(cups, 1, {filled(1)}));
  auto unchanged = hand::step(cups, 1, {});
  unchanged.idempotency = key_of(2);
  h.write(std::move(unchanged));
  const auto answer = [&](std::uint8_t n) {
    const auto k = key_of(n).key;
    const auto bytes = std::string(*disk->read()->get(table::idempotency, {reinterpret_cast<const char*>(k.data()), k.size()}));
    const auto e = decode_idempotency(bytes);
    CHECK(e.fingerprint == 1000U + n);
    return decode_row(*cup_context().state, e.id, e.row_bytes).row.as<cup>()->qty;
  };
  CHECK(answer(1) == 1);
  CHECK(answer(2) == 2);
}

// ---- queries

TEST_CASE("queries: a page counts from the oldest or the newest and knows the total") {
  const auto disk = five_cups();
  const auto now = disk->read();
  const auto& r = *cup_context().resource;
  const auto list = [&](page_request q) { return list_rows(*now, r, {false, cups}, q, 100); };
  CHECK(ids(*list(page_of(0, 2))) == id_list{1, 2});
  CHECK(ids(*list(page_of(4, 2))) == id_list{5});
  CHECK(ids(*list(page_of(5, 2))).empty());
  CHECK(list(page_of(5, 2))->total == 5);
  auto newest = page_of(1, 2);
  newest.sort = {{{}, true}};
  CHECK(ids(*list(newest)) == id_list{4, 3});
}

TEST_CASE("queries: a page sorted by a field, and the limit of rows that are sorted") {
  const auto disk = five_cups();
  const auto now = disk->read();
  const auto& r = *cup_context().resource;
  auto q = page_of(1, 3);
  q.sort = {{1, false}};
  CHECK(ids(*list_rows(*now, r, {false, cups}, q, 5)) == id_list{4, 3, 2});
  q.sort = {{1, true}};
  CHECK(ids(*list_rows(*now, r, {false, cups}, q, 5)) == id_list{2, 3, 4});
  q.offset = 9;
  CHECK(list_rows(*now, r, {false, cups}, q, 5)->rows.empty());
  const auto refused = list_rows(*now, r, {false, cups}, q, 4);
  REQUIRE_FALSE(refused);
  CHECK(refused.why().detail.find("runtime.sortRowsMax 4") != std::string::npos);
}

TEST_CASE("queries: a finder by equality, from either end") {
  const auto disk = five_cups();
  const auto now = disk->read();
  const auto& r = *cup_context().resource;
  const auto find = [&](std::string_view phone, page_request q, bool newest) {
    q.sort = {{{}, newest}};
    return ids(*find_rows(*now, r, {false, cups}, r.finders[0], {phone}, q, 0));  // nothing is sorted: no limit counts
  };
  CHECK(find("020", page_of(0, 9), false) == id_list{3, 4, 5});
  CHECK(find("020", page_of(0, 1), true) == id_list{5});
  CHECK(find("020", page_of(1, 9), true) == id_list{4, 3});
  CHECK(find("02", page_of(0, 9), false).empty());
  CHECK(find("0200", page_of(0, 9), false).empty());
}

TEST_CASE("queries: several sort keys count in order, each in its direction, null first") {
  auto disk = make_memory_store();
  hand h(*disk);
  const std::pair<const char*, std::int64_t> cup_facts[] = {{"b", 2}, {"a", 1}, {"ab", 1}, {"a", 2}, {"b", 1}};
  for (std::uint64_t id = 1; id <= 5; ++id) {
    std::vector<value> events{made(cup_facts[id - 1].first, cup_facts[id - 1].second)};
    if (id % 2 == 0) events.push_back(filled(0, 5));
    h.add(cups, id, std::move(events));
  }
  h.flush();
  const auto now = disk->read();
  const auto& r = *cup_context().resource;
  const auto sorted = [&](std::vector<sort_key> by) {
    auto q = page_of(0, 9);
    q.sort = std::move(by);
    return ids(*list_rows(*now, r, {false, cups}, q, 5));
  };
  CHECK(sorted({{0, false}, {1, false}}) == id_list{2, 4, 3, 5, 1});
  CHECK(sorted({{0, true}, {1, false}}) == id_list{5, 1, 3, 2, 4});
  CHECK(sorted({{0, false}, {{}, true}}) == id_list{4, 2, 3, 5, 1});
  CHECK(sorted({{1, true}}) == id_list{1, 4, 2, 3, 5});
  CHECK(sorted({{2, false}, {0, true}}) == id_list{1, 5, 3, 2, 4});
  CHECK(sorted({{2, true}, {{}, false}}) == id_list{2, 4, 1, 3, 5});
}

TEST_CASE("queries: a finder sorts, counts all matches, and gives up where there are more than it may look at") {
  const auto disk = five_cups();
  const auto now = disk->read();
  const auto& r = *cup_context().resource;
  const auto find = [&](page_request q, std::uint64_t sort_rows_max) {
    return find_rows(*now, r, {false, cups}, r.finders[0], {std::string_view("020")}, q, sort_rows_max);
  };
  auto q = page_of(1, 1);
  q.sort = {{1, false}};  // quantities fall with the numbers
  const auto page = find(q, 3);
  CHECK(ids(*page) == id_list{4});
  CHECK(page->total == 3);
  const auto refused = find(q, 2);
  REQUIRE_FALSE(refused);
  CHECK(refused.why().detail.find("runtime.sortRowsMax 2") != std::string::npos);

  q = page_of(0, 1);
  q.scan_limit = 3;
  CHECK(find(q, 0)->complete);
  CHECK(find(q, 0)->total == 3);
  q.scan_limit = 2;
  CHECK_FALSE(find(q, 0)->complete);

  const auto bounded = [&](std::vector<sort_key> by) {  // as stored it would be 5, 4, 3
    auto by_number = page_of(0, 9);
    by_number.sort = std::move(by);
    return ids(*find_rows(*now, r, {false, cups}, r.finders[1], {std::int64_t{30}}, by_number, 3));
  };
  CHECK(bounded({{{}, false}}) == id_list{3, 4, 5});
  CHECK(bounded({{{}, true}}) == id_list{5, 4, 3});
}

TEST_CASE("queries: a finder with an upper bound includes it, and leaves out rows without a value") {
  const auto disk = five_cups();
  const auto now = disk->read();
  const auto& r = *cup_context().resource;
  const auto find = [&](std::size_t finder, std::int64_t most) {
    return ids(*find_rows(*now, r, {false, cups}, r.finders[finder], {most}, page_of(0, 9), 9));
  };
  CHECK(find(1, 30) == id_list{5, 4, 3});
  CHECK(find(1, 29) == id_list{5, 4});
  CHECK(find(1, -1).empty());
  CHECK(find(2, 100) == id_list{3});
  CHECK(find(2, 6).empty());
}

TEST_CASE("queries: the event feed stops at its limits and says where to read on") {
  auto disk = make_memory_store();
  hand h(*disk);
  h.add(cups, 1, {made("010", 1), filled(1), filled(1)});  // 1 … 3
  h.add(cups, 2, {made("010", 1)});                        // 4
  h.add(hand::step(cups, 2, {}));                          // 5: bookkeeping
  h.add(cups, 2, {filled(2)});                             // 6
  h.flush();
  const auto now = disk->read();
  const auto types = the_system().catalog();
  event_query q;
  q.limit = 2;
  const auto first = read_events(*now, types, q);
  CHECK(first.events.size() == 2);
  CHECK(first.next == 3);
  CHECK_FALSE(first.at_end);

  q.from = 5;
  const auto last = read_events(*now, types, q);
  REQUIRE(last.events.size() == 1);
  CHECK(last.events[0].offset == 6);
  CHECK(last.next == 7);

  q = {};
  q.type = "CupFilled";
  q.scan_limit = 4;
  const auto looked = read_events(*now, types, q);
  CHECK(looked.events.size() == 2);
  CHECK(looked.next == 5);
  CHECK_FALSE(looked.at_end);

  q = {};
  q.context = cups;
  q.id = 2;
  const auto own = read_events(*now, types, q);
  REQUIRE(own.events.size() == 2);
  CHECK(own.events[0].offset == 4);
  CHECK(own.events[1].offset == 6);
  CHECK(own.at_end);
}
