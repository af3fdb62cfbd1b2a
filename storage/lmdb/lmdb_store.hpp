// The store on a disk: one LMDB environment in a directory of its own.
//
// Durable means: LMDB's default mode, an fdatasync and a synchronous write of the meta page a commit; no flag that weakens it is used. One
// process at a time, by an flock on the file `lock`. Local file systems only. Read transactions are kept and renewed, so a snapshot costs
// about a microsecond. Threads: as storage/store.hpp says; a transaction is committed or dropped by the thread that began it, and a thread
// that has one open must not begin another. Snapshots and transactions die before the store.
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
};

/// Opens the store in `directory`, made if it is not there. Throws storage_error: locked (another process has it), unsupported (a
/// network file system), format (not a store), full, io.
std::unique_ptr<store> open_lmdb(const std::filesystem::path& directory, const lmdb_options& options = {});

}  // namespace crema::storage
