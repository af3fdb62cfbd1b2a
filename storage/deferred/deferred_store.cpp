#include "storage/deferred/deferred_store.hpp"

#include <algorithm>
#include <forward_list>
#include <stdexcept>

#include "behaviors/core/codec.hpp"
#include "storage/deferred/deferred_row.hpp"
#include "storage/deferred/recent_entries.hpp"
#include "storage/layout.hpp"
#include "storage/wrapping_store.hpp"

namespace crema::storage {

namespace {

constexpr auto scattered = table::index;
// Of `deferred`: how far the moves have come, and the number of the last commit with changes or moves; those count from 1. Behind all
// rows, so that it lies on the page that the next row goes to.
constexpr std::uint64_t commit_row = ~std::uint64_t{0};
// Rows that nobody needs lie far from where rows are added: only every so many commits lets some go, so that the others do not write
// that page. By one of these at most twice as many as come, so that none pile up.
constexpr std::uint64_t rows_go_each = 16;

// How far the moves have come, and the number of the commit that brought them there.
std::string encode_commit_row(const moves_position& moves, std::uint64_t commit) {
  return number_key(moves.round) + moves.after + number_key(commit);
}

moves_position moves_of(std::string_view commit_row_value) {
  constexpr auto number = sizeof(std::uint64_t);
  if (commit_row_value.size() < 2 * number) throw decode_error("the row of the last commit is too short");
  return {tail_number(commit_row_value.substr(0, number)),
          std::string(commit_row_value.substr(number, commit_row_value.size() - 2 * number))};
}

void move_into_place(transaction& tx, std::string_view key, const std::optional<std::string_view>& value) {
  if (value)
    tx.put(scattered, key, *value);
  else
    (void)tx.erase(scattered, key);
}

// ---- reading the two as one

// What lies over the wrapped table: entries as one commit left them, and a transaction's own changes before those.
struct overlay {
  const recent_entries* recent;
  std::uint64_t at;
  const key_changes* own = nullptr;

  using entry = recent_entries::entry;
  std::optional<std::optional<std::string>> find(std::string_view key) const {
    if (own != nullptr)
      if (const auto mine = own->find(key); mine != own->end()) return mine->second;
    return recent->find(key, at);
  }
  std::optional<entry> first_from(std::string_view key) const {
    return nearer(own == nullptr ? std::nullopt : up(own->lower_bound(key)), recent->first_from(key, at), false);
  }
  std::optional<entry> first_after(std::string_view key) const {
    return nearer(own == nullptr ? std::nullopt : up(own->upper_bound(key)), recent->first_after(key, at), false);
  }
  std::optional<entry> last_before(std::string_view key) const {
    std::optional<entry> mine;
    if (own != nullptr)
      if (const auto from = own->lower_bound(key); from != own->begin()) mine = *std::prev(from);
    return nearer(std::move(mine), recent->last_before(key, at), true);
  }

 private:
  std::optional<entry> up(key_changes::const_iterator from) const {
    return from == own->end() ? std::nullopt : std::optional<entry>(*from);
  }
  static std::optional<entry> nearer(std::optional<entry> mine, std::optional<entry> other, bool down) {
    if (!mine || !other) return mine ? mine : other;
    if (mine->first == other->first) return mine;
    return (mine->first < other->first) != down ? mine : other;
  }
};

class merged_cursor final : public cursor {
 public:
  merged_cursor(std::unique_ptr<cursor> below, overlay over) : below_(std::move(below)), over_(over) {}

  bool seek(std::string_view key) override { return settle_up(below_->seek(key), over_.first_from(key)); }
  bool next() override {
    if (place_ == place::end) return false;
    if (place_ == place::begin) return seek({});
    const std::string from = key_;
    bool there = is_below(side::ahead) ? there_ : below_->seek(from);
    if (there && below_->key() == from) there = below_->next();
    return settle_up(there, over_.first_after(from));
  }
  bool prev() override {
    if (place_ == place::begin) return false;
    const bool at_end = place_ == place::end;
    const std::string from = at_end ? std::string(max_key_bytes, '\xFF') : key_;
    bool there = !at_end && is_below(side::behind) ? there_ : below_->seek_before(from);
    if (there && below_->key() == from) there = below_->prev();
    return settle_down(there, over_.last_before(from));
  }
  bool seek_before(std::string_view key) override { return settle_down(below_->seek_before(key), over_.last_before(key)); }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return own_value_ ? std::string_view(*own_value_) : below_->value(); }

 private:
  enum class place : std::uint8_t { begin, on, end };
  enum class side : std::uint8_t { ahead, behind };

