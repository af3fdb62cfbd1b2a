#include "storage/packed/packed_store.hpp"

#include <algorithm>
#include <forward_list>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "behaviors/core/codec.hpp"
#include "storage/entry_block.hpp"
#include "storage/wrapping_store.hpp"

namespace crema::storage {

namespace {

constexpr auto packed = table::index;
const std::string least_key(1, '\0');

// To the row whose block a key belongs to. False: there is none.
bool seek_block(cursor& rows, std::string_view key) { return rows.seek_before(std::string(key) + '\0'); }

bool can_be(std::string_view key) noexcept { return !key.empty() && key.size() <= max_key_bytes; }

// Whatever reads a block: damage is the store's error.
template <class Read>
auto readable(Read read) {
  try {
    return read();
  } catch (const decode_error& e) {
    throw storage_error(storage_errc::corrupt, "A block of index entries is damaged (" + std::string(e.what()) +
                                                   "): restore a backup, or make the index anew with crema restore.");
  }
}

std::uint64_t count_entries(const snapshot& below) {
  std::uint64_t n = 0;
  const auto rows = below.open(packed);
  while (rows->next()) n += readable([&] { return entries_in_block(rows->value()); });
  return n;
}

// Looks keys up, and keeps what it found: a row's bytes may die with the cursor's next step.
class lookups {
 public:
  std::optional<std::string_view> find(cursor& rows, std::string_view key) {
    if (!can_be(key) || !seek_block(rows, key)) return std::nullopt;
    auto value = readable([&] { return find_in_block(rows.value(), key); });
    if (!value) return std::nullopt;
    if (value->empty()) return std::string_view();
    return found_.emplace_front(std::move(*value));
  }

 private:
  std::forward_list<std::string> found_;  // takes no memory before it holds something
};

// What a transaction changes: one block at a time, since changes come sorted, mostly, and go to the same block one after the other.
class block_writer {
 public:
  block_writer(transaction& below, std::size_t bytes_max) : below_(below), bytes_max_(bytes_max) {}

  void put(std::string_view key, std::string_view value) {
    require_open();
    go_to(key);
    block_.put(key, value);
    appended_ = block_.key(block_.size() - 1) == key;
    note_change();
  }
  bool erase(std::string_view key) {
    require_open();
    go_to(key);
    if (!block_.erase(key)) return false;
    note_change();
    return true;
  }
  /// Afterwards the rows below are up to date.
  void settle() {
    if (!changed_) return;
    if (block_.empty())
      (void)below_.erase(packed, from_);
    else
      write_block();
    changed_ = loaded_ = false;
  }
  void end() noexcept {
    rows_.reset();
    ended_ = true;
  }
  /// Changes so far, for a cursor that must notice them.
  std::uint64_t changes() const {
    require_open();
    return changes_;
  }

 private:
  void require_open() const {
    if (ended_) throw std::logic_error("a transaction or a cursor of it is used after its end");
  }
  void note_change() {
    changed_ = true;
    ++changes_;
  }
  void go_to(std::string_view key) {
    if (loaded_ && from_ <= key && (!to_ || key < *to_)) return;
    settle();
    if (!rows_) rows_ = below_.open(packed);
    bool more = false;
    if (seek_block(*rows_, key)) {
      from_ = rows_->key();
      readable([&] { block_.load(rows_->value()); });
      more = rows_->next();
    } else {
      from_ = least_key;
      block_.clear();
      more = rows_->seek({});
    }
    to_ = more ? std::optional<std::string>(rows_->key()) : std::nullopt;
    loaded_ = true;
    appended_ = false;
  }
  // One that is too large becomes full ones where it has grown at its end, as it will again; otherwise equal ones, with room in each.
  void write_block() {
    std::size_t next = 0;
    const auto whole = block_.encode(0, std::numeric_limits<std::size_t>::max(), next);
    if (whole.size() <= bytes_max_) return below_.put(packed, from_, whole);
    const auto parts = appended_ ? 1 : (whole.size() + bytes_max_ - 1) / bytes_max_;
    for (std::size_t first = 0, n = 1; first < block_.size(); first = next, ++n) {
      const auto part = block_.encode(first, n < parts ? whole.size() / parts : bytes_max_, next);
      below_.put(packed, first == 0 ? from_ : least_between(block_.key(first - 1), block_.key(first)), part);
    }
  }
  // The shortest key behind `left` and not behind `right`.
  static std::string least_between(std::string_view left, std::string_view right) {
    const auto differs = std::mismatch(left.begin(), left.end(), right.begin(), right.end()).second;
    return std::string(right.begin(), differs + 1);
  }

  transaction& below_;
  const std::size_t bytes_max_;
  std::unique_ptr<cursor> rows_;
  bool loaded_ = false, changed_ = false, appended_ = false, ended_ = false;
  std::string from_;               // the row of the block in hand
  std::optional<std::string> to_;  // the row behind it
  entry_block block_;
  std::uint64_t changes_ = 0;
};

class packed_cursor final : public cursor {
 public:
  packed_cursor(std::unique_ptr<cursor> rows, block_writer* owner) : rows_(std::move(rows)), owner_(owner) {}

