#include "storage/projection.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "storage/queries.hpp"
#include "tests/storage/small_system.hpp"

using namespace small;

namespace {

// A journal, and the views of the desk beside it: fed by hand, written when told to.
struct bench {
  explicit bench(std::unique_ptr<store> s = make_memory_store()) : disk(std::move(s)) {}

  std::unique_ptr<store> disk;
  hand h{*disk};
  type_catalog types = the_system().catalog();
  std::unique_ptr<projection> views = std::make_unique<projection>(the_system(), desk, *disk, types);

  std::shared_ptr<const journal_record> apply(journal_record r) {
    auto written = h.write(std::move(r));
    views->apply(written);
    return written;
  }
  bool write() {
    auto item = views->take();
    if (item) h.log().write({&*item, 1});
    return item.has_value();
  }
  void restart() { views = std::make_unique<projection>(the_system(), desk, *disk, types); }

  std::vector<std::int64_t> totals() const {
    std::vector<std::int64_t> all;
    const auto rows = list_rows(*disk->read(), the_system().views[lines].resource, {true, lines}, {}, 0);
    for (const auto& r : rows->rows) all.push_back(r.row.as<line>()->total);
    return all;
  }
};

using numbers = std::vector<std::int64_t>;

journal_record held_step(std::uint64_t id, std::vector<value> events) {
  auto r = hand::step(cups, id, std::move(events));
  r.held = hold_of(id);
  return r;
}

journal_record confirming(std::uint64_t id, const journal_record& held) {
  auto r = hand::step(tallies, id, {value::of(tallied{"may", 1})}, "may");
  r.confirmed = {held.hold_ref()};
  return r;
}

// Fields of all view rows, their index entries and counts: everything but the rows' versions.
std::vector<std::string> views_on(const store& s) {
  std::vector<std::string> all;
  for (const auto& [k, v] : contents(s)) {
    if (k.first == table::index && owner_of(k.second).kind == 'v') all.push_back(k.second);
    if (k.first == table::meta && k.second.find("view") != std::string::npos) all.push_back(k.second + v);
    if (k.first == table::views) {
      const auto& type = *the_system().views[k.second[1] == lines ? lines : shelves].resource.row;
      all.push_back(k.second + encode_row({0, 0}, decode_row(type, 0, v).row));
    }
  }
  return all;
}

}  // namespace

TEST_CASE("projection: given a provisional step, then it is shown once a later record confirms it") {
  bench b;
  const auto held = b.apply(held_step(1, {made("010", 5)}));
  CHECK(b.write());  // the checkpoint remembers it
  CHECK(b.totals().empty());
  b.apply(confirming(7, *held));
  CHECK(b.write());
  CHECK(b.totals() == numbers{5});
}

TEST_CASE("projection: given a provisional step that is undone, then neither it nor what undid it is ever shown") {
  bench b;
  const auto held = b.apply(held_step(1, {made("010", 5)}));
  auto undo = hand::step(cups, 1, {filled(-5)});
  undo.consumed = {held->hold_ref()};
  undo.compensating = true;
  b.apply(std::move(undo));
  b.write();
  CHECK(b.totals().empty());
  b.apply(hand::step(cups, 2, {made("020", 3)}));
  b.write();
  CHECK(b.totals() == numbers{3});
}

TEST_CASE("projection: given a step confirmed by one that is itself provisional, then both wait for the last word") {
  bench b;
  const auto inner = b.apply(held_step(1, {made("010", 5)}));
  auto middle = held_step(2, {made("020", 6)});
  middle.confirmed = {inner->hold_ref()};
  const auto outer = b.apply(std::move(middle));
  b.write();
  CHECK(b.totals().empty());

  SECTION("confirmed") {
    b.apply(confirming(7, *outer));
    b.write();
    CHECK(b.totals() == numbers{5, 6});
  }
  SECTION("undone") {
    auto undo = hand::step(cups, 2, {});
    undo.consumed = {outer->hold_ref()};
    undo.compensating = true;
    b.apply(std::move(undo));
    b.write();
    CHECK(b.totals().empty());
  }
}

TEST_CASE("projection: the last row is found on disk, among the changes not yet written, and after one was erased") {
  bench b;
  b.apply(hand::step(cups, 1, {made("010", 1)}));
  b.write();
  b.apply(hand::step(cups, 1, {filled(10)}));   // the last is on disk
  b.apply(hand::step(cups, 1, {filled(100)}));  // the last is not
  b.apply(hand::step(cups, 2, {made("010", 7)}));
  b.write();
  CHECK(b.totals() == numbers{1, 11, 111, 7});
  b.apply(hand::step(cups, 1, {filled(1000)}));
  b.write();
  CHECK(b.totals() == numbers{1, 11, 111, 7, 1111});
}

namespace {

// Counts who looks through an index.
class counting_store final : public store {
 public:
  mutable std::size_t index_cursors = 0;

  std::unique_ptr<snapshot> read() const override { return std::make_unique<counting_snapshot>(below_->read(), index_cursors); }
  std::unique_ptr<transaction> write() override { return below_->write(); }
  void copy_to(const std::filesystem::path& directory, const std::stop_token& stop) const override { below_->copy_to(directory, stop); }
  store_usage usage() const override { return below_->usage(); }
  shortage short_of() const noexcept override { return below_->short_of(); }
  void make_room() noexcept override { below_->make_room(); }

