#include "storage/directory/directory_lock.hpp"

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

#include "storage/directory/durable_file.hpp"
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

namespace {

int opened(const std::filesystem::path& path, int flags, const char* right) {
  const int file = open(path.c_str(), flags | O_CLOEXEC, private_file_mode);
  if (file < 0)
    throw storage_error(storage_errc::io, "Cannot open " + path.string() + ": " + std::strerror(errno) +
                                              "; give crema's user the right to " + right + " there.");
  return file;
}

// Nothing where the lock was taken, else why not.
int try_lock(int file, int how) { return flock(file, how | LOCK_NB) == 0 ? 0 : errno; }

[[noreturn]] void refuse_locked(const std::filesystem::path& directory, const std::string& who) {
  throw storage_error(storage_errc::locked, "Another process" + who + " has the data directory " + directory.string() +
                                                " open; stop it, or choose another directory.");
}

}  // namespace

directory_lock::directory_lock(const std::filesystem::path& directory, directory_use use) {
  try {
    if (use == directory_use::write)
      lock_to_write(directory);
    else
      lock_to_read(directory);
  } catch (...) {
    let_go();
    throw;
  }
}

directory_lock::~directory_lock() { let_go(); }

void directory_lock::lock_to_write(const std::filesystem::path& directory) {
  refuse_remote(directory);
  const auto path = directory / "lock";
  file_ = opened(path, O_RDWR | O_CREAT, "write");
  auto why = try_lock(file_, LOCK_EX);
  if (why == EWOULDBLOCK) refuse_locked(directory, holder_of(file_));
  if (why == 0) {
    directory_ = opened(directory, O_RDONLY | O_DIRECTORY, "read");
    why = try_lock(directory_, LOCK_EX);
  }
  if (why == EWOULDBLOCK) refuse_locked(directory, " reads what is there and");
  if (why != 0)
    throw storage_error(storage_errc::unsupported,
                        "Cannot lock " + path.string() + ": " + std::strerror(why) + "; choose a directory on a local disk.");
  leave_pid(file_);
}

// Where a file system has no locks, nobody writes to the directory either: who writes is refused there.
void directory_lock::lock_to_read(const std::filesystem::path& directory) {
  directory_ = opened(directory, O_RDONLY | O_DIRECTORY, "read");
  if (try_lock(directory_, LOCK_SH) != EWOULDBLOCK) return;
  const int file = open((directory / "lock").c_str(), O_RDONLY | O_CLOEXEC);
  const auto who = file >= 0 ? holder_of(file) : std::string{};
  if (file >= 0) close(file);
  refuse_locked(directory, who);
}

void directory_lock::let_go() noexcept {
  if (file_ >= 0) close(file_);
  if (directory_ >= 0) close(directory_);
}

}  // namespace crema::storage
