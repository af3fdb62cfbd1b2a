// A disk of a test's own, as small as it wants: a file system in memory, which only root can mount.
#pragma once

#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/storage/temporary_directory.hpp"

namespace crema::tests {

class small_disk {
 public:
  explicit small_disk(std::uint64_t bytes) : mounted_(mount("none", at_.path.c_str(), "tmpfs", 0, size(bytes).c_str()) == 0) {}
  /// One whose file system cannot reserve blocks, and has no end.
  small_disk() : mounted_(mount("none", at_.path.c_str(), "ramfs", 0, nullptr) == 0) {}
  ~small_disk() {
    if (mounted_) umount2(at_.path.c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  /// False: this process may not mount, and the test must say that it did nothing.
  bool mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return at_.path; }
  bool resize(std::uint64_t bytes) { return mount("none", at_.path.c_str(), "tmpfs", MS_REMOUNT, size(bytes).c_str()) == 0; }
  std::uint64_t bytes_free() const {
    struct statvfs found {};
    return statvfs(at_.path.c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize : 0;
  }

 private:
  static std::string size(std::uint64_t bytes) { return "size=" + std::to_string(bytes); }

  temporary_directory at_;
  bool mounted_;
};

}  // namespace crema::tests
