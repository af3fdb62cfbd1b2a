#include "storage/lmdb/environment.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>

#include "storage/lmdb/lmdb_error.hpp"

namespace crema::storage {

namespace {

namespace fs = std::filesystem;

const fs::path& made(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    throw storage_error(storage_errc::io, "Cannot make the data directory " + directory.string() + ": " + error.message() +
                                              "; choose one that crema's user may write.");
  return directory;
}

// Makes a new file's name, or a copy's bytes, survive a power cut.
void sync_path(const fs::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return check(errno, "open a file to sync it");
  const int rc = fsync(file) == 0 ? 0 : errno;
  close(file);
  check(rc, "sync to the disk");
}

std::uint64_t pages_of(const MDB_stat& s) { return s.ms_branch_pages + s.ms_leaf_pages + s.ms_overflow_pages; }

std::uint64_t system_page_bytes() { return static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)); }

// LMDB asserts on damaged pages and would abort the process. Thrown through its C frames instead, which the unwind tables of the
// platforms we build for allow; without them it ends the process, as before.
void assertion_failed(MDB_env*, const char* text) {
  throw storage_error(storage_errc::corrupt,
                      std::string("The data file is damaged (") + text + "); restore a backup, or fetch the data from a replica.");
}

}  // namespace

environment::environment(const fs::path& directory, const lmdb_options& options)
    : directory_(made(directory)), options_(options), lock_(directory_) {
  try {
    directory_file_ = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_file_ < 0) check(errno, "open the data directory");
    open_env();
    open_tables();
    sync_path(directory_);
  } catch (...) {
    ahead_.reset();
    if (env_ != nullptr) mdb_env_close(env_);
    if (directory_file_ >= 0) close(directory_file_);
    throw;
  }
}

environment::~environment() {
  for (auto* reader : idle_) mdb_txn_abort(reader);
  ahead_.reset();
  mdb_env_close(env_);
  close(directory_file_);
}

void environment::open_env() {
  check(mdb_env_create(&env_), "set up LMDB");
  check(mdb_env_set_assert(env_, assertion_failed), "set up LMDB");
  const auto page = system_page_bytes();
  check(mdb_env_set_mapsize(env_, (options_.map_bytes_max + page - 1) / page * page), "set the store's largest size");
  check(mdb_env_set_maxreaders(env_, options_.readers_max), "set the number of readers");
  check(mdb_env_set_maxdbs(env_, table_count), "set the number of tables");
  check(mdb_env_open(env_, directory_.c_str(), MDB_NOTLS, 0640), "open the store");
  fill_short_file();
  int dead = 0;
  check(mdb_reader_check(env_, &dead), "clear stale readers");
}

// A file that ends before its meta page says (a copy cut short) would be a SIGBUS at the first touch behind its end. Zeros are an
// error that can be told. A sound file may be short too: pages taken and given back by one transaction were never written.
void environment::fill_short_file() {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_filehandle_t file = -1;
  check(mdb_env_info(env_, &info), "read the store's size");
  check(mdb_env_stat(env_, &stat), "read the store's size");
  check(mdb_env_get_fd(env_, &file), "read the store's size");
  const auto needed = static_cast<off_t>((info.me_last_pgno + 1) * stat.ms_psize);
  struct stat found {};
  if (fstat(file, &found) != 0 || (found.st_size < needed && ftruncate(file, needed) != 0)) check(errno, "prepare the data file");
  page_bytes_ = stat.ms_psize;
  ahead_.emplace(file, preallocation::limits{options_.preallocate_bytes, options_.reserve_bytes, info.me_mapsize});
}

void environment::open_tables() {
  MDB_txn* txn = nullptr;
  check(mdb_txn_begin(env_, nullptr, 0, &txn), "open the tables");
  for (std::size_t i = 0; i < table_count; ++i) {
    const std::string name(name_of(static_cast<table>(i)));
    if (const int rc = mdb_dbi_open(txn, name.c_str(), MDB_CREATE, &tables_[i]); rc != 0) {
      mdb_txn_abort(txn);
      check(rc, "open the tables");
    }
  }
  check(mdb_txn_commit(txn), "open the tables");
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
  } catch (...) {
    abort(writer);
    throw;
  }
  // Given up first: another thread may begin as soon as the commit has let go of LMDB's writer mutex.
  writing_ = std::thread::id{};
  const int rc = mdb_txn_commit(writer);
  // After a failed sync the kernel may call the lost pages clean: a second try would "succeed" without them.
  if (rc != 0 && errc_of(rc) == storage_errc::io) broken_ = true;
  check(rc, "commit");
  if (changed) make_room();
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

// Into blocks that are reserved a commit may go whatever the disk has left; one that begins there and ends beyond takes its rest from
// the reserve. Asking the disk takes about half a microsecond, against hundreds for the commit itself.
void environment::require_disk_space() const {
  if (options_.reserve_bytes == 0 || ahead_->bytes_ahead(used_bytes()) > 0) return;
  if (const auto available = disk_bytes_free(directory_file_); available < options_.reserve_bytes)
    throw storage_error(storage_errc::full, "Only " + std::to_string(available >> 20U) + " MiB are free on the disk of " +
                                                directory_.string() + ", less than the reserve of " +
                                                std::to_string(options_.reserve_bytes >> 20U) + " MiB; make room on it.");
}

void environment::copy_to(const fs::path& directory) const {
  made(directory);
  std::error_code error;
  if (!fs::is_empty(directory, error) || error)
    throw storage_error(storage_errc::unsupported, "The directory " + directory.string() + " is not empty; copy into a new one.");
  const auto file = directory / "data.mdb";
  try {
    check(mdb_env_copy2(env_, directory.c_str(), MDB_CP_COMPACT), "copy the store");
    sync_path(file);
    sync_path(directory);
  } catch (...) {
    fs::remove(file, error);  // half a copy must not look like one
    throw;
  }
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
  return {pages * stat.ms_psize, std::min<std::uint64_t>(info.me_mapsize, file_bytes + room)};
}

namespace {

// Where the file is mapped: LMDB does not tell (me_mapaddr is for fixed maps), the kernel does. Empty where it cannot be read.
std::span<std::byte> mapping_of(int file) {
  struct stat wanted {};
  if (fstat(file, &wanted) != 0) return {};
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    std::uintptr_t begin = 0, end = 0;
    unsigned long long inode = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %llu", &begin, &end, &inode) == 3 && inode == wanted.st_ino)
      return {reinterpret_cast<std::byte*>(begin), end - begin};  // NOLINT(performance-no-int-to-ptr): the kernel tells it as a number
  }
  return {};
}

}  // namespace

void environment::trim() noexcept try {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_filehandle_t file = -1;
  if (mdb_env_info(env_, &info) != 0 || mdb_env_stat(env_, &stat) != 0 || mdb_env_get_fd(env_, &file) != 0) return;
  const auto map = mapping_of(file);
  // The map is file-backed and read-only: a dropped page is read again when it is touched, also by a reader at work now.
  if (!map.empty()) madvise(map.data(), std::min(map.size(), (info.me_last_pgno + 1) * stat.ms_psize), MADV_DONTNEED);
  malloc_trim(0);
} catch (const std::exception&) {  // no memory for a line: then there is nothing to give back either
}

}  // namespace crema::storage
