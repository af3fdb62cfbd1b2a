#include "storage/memory/memory_store.hpp"

#include <array>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>
#include <stdexcept>

namespace crema::storage {

namespace {

using rows = std::map<std::string, std::string, std::less<>>;
using changed_rows = std::map<std::string, std::optional<std::string>, std::less<>>;  // nullopt: erased
using tables = std::array<std::shared_ptr<rows>, table_count>;

std::size_t at(table t) { return static_cast<std::size_t>(t); }

struct entry {
  std::string_view key, value;
};

const changed_rows no_changes;

// A committed table with the changes of a transaction over it (none for a snapshot).
class layered_rows {
 public:
  layered_rows(const rows& base, const changed_rows& changes) : base_(&base), changes_(&changes) {}

  std::optional<std::string_view> get(std::string_view key) const {
    if (const auto c = changes_->find(key); c != changes_->end())
      return c->second ? std::optional<std::string_view>(*c->second) : std::nullopt;
    const auto b = base_->find(key);
    return b == base_->end() ? std::nullopt : std::optional<std::string_view>(b->second);
  }

  std::optional<entry> first_from(std::string_view key) const { return ahead(base_->lower_bound(key), changes_->lower_bound(key)); }
  std::optional<entry> first_after(std::string_view key) const { return ahead(base_->upper_bound(key), changes_->upper_bound(key)); }
  std::optional<entry> last_before(std::string_view key) const { return behind(base_->lower_bound(key), changes_->lower_bound(key)); }
  std::optional<entry> last() const { return behind(base_->end(), changes_->end()); }

 private:
  // Merges the two going up. A change hides the committed row of its key; an erased one is passed over.
  std::optional<entry> ahead(rows::const_iterator b, changed_rows::const_iterator c) const {
    while (b != base_->end() || c != changes_->end()) {
      const bool committed = b != base_->end();
      if (c == changes_->end() || (committed && b->first < c->first)) return entry{b->first, b->second};
      if (committed && b->first == c->first) ++b;
      if (c->second) return entry{c->first, *c->second};
      ++c;
    }
    return std::nullopt;
  }
  // The same going down, from before the two places.
  std::optional<entry> behind(rows::const_iterator b, changed_rows::const_iterator c) const {
    while (b != base_->begin() || c != changes_->begin()) {
      const bool committed = b != base_->begin();
      if (c == changes_->begin() || (committed && std::prev(b)->first > std::prev(c)->first))
        return entry{std::prev(b)->first, std::prev(b)->second};
      --c;
      if (committed && std::prev(b)->first == c->first) --b;
      if (c->second) return entry{c->first, *c->second};
    }
    return std::nullopt;
  }

  const rows* base_;
  const changed_rows* changes_;
};

// Finds its place by key at each step, so that changes in between do not disturb it.
class memory_cursor final : public cursor {
 public:
  explicit memory_cursor(layered_rows all) : all_(all) {}

  bool seek(std::string_view key) override { return arrive(all_.first_from(key), place::at_end); }
  bool next() override {
    if (place_ == place::at_end) return false;
    return arrive(place_ == place::before_first ? all_.first_from({}) : all_.first_after(key_), place::at_end);
  }
  bool prev() override {
    if (place_ == place::before_first) return false;
    return arrive(place_ == place::at_end ? all_.last() : all_.last_before(key_), place::before_first);
  }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }

 private:
  enum class place { before_first, on_entry, at_end };

  bool arrive(std::optional<entry> found, place otherwise) {
    place_ = found ? place::on_entry : otherwise;
    if (found) {
      key_ = found->key;
      value_ = found->value;
    }
    return found.has_value();
  }

  layered_rows all_;
  place place_ = place::before_first;
  std::string key_, value_;
};

// The committed state and who looks at it. References to `now` are taken and dropped under the mutex, so that a count of one
// means that nobody else looks.
struct committed {
  std::mutex mutex;
  tables now;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_max = 0;
  std::atomic<bool> writing = false;
};

class memory_snapshot final : public snapshot {
 public:
  explicit memory_snapshot(std::shared_ptr<committed> from) : from_(std::move(from)) {
    const std::lock_guard guard(from_->mutex);
    seen_ = from_->now;
  }
  ~memory_snapshot() override {
    const std::lock_guard guard(from_->mutex);
    seen_ = {};
  }
  memory_snapshot(const memory_snapshot&) = delete;
  memory_snapshot& operator=(const memory_snapshot&) = delete;

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    return layered_rows(*seen_[at(t)], no_changes).get(key);
  }
  std::unique_ptr<cursor> open(table t) const override { return std::make_unique<memory_cursor>(layered_rows(*seen_[at(t)], no_changes)); }
  std::uint64_t count(table t) const override { return seen_[at(t)]->size(); }

