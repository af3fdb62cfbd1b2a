// The storage port on LMDB's transactions and cursors. What is open and guarded: environment.
#include "storage/lmdb/lmdb_store.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>
#include <vector>

#include "storage/lmdb/checked_value.hpp"
#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/lmdb_error.hpp"

namespace crema::storage {

namespace {

// LMDB takes void* for what it only reads.
MDB_val to_val(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
std::string_view to_view(const MDB_val& v) { return {static_cast<const char*>(v.mv_data), v.mv_size}; }

bool is_key(std::string_view key) { return !key.empty() && key.size() <= max_key_bytes; }

std::uint64_t count_in(MDB_txn* txn, MDB_dbi dbi) {
  MDB_stat stat{};
  check(mdb_stat(txn, dbi, &stat), "count");
  return stat.ms_entries;
}

class lmdb_cursor : public cursor {
 public:
  lmdb_cursor(MDB_txn* txn, const environment& env, table t) : table_(t) {
    check(mdb_cursor_open(txn, env.dbi(t), &cursor_), "open a cursor");
  }
  ~lmdb_cursor() override { close(); }
  lmdb_cursor(const lmdb_cursor&) = delete;
  lmdb_cursor& operator=(const lmdb_cursor&) = delete;

  bool seek(std::string_view key) override {
    if (key.empty()) return arrive(MDB_FIRST, place::at_end);  // LMDB has no empty key
    key_ = to_val(key);
    return arrive(MDB_SET_RANGE, place::at_end);
  }
  bool next() override {
    if (place_ == place::at_end) return false;
    return arrive(place_ == place::before_first ? MDB_FIRST : MDB_NEXT, place::at_end);
  }
  bool prev() override {
    if (place_ == place::before_first) return false;
    return arrive(place_ == place::at_end ? MDB_LAST : MDB_PREV, place::before_first);
  }
  std::string_view key() const override { return to_view(key_); }
  std::string_view value() const override { return checked(key(), stored()); }

 protected:
  enum class place { before_first, on_entry, at_end };

  std::string_view stored() const noexcept { return to_view(value_); }
  std::string_view checked(std::string_view key, std::string_view stored) const { return checked_value(table_, key, stored); }
  bool arrive(MDB_cursor_op op, place otherwise) {
    if (cursor_ == nullptr) throw std::logic_error("a cursor is used after its transaction has ended");
    const int rc = mdb_cursor_get(cursor_, &key_, &value_, op);
    place_ = rc == 0 ? place::on_entry : otherwise;
    if (rc == MDB_NOTFOUND) return false;
    check(rc, "read on");
    return true;
  }
  void close() noexcept {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    cursor_ = nullptr;
  }

  place place_ = place::before_first;

 private:
  const table table_;
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_{}, value_{};
};

// An entry whose key was damaged is found no more, as if it had never been. It stands where it stood, mostly: so what is missing is
// believed only between two sound neighbours.
void check_neighbours(lmdb_cursor& at, std::string_view key) {
  if (at.seek(key)) (void)at.value();
  if (at.prev()) (void)at.value();
}

std::optional<std::string_view> get_from(MDB_txn* txn, const environment& env, table t, std::string_view key) {
  if (!is_key(key)) return std::nullopt;  // nothing can be stored there
  auto k = to_val(key);
  MDB_val v{};
  const int rc = mdb_get(txn, env.dbi(t), &k, &v);
  if (rc == MDB_NOTFOUND) {
    lmdb_cursor near(txn, env, t);
    check_neighbours(near, key);
    return std::nullopt;
  }
  check(rc, "read");
  return checked_value(t, key, to_view(v));
}

class writing_cursor;

// What a transaction shares with its cursors: LMDB frees a write transaction's cursors at its end, and moves or drops the entry
// under a cursor when the transaction changes something.
struct open_cursors {
  std::uint64_t changes = 0;
  std::vector<writing_cursor*> all;
};

// Keeps copies of where it stands (the value unchecked: who only erases need not be able to read), so that scanning and changing go
// together: after a change it finds its place again by key.
class writing_cursor final : public lmdb_cursor {
 public:
  writing_cursor(MDB_txn* txn, const environment& env, table t, open_cursors& owner) : lmdb_cursor(txn, env, t), owner_(&owner) {
    owner.all.push_back(this);
  }
  ~writing_cursor() override {
    if (owner_ != nullptr) std::erase(owner_->all, this);
  }
  void let_go() noexcept {
    close();
    owner_ = nullptr;
  }

  bool seek(std::string_view key) override {
    const std::string wanted(key);  // may view this cursor's own key
    return keep(lmdb_cursor::seek(wanted));
  }
  bool next() override {
    if (!moved_away()) return keep(lmdb_cursor::next());
    const auto from = saved_key_;
    return keep(lmdb_cursor::seek(from) && (lmdb_cursor::key() != from || lmdb_cursor::next()));
  }
  bool prev() override {
    if (moved_away()) {
      const auto from = saved_key_;
      lmdb_cursor::seek(from);
    }
    return keep(lmdb_cursor::prev());
  }
  std::string_view key() const override { return saved_key_; }
  std::string_view value() const override { return checked(saved_key_, saved_stored_); }

 private:
  bool moved_away() const { return place_ == place::on_entry && owner_ != nullptr && owner_->changes != seen_; }
  bool keep(bool found) {
    if (found) {
      saved_key_ = lmdb_cursor::key();
      saved_stored_ = stored();
    }
    if (owner_ != nullptr) seen_ = owner_->changes;
    return found;
  }

  open_cursors* owner_;
  std::uint64_t seen_ = 0;
  std::string saved_key_, saved_stored_;
};

class lmdb_snapshot final : public snapshot {
 public:
  explicit lmdb_snapshot(environment& env) : env_(env), txn_(env.take_reader()) {}
  ~lmdb_snapshot() override { env_.give_back_reader(txn_); }
  lmdb_snapshot(const lmdb_snapshot&) = delete;
  lmdb_snapshot& operator=(const lmdb_snapshot&) = delete;

  std::optional<std::string_view> get(table t, std::string_view key) const override { return get_from(txn_, env_, t, key); }
  std::unique_ptr<cursor> open(table t) const override { return std::make_unique<lmdb_cursor>(txn_, env_, t); }
  std::uint64_t count(table t) const override { return count_in(txn_, env_.dbi(t)); }

 private:
  environment& env_;
  MDB_txn* txn_;
};

class lmdb_transaction final : public transaction {
 public:
  explicit lmdb_transaction(environment& env) : env_(env), txn_(env.begin_write()) {}
  ~lmdb_transaction() override {
    close_cursors();
    if (txn_ != nullptr) env_.abort(txn_);
  }
  lmdb_transaction(const lmdb_transaction&) = delete;
  lmdb_transaction& operator=(const lmdb_transaction&) = delete;

  std::optional<std::string_view> get(table t, std::string_view key) const override { return get_from(live(), env_, t, key); }
  std::unique_ptr<cursor> open(table t) const override { return std::make_unique<writing_cursor>(live(), env_, t, cursors_); }
  std::uint64_t count(table t) const override { return count_in(live(), env_.dbi(t)); }

  void put(table t, std::string_view key, std::string_view value) override {
    if (!is_key(key))
      throw storage_error(storage_errc::unsupported, "A key of " + std::to_string(key.size()) + " bytes cannot be stored; keys have 1 to " +
                                                         std::to_string(max_key_bytes) + " bytes.");
    append_check(t, key, value, written_);
    auto k = to_val(key);
    auto v = to_val(written_);
    done(mdb_cursor_put(writer_of(t), &k, &v, 0), "write");
  }
  bool erase(table t, std::string_view key) override {
    if (!is_key(key)) return false;
    auto k = to_val(key);
    auto* const at = writer_of(t);
    const int rc = mdb_cursor_get(at, &k, nullptr, MDB_SET);
    if (rc == MDB_NOTFOUND) return false;
    check(rc, "erase");
    done(mdb_cursor_del(at, 0), "erase");
    return true;
  }
  void commit() override {
    auto* txn = live();
    if (failed_ != 0) check(failed_, "commit after a failed write");
    close_cursors();
    txn_ = nullptr;
    env_.commit(txn, cursors_.changes > 0);
  }

 private:
  MDB_txn* live() const {
    if (txn_ == nullptr) throw std::logic_error("a transaction is used after its end");
    return txn_;
  }
  void done(int rc, const char* doing) {
    ++cursors_.changes;
    if (rc != 0 && failed_ == 0) failed_ = rc;
    check(rc, doing);
  }
  // One cursor a table: it stands where the last change was, which is where the next one is, mostly, as they come sorted. Then the tree
  // is not searched again from its root.
  MDB_cursor* writer_of(table t) {
    auto& at = writers_[static_cast<std::size_t>(t)];
    if (at == nullptr) check(mdb_cursor_open(live(), env_.dbi(t), &at), "open a cursor");
    return at;
  }
  void close_cursors() noexcept {
    for (auto*& at : writers_)
      if (at != nullptr) mdb_cursor_close(std::exchange(at, nullptr));
    for (auto* c : cursors_.all) c->let_go();
    cursors_.all.clear();
  }

  environment& env_;
  MDB_txn* txn_;
  std::array<MDB_cursor*, table_count> writers_{};
  mutable open_cursors cursors_;  // opening a cursor changes nothing that a caller can see
  std::string written_;           // the value last put, with its check; kept for its memory
  int failed_ = 0;                // LMDB's first error in this transaction: it cannot be committed any more
};

class lmdb_store final : public store {
 public:
  lmdb_store(const std::filesystem::path& directory, const lmdb_options& options) : env_(directory, options) {}

  std::unique_ptr<snapshot> read() const override { return std::make_unique<lmdb_snapshot>(env_); }
  std::unique_ptr<transaction> write() override { return std::make_unique<lmdb_transaction>(env_); }
  void copy_to(const std::filesystem::path& directory, const std::stop_token& stop) const override { env_.copy_to(directory, stop); }
  store_usage usage() const override { return env_.usage(); }
  shortage short_of() const noexcept override { return env_.short_of(); }
  void make_room() noexcept override { env_.make_room(); }
  std::string doubt() const override { return env_.doubt(); }
  void accept() override { env_.accept(); }
  void trim() noexcept override { env_.trim(); }

 private:
  mutable environment env_;  // taking a snapshot moves the pool of readers, which is not what a caller sees as the store
};

}  // namespace

std::unique_ptr<store> open_lmdb(const std::filesystem::path& directory, const lmdb_options& options) {
  return std::make_unique<lmdb_store>(directory, options);
}

}  // namespace crema::storage
