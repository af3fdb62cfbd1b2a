// What a data file says of who has it open. Private to storage/lmdb. Format: docs/formats/README.md.
//
// Problem: a copy of the file that was taken while a process wrote it may be torn, with pages of several commits, and looks like any
// other. Solution: the first commit of a process notes that the file is open, and which file it is; a close notes that it is closed. An
// open file that is another one than it says is such a copy, or one of a killed process's file: it has to be checked before it is used.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <optional>

namespace crema::storage {

/// A file as its file system knows it: it stays the same when the file is renamed or the machine starts again, and no copy has it.
struct file_identity {
  std::uint64_t inode = 0;
  std::uint64_t born_ns = 0;  ///< 0: the file system does not tell

  bool may_be(const file_identity& other) const noexcept {
    return inode == other.inode && (born_ns == other.born_ns || born_ns == 0 || other.born_ns == 0);
  }
};
/// Throws storage_error (io).
file_identity identity_of(int file);

struct opening_mark {
  bool open = false;
  file_identity file;
};

/// Nothing where there is none, or none that can be read. Throws storage_error.
std::optional<opening_mark> read_mark(MDB_txn* txn);
void write_mark(MDB_txn* txn, const opening_mark& mark);

}  // namespace crema::storage
