#include "storage/lmdb/environment.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>

#include "storage/directory/directory_contents.hpp"
#include "storage/directory/durable_file.hpp"
#include "storage/lmdb/data_copy.hpp"
#include "storage/lmdb/free_pages.hpp"
#include "storage/lmdb/lmdb_error.hpp"

namespace crema::storage {

namespace {

namespace fs = std::filesystem;

// To read, it has to be there; to write, it is made.
const fs::path& prepared(const fs::path& directory, const lmdb_options& options) {
  if (options.read_only || options.must_exist)
    require_directory(directory);
  else
    make_private_directories(directory);
  return directory;
}

std::uint64_t pages_of(const MDB_stat& s) { return s.ms_branch_pages + s.ms_leaf_pages + s.ms_overflow_pages; }

std::uint64_t whole_pages(std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

// LMDB asserts on damaged pages and would abort the process. Thrown through its C frames instead, which the unwind tables of the
// platforms we build for allow; without them it ends the process, as before.
void assertion_failed(MDB_env*, const char* text) {
  throw storage_error(storage_errc::corrupt,
                      std::string("The data file is damaged (") + text + "); restore a backup, or fetch the data from a replica.");
}

}  // namespace

environment::environment(const fs::path& directory, const lmdb_options& options)
    : directory_(prepared(directory, options)),
      options_(options),
      lock_(directory_, options.read_only ? directory_use::read : directory_use::write),
      found_(find_data_file(directory_, options)) {
  try {
    directory_file_ = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_file_ < 0) check(errno, "open the data directory");
    if (found_ == data_file::to_be_made)
      write_contents(directory_, {false, options.to_restore ? directory_state::being_restored : directory_state::being_made, {}});
    open_env();
    if (found_ == data_file::to_be_made)
      make_tables();
    else
      open_what_is_there();
    if (!options_.read_only) sync_path(directory_);
  } catch (...) {
    ahead_.reset();
    if (env_ != nullptr) mdb_env_close(env_);
    if (directory_file_ >= 0) close(directory_file_);
    throw;
  }
}

environment::~environment() {
  for (auto* reader : idle_) mdb_txn_abort(reader);
  mark_closed();
  ahead_.reset();
  mdb_env_close(env_);
  close(directory_file_);
}

void environment::open_env() {
  check(mdb_env_create(&env_), "set up LMDB");
  check(mdb_env_set_assert(env_, assertion_failed), "set up LMDB");
  check(mdb_env_set_mapsize(env_, whole_pages(options_.map_bytes_max)), "set the store's largest size");
  check(mdb_env_set_maxreaders(env_, options_.readers_max), "set the number of readers");
  check(mdb_env_set_maxdbs(env_, table_count), "set the number of tables");
  // Who only reads needs no lock file: the directory's lock keeps writers out.
  const unsigned flags = MDB_NOTLS | (options_.read_only ? MDB_RDONLY | MDB_NOLOCK : 0U);
  check(mdb_env_open(env_, directory_.c_str(), flags, private_file_mode), "open the store");
  MDB_envinfo info{};
  MDB_stat stat{};
  check(mdb_env_stat(env_, &stat), "read the store's size");
  check(mdb_env_get_fd(env_, &file_), "read the store's size");
  page_bytes_ = stat.ms_psize;
  if (!options_.read_only) widen_map();
  check(mdb_env_info(env_, &info), "read the store's size");
  const preallocation::limits none{0, 0, 0};
  ahead_.emplace(file_,
                 options_.read_only ? none : preallocation::limits{options_.preallocate_bytes, options_.reserve_bytes, info.me_mapsize});
  if (file_bytes() < used_bytes()) zeros_.emplace(file_, used_bytes());
  int dead = 0;
  check(mdb_reader_check(env_, &dead), "clear stale readers");
}

// The limit is for what is new: what is under way has its reserve beyond what is used, also where the limit is reached or was lowered.
// So a store that ended at its limit comes up, and goes on with what it had begun.
void environment::widen_map() {
  map_reserve_bytes_ = std::min(options_.map_reserve_bytes, options_.map_bytes_max / 4);
  near_limit_ = used_bytes() + map_reserve_bytes_ > options_.map_bytes_max;
  if (near_limit_) check(mdb_env_set_mapsize(env_, whole_pages(used_bytes() + map_reserve_bytes_)), "set the store's largest size");
}

shortage environment::short_of() const noexcept {
  if (near_limit_.load(std::memory_order_relaxed)) return shortage::limit;
  return ahead_->has_room() ? shortage::none : shortage::disk;
}

void environment::make_room() noexcept {
  const auto used = used_bytes();
  near_limit_.store(used + map_reserve_bytes_ > options_.map_bytes_max, std::memory_order_relaxed);
  ahead_->look(used);
}

void environment::make_tables() {
  MDB_txn* txn = nullptr;
  check(mdb_txn_begin(env_, nullptr, 0, &txn), "make the tables");
  for (std::size_t i = 0; i < table_count; ++i) {
    const std::string name(name_of(static_cast<table>(i)));
    if (const int rc = mdb_dbi_open(txn, name.c_str(), MDB_CREATE, &tables_[i]); rc != 0) {
      mdb_txn_abort(txn);
      check(rc, "make the tables");
    }
  }
  check(mdb_txn_commit(txn), "make the tables");
}

void environment::open_what_is_there() {
  noted_whole_ = read_contents(directory_).has_value();
  MDB_txn* reader = nullptr;
  check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader), "open the tables");
  try {
    open_tables(reader);
    judge(reader);
  } catch (...) {
    mdb_txn_abort(reader);
    throw;
  }
  check(mdb_txn_commit(reader), "open the tables");
  if (zeros_ && !options_.read_only && !in_doubt_) zeros_->become_real();
}