 private:
  std::shared_ptr<committed> from_;
  tables seen_;
};

class memory_transaction final : public transaction {
 public:
  explicit memory_transaction(std::shared_ptr<committed> into) : into_(std::move(into)) {
    if (into_->writing.exchange(true)) throw std::logic_error("a write transaction is open already");
  }
  ~memory_transaction() override { finish(); }
  memory_transaction(const memory_transaction&) = delete;
  memory_transaction& operator=(const memory_transaction&) = delete;

  std::optional<std::string_view> get(table t, std::string_view key) const override { return rows_of(t).get(key); }
  std::unique_ptr<cursor> open(table t) const override { return std::make_unique<memory_cursor>(rows_of(t)); }
  std::uint64_t count(table t) const override {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(base(t).size()) + grown_[at(t)]);
  }

  void put(table t, std::string_view key, std::string_view value) override {
    if (key.empty() || key.size() > max_key_bytes)
      throw storage_error(storage_errc::unsupported, "A key of " + std::to_string(key.size()) + " bytes cannot be stored; keys have 1 to " +
                                                         std::to_string(max_key_bytes) + " bytes.");
    if (!get(t, key)) ++grown_[at(t)];
    changes_[at(t)].insert_or_assign(std::string(key), std::optional<std::string>(std::string(value)));
  }
  bool erase(table t, std::string_view key) override {
    if (!get(t, key)) return false;
    --grown_[at(t)];
    changes_[at(t)].insert_or_assign(std::string(key), std::nullopt);
    return true;
  }
  void commit() override {
    if (!open_) throw std::logic_error("a transaction is used after its end");
    const std::lock_guard guard(into_->mutex);
    const auto bytes = bytes_after();
    if (bytes > into_->bytes_max && bytes > into_->bytes) {
      finish();
      throw storage_error(storage_errc::full,
                          "The memory store has reached its limit of " + std::to_string(into_->bytes_max) + " bytes; raise it.");
    }
    for (std::size_t i = 0; i < table_count; ++i) apply(into_->now[i], changes_[i]);
    into_->bytes = bytes;
    finish();
  }

 private:
  // Read without the mutex: only this transaction can change it.
  const rows& base(table t) const {
    if (!open_) throw std::logic_error("a transaction is used after its end");
    return *into_->now[at(t)];
  }
  layered_rows rows_of(table t) const { return {base(t), changes_[at(t)]}; }

  std::uint64_t bytes_after() const {
    auto bytes = into_->bytes;
    for (std::size_t i = 0; i < table_count; ++i)
      for (const auto& [key, value] : changes_[i]) {
        if (const auto old = into_->now[i]->find(key); old != into_->now[i]->end()) bytes -= key.size() + old->second.size();
        if (value) bytes += key.size() + value->size();
      }
    return bytes;
  }
  static void apply(std::shared_ptr<rows>& into, changed_rows& changes) {
    if (changes.empty()) return;
    if (into.use_count() > 1) into = std::make_shared<rows>(*into);
    for (auto& [key, value] : changes) {
      if (value)
        into->insert_or_assign(key, std::move(*value));
      else
        into->erase(key);
    }
  }
  void finish() noexcept {
    if (open_) into_->writing = false;
    open_ = false;
  }

  std::shared_ptr<committed> into_;
  std::array<changed_rows, table_count> changes_;
  std::array<std::int64_t, table_count> grown_{};
  bool open_ = true;
};

class memory_store final : public store {
 public:
  explicit memory_store(const memory_options& options) {
    committed_->bytes_max = options.bytes_max;
    for (auto& t : committed_->now) t = std::make_shared<rows>();
  }

  std::unique_ptr<snapshot> read() const override { return std::make_unique<memory_snapshot>(committed_); }
  std::unique_ptr<transaction> write() override { return std::make_unique<memory_transaction>(committed_); }
  void copy_to(const std::filesystem::path&, const std::stop_token&) const override {
    throw storage_error(storage_errc::unsupported, "The memory store keeps nothing that could be copied; use the store on a disk.");
  }
  store_usage usage() const override {
    const std::lock_guard guard(committed_->mutex);
    return {committed_->bytes, committed_->bytes_max};
  }
  shortage short_of() const noexcept override { return shortage::none; }
  void make_room() noexcept override {}

 private:
  std::shared_ptr<committed> committed_ = std::make_shared<committed>();
};

}  // namespace

std::unique_ptr<store> make_memory_store(const memory_options& options) { return std::make_unique<memory_store>(options); }

}  // namespace crema::storage