  bool seek(std::string_view key) override {
    if (!is_current() || !holds(key)) return seek_anew(std::string(key));  // may view what is let go of
    at_ = block_.lower_bound(key);
    return stand();
  }
  bool next() override {
    if (place_ == place::end) return false;
    if (place_ == place::begin) return seek({});
    if (alone_ || !is_current()) {
      const std::string from(key());
      return seek_anew(from) && (key() != from || next());
    }
    if (++at_ < block_.size()) return true;
    return take(rows_->next()) ? first() : stand_at(place::end);
  }
  bool prev() override {
    if (place_ == place::begin) return false;
    if (alone_ || !is_current()) (void)seek_anew(place_ == place::end ? std::string(max_key_bytes, '\xFF') : std::string(key()));
    if (place_ == place::end) return take(rows_->seek_before(std::string(max_key_bytes, '\xFF'))) ? last() : stand_at(place::begin);
    if (at_ > 0) return --at_, true;
    return take(rows_->prev()) ? last() : stand_at(place::begin);
  }
  // Who asks for one entry mostly wants no other: its block is not taken apart before a step from there.
  bool seek_before(std::string_view key) override {
    const std::string wanted(key);  // may view the block
    settle();
    alone_.reset();
    if (!seek_block(*rows_, wanted)) return stand_at(place::begin);
    alone_ = readable([&] { return last_before_in_block(rows_->value(), wanted); });
    if (alone_) return stand();
    return take(rows_->prev()) ? last() : stand_at(place::begin);
  }
  std::string_view key() const override { return alone_ ? std::string_view(alone_->key) : block_.key(at_); }
  std::string_view value() const override { return alone_ ? std::string_view(alone_->value) : block_.value(at_); }

 private:
  enum class place : std::uint8_t { begin, on, end };

  bool is_current() const { return owner_ == nullptr || owner_->changes() == seen_; }
  bool holds(std::string_view key) const {
    return place_ == place::on && !alone_ && block_.key(0) <= key && key <= block_.key(block_.size() - 1);
  }
  bool seek_anew(const std::string& wanted) {
    settle();
    alone_.reset();
    if (take(seek_block(*rows_, wanted))) {
      at_ = block_.lower_bound(wanted);
      if (at_ < block_.size()) return stand();
      return take(rows_->next()) ? first() : stand_at(place::end);
    }
    return take(rows_->seek({})) ? first() : stand_at(place::end);
  }
  void settle() {
    if (owner_ == nullptr) return;
    owner_->settle();
    seen_ = owner_->changes();
  }
  bool take(bool there) {
    if (there) readable([&] { block_.load(rows_->value()); });
    return there;
  }
  bool first() { return at_ = 0, stand(); }
  bool last() { return at_ = block_.size() - 1, stand(); }
  bool stand() { return place_ = place::on, true; }
  bool stand_at(place p) { return place_ = p, false; }

  const std::unique_ptr<cursor> rows_;
  block_writer* const owner_;  // none: nothing changes
  std::uint64_t seen_ = 0;
  entry_block block_;
  std::size_t at_ = 0;
  std::optional<found_entry> alone_;  // where the cursor stands on an entry of a block that is not taken apart
  place place_ = place::begin;
};

class packed_snapshot final : public snapshot {
 public:
  explicit packed_snapshot(std::unique_ptr<snapshot> below) : below_(std::move(below)) {}

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    if (t != packed) return below_->get(t, key);
    if (!rows_) rows_ = below_->open(packed);
    return lookups_.find(*rows_, key);
  }
  std::unique_ptr<cursor> open(table t) const override {
    return t == packed ? std::make_unique<packed_cursor>(below_->open(t), nullptr) : below_->open(t);
  }
  std::uint64_t count(table t) const override { return t == packed ? count_entries(*below_) : below_->count(t); }

 private:
  const std::unique_ptr<snapshot> below_;
  mutable std::unique_ptr<cursor> rows_;
  mutable lookups lookups_;
};

class packed_transaction final : public transaction {
 public:
  packed_transaction(std::unique_ptr<transaction> below, std::size_t bytes_max) : below_(std::move(below)), writer_(*below_, bytes_max) {}

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    if (t != packed) return below_->get(t, key);
    writer_.settle();
    return lookups_.find(*below_->open(packed), key);
  }
  std::unique_ptr<cursor> open(table t) const override {
    return t == packed ? std::make_unique<packed_cursor>(below_->open(t), &writer_) : below_->open(t);
  }
  std::uint64_t count(table t) const override {
    if (t != packed) return below_->count(t);
    writer_.settle();
    return count_entries(*below_);
  }
  void put(table t, std::string_view key, std::string_view value) override {
    if (t != packed || !can_be(key)) return below_->put(t, key, value);
    writer_.put(key, value);
  }
  bool erase(table t, std::string_view key) override {
    if (t != packed || !can_be(key)) return below_->erase(t, key);
    return writer_.erase(key);
  }
  void commit() override {
    writer_.settle();
    writer_.end();
    below_->commit();
  }

 private:
  const std::unique_ptr<transaction> below_;
  mutable block_writer writer_;  // reading first writes what is in hand: nothing that a caller can see
  mutable lookups lookups_;
};

class packed_store final : public wrapping_store {
 public:
  packed_store(std::shared_ptr<store> below, std::size_t bytes_max) : wrapping_store(std::move(below)), bytes_max_(bytes_max) {}

  std::unique_ptr<snapshot> read() const override { return std::make_unique<packed_snapshot>(below_->read()); }
  std::unique_ptr<transaction> write() override { return std::make_unique<packed_transaction>(below_->write(), bytes_max_); }

 private:
  const std::size_t bytes_max_;
};

}  // namespace

std::unique_ptr<store> make_packed_store(std::shared_ptr<store> below, std::size_t bytes_max) {
  return std::make_unique<packed_store>(std::move(below), bytes_max);
}

}  // namespace crema::storage