  // Whether below_ stands on its nearest key on this side, or at its end: a walk need not look for that anew. Below a transaction, keys
  // come and go.
  bool is_below(side s) const { return side_ == s && over_.own == nullptr; }
  bool settle_up(bool there, std::optional<overlay::entry> over) {
    side_ = side::ahead;
    for (there_ = there; there_ || over; over = over_.first_after(over->first)) {
      if (!over || (there_ && below_->key() < over->first)) return stand_below();
      if (there_ && below_->key() == over->first) there_ = below_->next();
      if (over->second) return stand_over(std::move(*over));
    }
    place_ = place::end;
    return false;
  }
  bool settle_down(bool there, std::optional<overlay::entry> over) {
    side_ = side::behind;
    for (there_ = there; there_ || over; over = over_.last_before(over->first)) {
      if (!over || (there_ && below_->key() > over->first)) return stand_below();
      if (there_ && below_->key() == over->first) there_ = below_->prev();
      if (over->second) return stand_over(std::move(*over));
    }
    place_ = place::begin;
    return false;
  }
  bool stand_below() {
    place_ = place::on;
    key_ = below_->key();
    own_value_.reset();
    return true;
  }
  bool stand_over(overlay::entry e) {
    place_ = place::on;
    key_ = std::move(e.first);
    own_value_ = std::move(e.second);
    return true;
  }

  std::unique_ptr<cursor> below_;
  const overlay over_;
  place place_ = place::begin;
  side side_ = side::ahead;  // of key_, where below_ stands
  bool there_ = false;       // below_ stands on a key
  std::string key_;
  std::optional<std::string> own_value_;
};

// The wrapped store's reads with the overlay before its scattered table.
class merged_reads {
 public:
  std::optional<std::string_view> get(const snapshot& below, const overlay& over, std::string_view key) const {
    auto change = over.find(key);
    if (!change) return below.get(scattered, key);
    if (!*change) return std::nullopt;
    return held_.emplace_front(std::move(**change));
  }
  static std::unique_ptr<cursor> open(const snapshot& below, const overlay& over) {
    if (over.own == nullptr && over.recent->empty()) return below.open(scattered);  // what comes now is of a later commit
    return std::make_unique<merged_cursor>(below.open(scattered), over);
  }
  static std::uint64_t count(const snapshot& below, const overlay& over) {
    auto n = below.count(scattered);
    for (auto e = over.first_from({}); e; e = over.first_after(e->first)) {
      const bool there = below.get(scattered, e->first).has_value();
      if (e->second && !there) ++n;
      if (!e->second && there) --n;
    }
    return n;
  }

 private:
  mutable std::forward_list<std::string> held_;  // what get() gave away
};

class deferred_snapshot final : public snapshot {
 public:
  deferred_snapshot(const store& below, recent_entries& recent) : recent_(recent), entered_(recent.enter()), below_(below.read()) {}
  ~deferred_snapshot() override { recent_.leave(entered_); }
  deferred_snapshot(const deferred_snapshot&) = delete;
  deferred_snapshot& operator=(const deferred_snapshot&) = delete;

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    return t == scattered ? reads_.get(*below_, over(), key) : below_->get(t, key);
  }
  std::unique_ptr<cursor> open(table t) const override { return t == scattered ? merged_reads::open(*below_, over()) : below_->open(t); }
  std::uint64_t count(table t) const override { return t == scattered ? merged_reads::count(*below_, over()) : below_->count(t); }

 private:
  // The commit that the wrapped snapshot shows is written in it.
  overlay over() const {
    if (!commit_) commit_ = read_number(*below_, table::deferred, number_key(commit_row)).value_or(0);
    return {&recent_, *commit_};
  }

  recent_entries& recent_;
  const std::uint64_t entered_;
  const std::unique_ptr<snapshot> below_;
  mutable std::optional<std::uint64_t> commit_;
  merged_reads reads_;
};

// ---- writing

// Which entries a commit moves, and which rows of `deferred` nobody needs any more. A commit that fails leaves it as it was.
class mover {
 public:
  explicit mover(std::size_t entries_max) : entries_max_(entries_max) {}

  recent_entries::run choose(const recent_entries& recent, const key_changes& changing) {
    if (recent.unmoved() + changing.size() <= entries_max_) return {};
    const auto count = changing.size() + changing.size() / 4 + 16;
    auto run = recent.run_after(at_.after, count, changing);
    if (run.upto)
      at_.after = *run.upto;
    else
      at_ = {at_.round + 1, {}};
    return run;
  }
  void begin(std::uint64_t first_row, moves_position at) {
    first_row_ = first_row;
    at_ = std::move(at);
  }
  const moves_position& at() const noexcept { return at_; }
  void let_rows_go(transaction& tx, std::uint64_t last_row) {
    if (last_row % rows_go_each != 0) return;
    for (std::uint64_t n = 0; n < 2 * rows_go_each && first_row_ <= last_row; ++n, ++first_row_) {
      const auto row = tx.get(table::deferred, number_key(first_row_));
      if (!row) continue;  // that commit only moved
      if (!all_is_settled(written_at(*row), at_)) return;
      (void)tx.erase(table::deferred, number_key(first_row_));
    }
  }

