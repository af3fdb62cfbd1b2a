// A compact copy of an open data file, made while it is written to. Private to storage/lmdb.
//
// Problem: LMDB writes its copy as fast as the disk takes it, whatever it leaves free, and cannot be stopped. Solution: LMDB writes into
// a pipe, and what comes out of it is written in pieces: between two, the disk's room and the wish to stop are looked at. The copy has
// another name until it is whole and on disk.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <filesystem>
#include <stop_token>

namespace crema::storage {

struct copy_limits {
  std::uint64_t bytes_expected = 0;  ///< of the copy, about
  std::uint64_t leave_bytes = 0;     ///< so much stays free on the disk of the copy
  std::stop_token stop;
};

/// Into an empty directory; blocks. Throws storage_error: full (before anything was written, or on the way), stopped, io. Then nothing
/// is left of it.
void copy_data_file(MDB_env* env, const std::filesystem::path& directory, const copy_limits& limits);

}  // namespace crema::storage