// All were made by one commit, and what counts as whole has had another one: where one is missing, or all are empty, this is not that file.
void environment::open_tables(MDB_txn* reader) {
  std::size_t entries = 0;
  for (std::size_t i = 0; i < table_count; ++i) {
    const std::string name(name_of(static_cast<table>(i)));
    MDB_stat stat{};
    if (mdb_dbi_open(reader, name.c_str(), 0, &tables_[i]) != 0) refuse_torn("its table '" + name + "' is not there");
    check(mdb_stat(reader, tables_[i], &stat), "open the tables");
    entries += stat.ms_entries;
  }
  if (entries == 0) refuse_torn("all its tables are empty");
}

void environment::judge(MDB_txn* reader) {
  if (options_.read_only) return;  // who reads finds out
  const auto mark = read_mark(reader);
  const bool cut = is_cut_short(reader);
  if (cut && mark && !mark->open) refuse_torn("it ends before what is in it");
  in_doubt_ = cut || !mark || (mark->open && !mark->file.may_be(identity_of(file_)));
}

// A sound file may end before its last page: pages taken and given back by one transaction are never written, but they are noted as free.
bool environment::is_cut_short(MDB_txn* reader) const {
  if (file_bytes() >= used_bytes()) return false;
  const auto first = file_bytes() / page_bytes_, missing = used_bytes() / page_bytes_ - first;
  try {
    return free_pages_from(reader, first) != missing;
  } catch (const storage_error&) { return true; }  // the list of free pages is among what is missing
}

void environment::refuse_torn(const std::string& why) const {
  throw storage_error(storage_errc::corrupt, "The file " + (directory_ / data_file_name).string() + " is not whole (" + why +
                                                 "): it was copied while a node wrote it, or cut short; restore a backup that 'crema "
                                                 "backup' made into a new directory.");
}

std::string environment::doubt() const {
  if (!in_doubt_) return {};
  return "The file " + (directory_ / data_file_name).string() +
         " is not the one that a node left closed: it was copied while a node had it open, or cut short";
}

void environment::accept() {
  if (!in_doubt_) return;
  if (zeros_) zeros_->become_real();
  in_doubt_ = false;
}

MDB_txn* environment::take_reader() {
  MDB_txn* reader = nullptr;
  {
    const std::lock_guard guard(mutex_);
    if (!idle_.empty()) {
      reader = idle_.back();
      idle_.pop_back();
    }
  }
  if (reader == nullptr) {
    check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader), "take a snapshot");
    const std::lock_guard guard(mutex_);
    idle_.reserve(++readers_made_);
  } else if (const int rc = mdb_txn_renew(reader); rc != 0) {
    mdb_txn_abort(reader);
    check(rc, "take a snapshot");
  }
  return reader;
}

void environment::give_back_reader(MDB_txn* reader) noexcept {
  mdb_txn_reset(reader);  // keeps its slot in the reader table, releases the state it saw
  const std::lock_guard guard(mutex_);
  idle_.push_back(reader);  // cannot allocate: there is room for every reader made
}

MDB_txn* environment::begin_write() {
  if (writing_.load() == std::this_thread::get_id()) throw std::logic_error("this thread has a write transaction open already");
  if (options_.read_only) throw storage_error(storage_errc::unsupported, "The store was opened to be read only; open it to write.");
  if (in_doubt_)
    throw storage_error(
        storage_errc::corrupt,
        doubt() + "; 'crema serve' checks all of it before it goes on, and 'crema restore' makes a new directory of its journal.");
  if (broken_)
    throw storage_error(
        storage_errc::io,
        "An earlier write to the store failed, so what is on disk is not known; restart crema: it recovers from what is there.");
  MDB_txn* writer = nullptr;
  check(mdb_txn_begin(env_, nullptr, 0, &writer), "begin to write");
  writing_ = std::this_thread::get_id();
  return writer;
}