 private:
  class counting_snapshot final : public snapshot {
   public:
    counting_snapshot(std::unique_ptr<snapshot> below, std::size_t& count) : below_(std::move(below)), count_(count) {}
    std::optional<std::string_view> get(table t, std::string_view key) const override { return below_->get(t, key); }
    std::unique_ptr<cursor> open(table t) const override {
      count_ += t == table::index ? 1 : 0;
      return below_->open(t);
    }
    std::uint64_t count(table t) const override { return below_->count(t); }

   private:
    std::unique_ptr<snapshot> below_;
    std::size_t& count_;
  };

  std::unique_ptr<store> below_ = make_memory_store();
};

}  // namespace

TEST_CASE("projection: given many rows for one customer, then their index on disk is looked through once between two writes") {
  auto disk = std::make_unique<counting_store>();
  const auto& looks = disk->index_cursors;
  bench b{std::move(disk)};
  numbers wanted;
  for (std::int64_t round = 1; round <= 3; ++round) {
    for (std::int64_t i = 1; i <= 6; ++i) {
      b.apply(hand::step(cups, 1, {i == 1 && round == 1 ? made("010", 1) : filled(1)}));
      wanted.push_back(static_cast<std::int64_t>(wanted.size()) + 1);
    }
    CHECK(b.write());
    CHECK(looks == static_cast<std::size_t>(round));
  }
  CHECK(b.totals() == wanted);
}

TEST_CASE("projection: given a row that is found by the same as before, then its index entry is not written again") {
  bench b;
  b.apply(hand::step(cups, 1, {made("010", 1)}));
  b.write();
  using puts_and_erasures = std::vector<std::ptrdiff_t>;
  const auto changes_of_shelf = [&](const std::string& phone) {
    b.apply(hand::step(cups, 1, {made(phone, 1)}));
    auto item = b.views->take();
    const auto count = [](const auto& keys) {
      return std::count_if(keys.begin(), keys.end(), [](const auto& k) { return owner_of(k).index == shelves; });
    };
    const puts_and_erasures counts{count(item->index_put), count(item->index_erase)};
    b.h.log().write({&*item, 1});
    return counts;
  };
  CHECK(changes_of_shelf("010") == puts_and_erasures{0, 0});
  CHECK(changes_of_shelf("020") == puts_and_erasures{1, 1});
}

TEST_CASE("projection: given a row put and erased before it is written, then nothing of it stays") {
  bench b;
  b.apply(hand::step(cups, 1, {made("010", 1), broken()}));
  b.write();
  CHECK(read_number(*b.disk->read(), table::meta, row_count_key({true, shelves})).value_or(0) == 0);
  CHECK_FALSE(b.disk->read()->get(table::views, row_key({true, shelves}, 1)));
}

TEST_CASE("projection: given a restart while a step is pending, then the checkpoint brings it back") {
  bench b;
  const auto held = b.apply(held_step(1, {made("010", 5)}));
  b.write();
  const auto stood_at = b.views->position();
  b.restart();
  CHECK(b.views->position() == stood_at);
  b.apply(confirming(7, *held));
  b.write();
  CHECK(b.totals() == numbers{5});
}

TEST_CASE("projection: given records again that it has taken in, then they change nothing") {
  bench b;
  const auto r = b.apply(hand::step(cups, 1, {made("010", 5)}));
  b.write();
  b.restart();
  b.views->apply(r);
  CHECK_FALSE(b.write());
  CHECK(b.totals() == numbers{5});
}

TEST_CASE("projection: given a record that is left out, then the ones after it are taken in") {
  bench b;
  b.views->skip(2);
  b.apply(hand::step(cups, 1, {made("010", 1)}));
  b.apply(hand::step(cups, 2, {made("010", 2)}));
  b.apply(hand::step(cups, 3, {made("010", 3)}));
  b.write();
  CHECK(b.totals() == numbers{1, 3});
}

TEST_CASE("projection: given records without anything to show, then nothing is written") {
  bench b;
  b.apply(hand::step(tallies, 7, {value::of(tallied{"may", 1})}, "may"));
  CHECK_FALSE(b.write());
}

TEST_CASE("projection: views rebuilt are those that were kept, whatever the size of the steps in between") {
  bench b;
  std::shared_ptr<const journal_record> held;
  for (std::uint64_t n = 1; n <= 60; ++n) {
    const auto id = n % 9 + 1;
    if (n % 10 == 3)
      held = b.apply(held_step(id, {made("01" + std::to_string(n % 3), 1)}));
    else if (n % 10 == 6)
      b.apply(confirming(7, *held));
    else
      b.apply(hand::step(cups, id, {n % 7 == 0 ? broken() : n % 3 == 0 ? made("02", 2) : filled(1)}));
    if (n % 4 == 0) b.write();
    if (n % 13 == 0) {
      b.write();
      b.restart();
    }
  }
  b.write();
  const auto kept = views_on(*b.disk);
  REQUIRE(kept.size() > 20);
  rebuild_views(*b.disk, the_system(), partitions, [](std::uint64_t) {});
  CHECK(views_on(*b.disk) == kept);
}
