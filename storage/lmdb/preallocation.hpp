// Blocks of the disk that belong to the data file before it needs them. Private to storage/lmdb.
//
// Problem: a disk that runs full is noticed by the commit that finds no block, and then the process must end. Solution: a step of
// blocks is reserved ahead of what is used. Where the disk has none left for the next step, has_room() says so, and what is under way
// goes on in the blocks that are there. The file's length stays what is used: neither a copy nor LMDB sees them.
//
// A file system that cannot reserve blocks has room until a commit finds none. Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace crema::storage {

/// What the disk of the open file has left for us. Throws storage_error (io).
std::uint64_t disk_bytes_free(int file);

class preallocation {
 public:
  struct limits {
    std::uint64_t step_bytes = 0;     ///< at the most so much is ahead, at least half of it while there is room; 0: nothing
    std::uint64_t reserve_bytes = 0;  ///< a step leaves so much free on the disk
    std::uint64_t file_bytes_max = 0;
  };
  /// Gives back what a killed process had reserved. The file stays open until this is gone.
  preallocation(int file, const limits& l);
  /// Gives back what was not used.
  ~preallocation();
  preallocation(const preallocation&) = delete;
  preallocation& operator=(const preallocation&) = delete;

  /// Reserves the next step where it is time to. `used_bytes`: where the used part of the file ends. About 0.1 ms where it does.
  void look(std::uint64_t used_bytes) noexcept;

  bool has_room() const noexcept { return has_room_.load(std::memory_order_relaxed); }
  /// Of the blocks reserved, those beyond `used_bytes`.
  std::uint64_t bytes_ahead(std::uint64_t used_bytes) const noexcept;

 private:
  bool reserve(std::uint64_t from, std::uint64_t bytes) noexcept;
  void give_back() noexcept;

  const int file_;
  const limits limits_;
  const bool used_at_all_;             // there is a step, and the file system can reserve
  std::mutex mutex_;                   // one looks at a time
  std::atomic<std::uint64_t> end_{0};  // of the blocks reserved, from the file's beginning
  std::atomic<bool> has_room_{true};
};

}  // namespace crema::storage
