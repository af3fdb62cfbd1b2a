// A data directory belongs to one process that writes, or to any number that only read: by flock, which the kernel gives back when the
// process ends. LMDB itself would let two processes in, and its own locks do not survive two opens in one process.
//
// Who writes locks the file `lock` and the directory itself; who reads, the directory alone: that takes no write, so a read-only medium
// can be read.
#pragma once

#include <cstdint>
#include <filesystem>

namespace crema::storage {

enum class directory_use : std::uint8_t { write, read };

class directory_lock {
 public:
  /// Throws storage_error: locked (names the holder), unsupported (a network file system, to write to), io.
  explicit directory_lock(const std::filesystem::path& directory, directory_use use = directory_use::write);
  ~directory_lock();
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;

 private:
  void lock_to_write(const std::filesystem::path& directory);
  void lock_to_read(const std::filesystem::path& directory);
  void let_go() noexcept;

  int file_ = -1, directory_ = -1;
};

}  // namespace crema::storage
