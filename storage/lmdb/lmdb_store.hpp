// The store on a disk: one LMDB environment in a directory of its own.
//
// Durable means: LMDB's default mode, an fdatasync and a synchronous write of the meta page a commit; no flag that weakens it is used. One
// process at a time that writes, or any number that read (storage/directory/directory_lock). Local file systems only, to write to. Read
// transactions are kept and renewed, so a snapshot costs about a microsecond. Threads: as storage/store.hpp says; a transaction is
// committed or dropped by the thread that began it, and a thread that has one open must not begin another. Snapshots and transactions die
// before the store.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "storage/store.hpp"

namespace crema::storage {

struct lmdb_options {
  std::uint64_t map_bytes_max = 64ULL << 30U;      ///< what the data file may grow to; address space, not memory
  std::uint64_t reserve_bytes = 256ULL << 20U;     ///< a commit that finds less free disk space is refused as `full`; 0: not checked
  unsigned readers_max = 512;                      ///< snapshots at one time
  std::uint64_t preallocate_bytes = 64ULL << 20U;  ///< disk space reserved ahead of what is used; 0: none
  bool read_only = false;                          ///< nothing is made, locked or written there: for media that cannot be written
  bool to_restore = false;                         ///< into a new directory, which is not served before that has ended
  bool must_exist = false;                         ///< nothing is made where there is nothing
  std::uint64_t map_reserve_bytes = 32ULL << 20U;  ///< of map_bytes_max, for what is under way: nothing new begins there; at most a quarter
};

/// Opens the store in `directory`, made if there was nothing. What is there must be whole, or the store has doubts (store::doubt).
/// Throws storage_error: locked (another process has it), unsupported (a network file system), format (not a store), corrupt (not whole),
/// full, io.
std::unique_ptr<store> open_lmdb(const std::filesystem::path& directory, const lmdb_options& options = {});

}  // namespace crema::storage
