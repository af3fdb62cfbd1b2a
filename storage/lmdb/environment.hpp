// One open LMDB environment: its tables, its pool of read transactions, its guards. Private to storage/lmdb.
//
// Threads: readers from any thread; one writer at a time, which LMDB's own mutex holds to.
#pragma once

#include <lmdb.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "storage/directory/directory_lock.hpp"
#include "storage/lmdb/data_file.hpp"
#include "storage/lmdb/file_map.hpp"
#include "storage/lmdb/lmdb_store.hpp"
#include "storage/lmdb/opening_mark.hpp"
#include "storage/lmdb/preallocation.hpp"

namespace crema::storage {

class environment {
 public:
  environment(const std::filesystem::path& directory, const lmdb_options& options);
  ~environment();
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

  MDB_dbi dbi(table t) const noexcept { return tables_[static_cast<std::size_t>(t)]; }

  /// A read transaction at the present committed state: an idle one renewed, or a new one.
  MDB_txn* take_reader();
  void give_back_reader(MDB_txn* reader) noexcept;

  /// Throws std::logic_error where this thread writes already: LMDB would wait for itself for ever. Throws storage_error where what
  /// is there is in doubt, or opened for reading only.
  MDB_txn* begin_write();
  /// Ends it either way. Throws storage_error.
  void commit(MDB_txn* writer, bool changed);
  void abort(MDB_txn* writer) noexcept;

  void copy_to(const std::filesystem::path& directory, const std::stop_token& stop);
  store_usage usage();
  shortage short_of() const noexcept;
  void make_room() noexcept;
  void trim() noexcept;

  std::string doubt() const;
  void accept();

 private:
  void open_env();
  void widen_map();
  void make_tables();
  void open_what_is_there();
  void open_tables(MDB_txn* reader);
  void judge(MDB_txn* reader);
  [[noreturn]] void refuse_torn(const std::string& why) const;
  bool is_cut_short(MDB_txn* reader) const;
  std::uint64_t used_bytes() const noexcept;
  std::uint64_t file_bytes() const;
  void require_disk_space() const;
  void mark_closed() noexcept;
  void note_whole();

  std::filesystem::path directory_;
  lmdb_options options_;
  directory_lock lock_;
  data_file found_;
  int directory_file_ = -1;
  MDB_env* env_ = nullptr;
  mdb_filehandle_t file_ = -1;
  std::optional<zeros_behind_end> zeros_;
  std::uint64_t page_bytes_ = 0;
  std::uint64_t map_reserve_bytes_ = 0;
  std::optional<preallocation> ahead_;
  std::array<MDB_dbi, table_count> tables_{};

  std::mutex mutex_;  // guards the two below
  std::vector<MDB_txn*> idle_;
  std::size_t readers_made_ = 0;

  std::atomic<std::thread::id> writing_{};  // the thread that has a write transaction open
  std::atomic<bool> broken_ = false;        // a write or a sync failed: what is on disk is not known until it is opened again
  std::atomic<bool> near_limit_ = false;
  std::atomic<bool> in_doubt_ = false;  // what is there may not be whole: nobody writes before accept()
  std::atomic<bool> marked_open_ = false;

  std::mutex noting_;  // one notes that the directory is whole
  std::atomic<bool> noted_whole_ = false;
};

}  // namespace crema::storage
