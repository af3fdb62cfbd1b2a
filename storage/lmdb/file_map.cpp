#include "storage/lmdb/file_map.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "storage/lmdb/lmdb_error.hpp"

namespace crema::storage {

namespace {

std::uint64_t page_end(std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

std::uint64_t length_of(int file) {
  struct stat found {};
  if (fstat(file, &found) != 0) check(errno, "look at the data file");
  return static_cast<std::uint64_t>(found.st_size);
}

}  // namespace

// By name and number: a number alone may also be that of a file on another disk.
std::span<std::byte> mapping_of(int file) {
  struct stat wanted {};
  std::error_code error;
  const auto name = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file), error).string();
  if (error || fstat(file, &wanted) != 0) return {};
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    std::uintptr_t begin = 0, end = 0;
    unsigned long long inode = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %llu", &begin, &end, &inode) == 3 && inode == wanted.st_ino &&
        line.ends_with(" " + name))
      return {reinterpret_cast<std::byte*>(begin), end - begin};  // NOLINT(performance-no-int-to-ptr): the kernel tells it as a number
  }
  return {};
}

zeros_behind_end::zeros_behind_end(int file, std::uint64_t needed_bytes) : file_(file), needed_bytes_(needed_bytes) {
  const auto whole = mapping_of(file);
  const auto from = page_end(length_of(file)), to = page_end(needed_bytes);
  if (to <= from) return;  // the rest of the last page reads as zeros anyway
  if (whole.size() < to) check(EFAULT, "find the data file in memory");
  hidden_ = whole.subspan(from, to - from);
  map(-1, MAP_PRIVATE | MAP_ANONYMOUS, 0);
}

void zeros_behind_end::become_real() {
  const auto from = page_end(length_of(file_));
  if (ftruncate(file_, static_cast<off_t>(needed_bytes_)) != 0) check(errno, "prepare the data file");
  if (!hidden_.empty()) map(file_, MAP_SHARED, from);
}

void zeros_behind_end::map(int file, int flags, std::uint64_t from) const {
  if (mmap(hidden_.data(), hidden_.size(), PROT_READ, flags | MAP_FIXED, file, static_cast<off_t>(from)) == MAP_FAILED)
    check(errno, "map the data file");
}

}  // namespace crema::storage
