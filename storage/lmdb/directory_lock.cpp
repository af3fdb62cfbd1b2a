#include "storage/lmdb/directory_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "storage/store.hpp"

namespace crema::storage {

namespace {

struct remote_file_system {
  std::uint32_t magic;
  const char* name;
};

// From linux/magic.h and statfs(2). LMDB needs coherent memory maps and locks, which these do not promise.
constexpr std::array<remote_file_system, 8> remote_file_systems{{{0x6969, "NFS"},
                                                                 {0x517B, "SMB"},
                                                                 {0xFF534D42, "CIFS"},
                                                                 {0xFE534D42, "SMB2"},
                                                                 {0x65735546, "FUSE"},
                                                                 {0x01021997, "9P"},
                                                                 {0x00C36400, "Ceph"},
                                                                 {0x5346414F, "AFS"}}};

std::string holder_of(int file) {
  std::array<char, 24> text{};
  const auto n = pread(file, text.data(), text.size() - 1, 0);
  const std::string pid(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  return pid.empty() ? std::string{} : " (process " + pid + ")";
}

// For the message of the next one who comes only: a failure here changes nothing.
void leave_pid(int file) {
  const auto pid = std::to_string(getpid());
  if (ftruncate(file, 0) != 0 || pwrite(file, pid.data(), pid.size(), 0) < 0) return;
}

void refuse_remote(const std::filesystem::path& directory) {
  struct statfs found {};
  if (statfs(directory.c_str(), &found) != 0) return;  // opening the lock file gives the better message
  for (const auto& remote : remote_file_systems)
    if (static_cast<std::uint32_t>(found.f_type) == remote.magic)
      throw storage_error(storage_errc::unsupported, "The data directory " + directory.string() + " is on " + remote.name +
                                                         ", which cannot keep data safe; choose a directory on a local disk.");
}

}  // namespace

directory_lock::directory_lock(const std::filesystem::path& directory) {
  refuse_remote(directory);
  const auto path = directory / "lock";
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file_ < 0)
    throw storage_error(storage_errc::io,
                        "Cannot open " + path.string() + ": " + std::strerror(errno) + "; give crema's user the right to write there.");
  if (flock(file_, LOCK_EX | LOCK_NB) == 0) {
    leave_pid(file_);
    return;
  }
  const auto why = errno;
  const auto holder = holder_of(file_);
  close(file_);
  if (why == EWOULDBLOCK)
    throw storage_error(storage_errc::locked, "Another process" + holder + " has the data directory " + directory.string() +
                                                  " open; stop it, or choose another directory.");
  throw storage_error(storage_errc::unsupported,
                      "Cannot lock " + path.string() + ": " + std::strerror(why) + "; choose a directory on a local disk.");
}

directory_lock::~directory_lock() { close(file_); }

}  // namespace crema::storage
