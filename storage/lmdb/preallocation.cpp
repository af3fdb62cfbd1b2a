#include "storage/lmdb/preallocation.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "storage/lmdb/lmdb_error.hpp"

namespace crema::storage {

std::uint64_t disk_bytes_free(int file) {
  struct statvfs found {};
  if (fstatvfs(file, &found) != 0) check(errno, "read the free space of the disk");
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

namespace {

// Asked for a block that the file has, so that nothing changes.
bool can_reserve(int file) { return fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 1) == 0 || (errno != EOPNOTSUPP && errno != ENOSYS); }

}  // namespace

preallocation::preallocation(int file, const limits& l) : file_(file), limits_(l), used_at_all_(l.step_bytes > 0 && can_reserve(file)) {
  constexpr std::uint64_t block_bytes = 512;  // stat's, whatever the file system's
  struct stat found {};
  if (fstat(file_, &found) == 0 && static_cast<std::uint64_t>(found.st_blocks) * block_bytes > static_cast<std::uint64_t>(found.st_size))
    give_back();
}

preallocation::~preallocation() {
  if (end_ > 0) give_back();
}

void preallocation::look(std::uint64_t used_bytes) noexcept try {
  if (!used_at_all_) return;
  const std::lock_guard guard(mutex_);
  const auto wanted = std::min(used_bytes + limits_.step_bytes, limits_.file_bytes_max);
  const auto from = std::max(used_bytes, end_.load());
  if (bytes_ahead(used_bytes) >= limits_.step_bytes / 2 || wanted <= from) {
    has_room_ = true;
    return;
  }
  const bool fits = disk_bytes_free(file_) >= limits_.reserve_bytes + (wanted - from);
  has_room_ = fits && reserve(from, wanted - from);
} catch (const storage_error&) {  // nobody knows what is free: the next commit will say what is wrong with the disk
}

// fallocate and not posix_fallocate: where a file system cannot do it, the C library would write every block, for as long as that takes.
bool preallocation::reserve(std::uint64_t from, std::uint64_t bytes) noexcept {
  if (fallocate(file_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from), static_cast<off_t>(bytes)) == 0) {
    end_ = from + bytes;
    return true;
  }
  return errno == EINTR;  // the next look tries again
}

std::uint64_t preallocation::bytes_ahead(std::uint64_t used_bytes) const noexcept {
  const auto end = end_.load();
  return end > used_bytes ? end - used_bytes : 0;
}

// Cutting a file to the length that it has lets go of the blocks behind. A failure leaves them to it, which harms nobody.
void preallocation::give_back() noexcept {
  struct stat found {};
  if (fstat(file_, &found) != 0 || ftruncate(file_, found.st_size) != 0) return;
  end_ = 0;
}

}  // namespace crema::storage