void environment::commit(MDB_txn* writer, bool changed) {
  try {
    if (changed) require_disk_space();
    if (changed && !marked_open_) write_mark(writer, {true, identity_of(file_)});
  } catch (...) {
    abort(writer);
    throw;
  }
  // Given up first: another thread may begin as soon as the commit has let go of LMDB's writer mutex.
  writing_ = std::thread::id{};
  int rc = 0;
  try {
    rc = mdb_txn_commit(writer);
  } catch (...) {  // damage was found on the way; the transaction is neither there nor gone
    broken_ = true;
    throw;
  }
  // After a failed sync the kernel may call the lost pages clean: a second try would "succeed" without them.
  if (rc != 0 && errc_of(rc) == storage_errc::io) broken_ = true;
  check(rc, "commit");
  if (!changed) return;
  marked_open_ = true;
  if (!noted_whole_) note_whole();
  make_room();
}

// With the first commit something is there that may be relied upon, so from now on it may not be made anew.
void environment::note_whole() try {
  const std::lock_guard guard(noting_);
  if (noted_whole_) return;
  write_contents(directory_, {false, directory_state::whole, {}});
  noted_whole_ = true;
} catch (const storage_error&) {
  broken_ = true;
  throw;
}

// What goes wrong here leaves the file marked as open: then a copy of it is checked before it is used, and nothing else.
void environment::mark_closed() noexcept {
  if (!marked_open_ || broken_) return;
  MDB_txn* writer = nullptr;
  if (mdb_txn_begin(env_, nullptr, 0, &writer) != 0) return;
  try {
    write_mark(writer, {false, identity_of(file_)});
  } catch (const storage_error&) {
    mdb_txn_abort(writer);
    return;
  }
  (void)mdb_txn_commit(writer);
}

void environment::abort(MDB_txn* writer) noexcept {
  writing_ = std::thread::id{};
  mdb_txn_abort(writer);
}

// Where the used part of the file ends. A page that became free inside it counts as used: it has its block.
std::uint64_t environment::used_bytes() const noexcept {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return (info.me_last_pgno + 1) * page_bytes_;
}

std::uint64_t environment::file_bytes() const {
  struct stat found {};
  if (fstat(file_, &found) != 0) check(errno, "look at the data file");
  return static_cast<std::uint64_t>(found.st_size);
}

// Into blocks that are reserved a commit may go whatever the disk has left; one that begins there and ends beyond takes its rest from
// the reserve. Asking the disk takes about half a microsecond, against hundreds for the commit itself.
void environment::require_disk_space() const {
  if (options_.reserve_bytes == 0 || ahead_->bytes_ahead(used_bytes()) > 0) return;
  if (const auto available = disk_bytes_free(directory_file_); available < options_.reserve_bytes)
    throw storage_error(storage_errc::full, "Only " + std::to_string(available >> 20U) + " MiB are free on the disk of " +
                                                directory_.string() + ", less than the reserve of " +
                                                std::to_string(options_.reserve_bytes >> 20U) + " MiB; make room on it.");
}

void environment::copy_to(const fs::path& directory, const std::stop_token& stop) {
  make_private_directories(directory);
  std::error_code error;
  if (!fs::is_empty(directory, error) || error)
    throw storage_error(storage_errc::unsupported, "The directory " + directory.string() + " is not empty; copy into a new one.");
  copy_data_file(env_, directory, {usage().bytes_used, options_.reserve_bytes + options_.preallocate_bytes, stop});
}

store_usage environment::usage() {
  MDB_envinfo info{};
  MDB_stat stat{};
  check(mdb_env_info(env_, &info), "read the store's size");
  auto* reader = take_reader();
  std::uint64_t pages = 2;  // the two meta pages
  int rc = 0;
  for (std::size_t i = 0; i < table_count && rc == 0; ++i) {
    rc = mdb_stat(reader, tables_[i], &stat);
    pages += pages_of(stat);
  }
  give_back_reader(reader);
  check(rc, "read the store's size");
  const auto file_bytes = (info.me_last_pgno + 1) * stat.ms_psize;
  const auto available = disk_bytes_free(directory_file_);
  const auto room = ahead_->bytes_ahead(file_bytes) + (available > options_.reserve_bytes ? available - options_.reserve_bytes : 0);
  return {pages * stat.ms_psize, std::min(options_.map_bytes_max, file_bytes + room)};
}

void environment::trim() noexcept try {
  const auto map = mapping_of(file_);
  // The map is file-backed and read-only: a dropped page is read again when it is touched, also by a reader at work now.
  if (!map.empty()) madvise(map.data(), std::min<std::uint64_t>(map.size(), used_bytes()), MADV_DONTNEED);
  malloc_trim(0);
} catch (const std::exception&) {  // no memory for a line: then there is nothing to give back either
}

}  // namespace crema::storage
