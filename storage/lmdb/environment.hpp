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
#include <thread>
#include <vector>

#include "storage/lmdb/directory_lock.hpp"
#include "storage/lmdb/lmdb_store.hpp"
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

  /// Throws std::logic_error where this thread writes already: LMDB would wait for itself for ever.
  MDB_txn* begin_write();
  /// Ends it either way. Throws storage_error.
  void commit(MDB_txn* writer, bool changed);
  void abort(MDB_txn* writer) noexcept;

  void copy_to(const std::filesystem::path& directory) const;
  store_usage usage();
  bool has_room() const noexcept { return ahead_->has_room(); }
  void make_room() noexcept { ahead_->look(used_bytes()); }
  void trim() noexcept;

 private:
  void open_env();
  void open_tables();
  void fill_short_file();
  std::uint64_t used_bytes() const noexcept;
  void require_disk_space() const;

  std::filesystem::path directory_;
  lmdb_options options_;
  directory_lock lock_;
  int directory_file_ = -1;
  MDB_env* env_ = nullptr;
  std::uint64_t page_bytes_ = 0;
  std::optional<preallocation> ahead_;
  std::array<MDB_dbi, table_count> tables_{};

  std::mutex mutex_;  // guards the two below
  std::vector<MDB_txn*> idle_;
  std::size_t readers_made_ = 0;

  std::atomic<std::thread::id> writing_{};  // the thread that has a write transaction open
  std::atomic<bool> broken_ = false;        // a write or a sync failed: what is on disk is not known until it is opened again
};

}  // namespace crema::storage
