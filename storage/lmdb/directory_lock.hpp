// A data directory belongs to one process: an flock on its file `lock`, which the kernel gives back when the process ends.
// LMDB itself would let two processes in, and its own locks do not survive two opens in one process.
#pragma once

#include <filesystem>

namespace crema::storage {

class directory_lock {
 public:
  /// Throws storage_error: locked (names the holder), unsupported (a network file system), io.
  explicit directory_lock(const std::filesystem::path& directory);
  ~directory_lock();
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace crema::storage
