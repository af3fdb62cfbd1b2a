// One aggregate's history, page by page: what is read, and how much is looked at for it.
#include <catch2/catch.hpp>

#include "storage/history.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/storage/small_system.hpp"

using namespace crema;
using namespace crema::storage;
using namespace small;

namespace {

/// Counts how often the journal is looked into: a record read is one look.
class counting_snapshot : public snapshot {
 public:
  explicit counting_snapshot(std::unique_ptr<snapshot> below) : below_(std::move(below)) {}
  std::optional<std::string_view> get(table t, std::string_view key) const override { return below_->get(t, key); }
  std::unique_ptr<cursor> open(table t) const override {
    if (t == table::journal) ++looks;
    return below_->open(t);
  }
  std::uint64_t count(table t) const override { return below_->count(t); }
  mutable std::size_t looks = 0;

 private:
  std::unique_ptr<snapshot> below_;
};

struct whole_history {
  std::vector<std::uint64_t> offsets;
  std::size_t looks = 0, looks_a_page_max = 0;
};

whole_history read_all(const store& disk, std::uint64_t id, std::uint64_t from = 0, std::uint32_t scan_limit = 10'000) {
  const auto types = the_system().catalog();
  event_query q;
  q.context = cups;
  q.id = id;
  q.from = from;
  q.scan_limit = scan_limit;
  whole_history all;
  for (bool at_end = false; !at_end;) {
    const counting_snapshot now(disk.read());  // as a reader has it: a new one for each page
    const auto page = read_history(now, types, q);
    for (const auto& e : page.events) all.offsets.push_back(e.offset);
    REQUIRE(page.events.size() <= q.limit);
    all.looks += now.looks;
    all.looks_a_page_max = std::max(all.looks_a_page_max, now.looks);
    q.from = page.next;
    q.trail = page.trail;
    at_end = page.at_end;
  }
  return all;
}

/// Cup 1 is filled `times` times, with others in between, now and then twice at once.
std::vector<std::uint64_t> fill_often(hand& h, int times) {
  std::vector<std::uint64_t> offsets;
  h.add(cups, 2, {made("020", 1)});
  for (int n = 0; n < times; ++n) {
    if (n % 3 == 0) h.add(cups, 2, {filled(1)});
    std::vector<value> events{n == 0 ? made("010", 1) : filled(1)};
    if (n % 5 == 4) events.push_back(filled(2));
    const auto r = h.add(cups, 1, events);
    for (std::uint64_t i = 0; i < r->width(); ++i) offsets.push_back(r->sequence + i);
    if (n % 50 == 49) h.flush();
  }
  h.flush();
  return offsets;
}

}  // namespace

TEST_CASE("history: given a long one, then each event comes once, in order, from wherever the reading begins") {
  auto disk = make_memory_store();
  hand h(*disk);
  const auto offsets = fill_often(h, 1000);
  CHECK(read_all(*disk, 1).offsets == offsets);
  for (const std::size_t skipped : {1UL, 63UL, 64UL, 65UL, 500UL, offsets.size() - 1, offsets.size()}) {
    const auto from = skipped < offsets.size() ? offsets[skipped] : offsets.back() + 1;
    CHECK(read_all(*disk, 1, from).offsets ==
          std::vector<std::uint64_t>(offsets.begin() + static_cast<std::ptrdiff_t>(skipped), offsets.end()));
  }
}

TEST_CASE("history: given a long one, then all its pages together look at each record some three times, and none at all of them") {
  auto disk = make_memory_store();
  hand h(*disk);
  fill_often(h, 2000);
  const auto all = read_all(*disk, 1, 0, 200);
  CHECK(all.looks <= 3 * 2000 + 100);
  CHECK(all.looks_a_page_max <= 200 + 2 * history_stride);
}

TEST_CASE("history: given a small limit on what is looked at, then the reading comes to its end nevertheless") {
  auto disk = make_memory_store();
  hand h(*disk);
  const auto offsets = fill_often(h, 300);
  for (const std::uint32_t limit : {1U, 2U, 7U, 65U}) CHECK(read_all(*disk, 1, 0, limit).offsets == offsets);
}

TEST_CASE("history: given events that come while it is read, then they are in the next reading") {
  auto disk = make_memory_store();
  hand h(*disk);
  const auto offsets = fill_often(h, 200);
  const auto types = the_system().catalog();
  event_query q;
  q.context = cups;
  q.id = 1;
  const auto first = read_history(*disk->read(), types, q);
  CHECK(first.events.size() == q.limit);
  const auto later = h.write(hand::step(cups, 1, {filled(1)}))->sequence;
  q.from = first.next;
  q.trail = first.trail;
  std::size_t found = first.events.size();
  for (bool at_end = false; !at_end;) {
    const auto page = read_history(*disk->read(), types, q);
    found += page.events.size();
    q.from = page.next;
    q.trail = page.trail;
    at_end = page.at_end;
  }
  CHECK(found == offsets.size());
  CHECK(read_all(*disk, 1, q.from).offsets == std::vector{later});
}

TEST_CASE("history: of what never recorded anything there is nothing, and nothing is looked at") {
  auto disk = make_memory_store();
  hand h(*disk);
  fill_often(h, 10);
  const auto none = read_all(*disk, 99);
  CHECK(none.offsets.empty());
  CHECK(none.looks == 0);
}