 private:
  std::size_t entries_max_;
  moves_position at_;
  std::uint64_t first_row_ = 1;
};

class deferred_transaction final : public transaction {
 public:
  deferred_transaction(std::unique_ptr<transaction> below, recent_entries& recent, mover& moves)
      : recent_(recent), moves_(moves), below_(std::move(below)) {}

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    require_open();
    return t == scattered ? reads_.get(*below_, over(), key) : below_->get(t, key);
  }
  std::unique_ptr<cursor> open(table t) const override { return t == scattered ? merged_reads::open(*below_, over()) : below_->open(t); }
  std::uint64_t count(table t) const override { return t == scattered ? merged_reads::count(*below_, over()) : below_->count(t); }

  void put(table t, std::string_view key, std::string_view value) override {
    require_open();
    if (goes_to_its_place(t, key)) return below_->put(t, key, value);
    if (key.empty() || key.size() > max_key_bytes)
      throw storage_error(storage_errc::unsupported, "A key has 1 to " + std::to_string(max_key_bytes) + " bytes.");
    changes_.insert_or_assign(changes_.end(), std::string(key), std::string(value));  // they come sorted, mostly
  }
  bool erase(table t, std::string_view key) override {
    if (goes_to_its_place(t, key)) return below_->erase(t, key);
    const bool there = get(t, key).has_value();
    if (there) changes_[std::string(key)] = std::nullopt;
    return there;
  }

  void commit() override {
    require_open();
    open_ = false;
    auto next = moves_;
    auto moved = next.choose(recent_, changes_);
    if (changes_.empty() && moved.entries.empty()) return below_->commit();
    const auto number = recent_.published() + 1;
    if (!changes_.empty()) below_->put(table::deferred, number_key(number), encode_deferred_row(changes_, next.at()));
    for (const auto& [key, value] : moved.entries) move_into_place(*below_, key, value);
    next.let_rows_go(*below_, number);
    below_->put(table::deferred, number_key(commit_row), encode_commit_row(next.at(), number));
    recent_.prepare(changes_);
    try {
      below_->commit();
    } catch (...) {
      recent_.take_back(changes_);
      throw;
    }
    recent_.publish(std::move(moved));
    moves_ = std::move(next);
  }

 private:
  overlay over() const { return {&recent_, recent_.published(), &changes_}; }
  // At once: such keys come side by side anyway.
  static bool goes_to_its_place(table t, std::string_view key) { return t != scattered || index_key_in_sequence(key); }
  void require_open() const {
    if (!open_) throw std::logic_error("a transaction is used after its end");
  }

  bool open_ = true;
  recent_entries& recent_;
  mover& moves_;
  const std::unique_ptr<transaction> below_;
  key_changes changes_;
  merged_reads reads_;
};

class deferred_store final : public wrapping_store {
 public:
  deferred_store(std::shared_ptr<store> below, std::size_t entries_max) : wrapping_store(std::move(below)), moves_(entries_max) {
    load_what_is_left();
  }

  std::unique_ptr<snapshot> read() const override { return std::make_unique<deferred_snapshot>(*below_, recent_); }
  std::unique_ptr<transaction> write() override { return std::make_unique<deferred_transaction>(below_->write(), recent_, moves_); }

 private:
  // What an earlier run left goes on waiting.
  void load_what_is_left() try {
    const auto now = below_->read();
    const auto last_commit = now->get(table::deferred, number_key(commit_row));
    if (!last_commit) return;
    auto moves = moves_of(*last_commit);
    const auto commits = tail_number(*last_commit);
    auto first = commits + 1;
    const auto at = now->open(table::deferred);
    for (bool there = at->seek({}); there && tail_number(at->key()) != commit_row; there = at->next()) {
      const auto commit = tail_number(at->key());
      first = std::min(first, commit);
      load(deferred_row(at->value()), commit, moves);
    }
    recent_.begin(commits);
    moves_.begin(first, std::move(moves));
  } catch (const decode_error& e) {
    throw storage_error(storage_errc::corrupt,
                        "What waits for its place in the index is damaged (" + std::string(e.what()) + "): restore a backup.");
  }
  void load(const deferred_row& row, std::uint64_t commit, const moves_position& moves) {
    const auto waits = [&](std::string_view key) { return !is_settled(key, row.written_at, moves); };
    for (std::size_t i = 0; i < row.put.size(); ++i)
      if (waits(row.put.key(i))) recent_.load(row.put.key(i), row.put.value(i), commit);
    for (std::size_t i = 0; i < row.erased.size(); ++i)
      if (waits(row.erased.key(i))) recent_.load(row.erased.key(i), std::nullopt, commit);
  }

  mutable recent_entries recent_;
  mover moves_;
};

}  // namespace

std::unique_ptr<store> make_deferred_store(std::shared_ptr<store> below, std::size_t entries_max) {
  return std::make_unique<deferred_store>(std::move(below), entries_max);
}

}  // namespace crema::storage
