#include "storage/lmdb/data_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/directory/durable_file.hpp"
#include "storage/lmdb/data_file.hpp"
#include "storage/lmdb/lmdb_error.hpp"
#include "storage/lmdb/opening_mark.hpp"
#include "storage/lmdb/preallocation.hpp"

namespace crema::storage {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = 1U << 20U;
constexpr std::uint64_t sync_each_bytes = 32ULL << 20U;  // so that a commit beside it never waits for more than that

class descriptor {
 public:
  explicit descriptor(int file) : file_(file) {}
  ~descriptor() { reset(); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const noexcept { return file_; }
  void reset() noexcept {
    if (file_ >= 0) close(file_);
    file_ = -1;
  }

 private:
  int file_;
};

void require_room(int file, std::uint64_t bytes, const fs::path& directory, const copy_limits& limits) {
  const auto free = disk_bytes_free(file);
  if (free >= bytes + limits.leave_bytes) return;
  throw storage_error(storage_errc::full,
                      "The copy takes about " + std::to_string(limits.bytes_expected >> 20U) + " MiB, and the disk of " +
                          directory.string() + " has " + std::to_string(free >> 20U) + " MiB free, of which " +
                          std::to_string(limits.leave_bytes >> 20U) +
                          " MiB stay (data.reserveBytes and data.preallocateBytes); make room, or choose another disk.");
}

// The end of the pipe that LMDB writes to, and the file.
class copy_writer {
 public:
  copy_writer(int from, int to, const fs::path& directory, const copy_limits& limits)
      : from_(from), to_(to), directory_(directory), limits_(limits), buffer_(piece_bytes) {}

  void run() {
    std::uint64_t unsynced = 0;
    while (const auto n = read_piece()) {
      if (limits_.stop.stop_requested()) throw storage_error(storage_errc::stopped, "The copy was stopped; what there was of it is gone.");
      require_room(to_, n, directory_, limits_);
      write_piece(n);
      if ((unsynced += n) < sync_each_bytes) continue;
      if (fdatasync(to_) != 0) check(errno, "sync the copy");
      unsynced = 0;
    }
    if (fsync(to_) != 0) check(errno, "sync the copy");
  }

 private:
  std::size_t read_piece() {
    for (;;) {
      const auto n = read(from_, buffer_.data(), buffer_.size());
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR) check(errno, "read what is copied");
    }
  }
  void write_piece(std::size_t bytes) {
    for (std::size_t done = 0; done < bytes;) {
      const auto n = write(to_, buffer_.data() + done, bytes - done);
      if (n < 0 && errno != EINTR) check(errno, "write the copy");
      if (n > 0) done += static_cast<std::size_t>(n);
    }
  }

  int from_, to_;
  const fs::path& directory_;
  const copy_limits& limits_;
  std::vector<char> buffer_;
};

void copy_through_pipe(MDB_env* env, int to, const fs::path& directory, const copy_limits& limits) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) check(errno, "copy the store");
  descriptor from(ends[0]), into(ends[1]);
  std::exception_ptr failed;
  std::thread writer([&] {
    try {
      copy_writer(from.get(), to, directory, limits).run();
    } catch (...) {
      failed = std::current_exception();
      from.reset();  // LMDB's next write fails, and it ends
    }
  });
  std::exception_ptr damaged;
  int rc = 0;
  try {
    rc = mdb_env_copyfd2(env, into.get(), MDB_CP_COMPACT);
  } catch (...) { damaged = std::current_exception(); }
  into.reset();
  writer.join();
  if (failed) std::rethrow_exception(failed);
  if (damaged) std::rethrow_exception(damaged);
  check(rc, "copy the store");
}

// The copy has what its source says of who has it open, which is not true of it.
void mark_as_closed(const fs::path& file, std::uint64_t bytes) {
  MDB_env* made = nullptr;
  check(mdb_env_create(&made), "open the copy");
  const std::unique_ptr<MDB_env, void (*)(MDB_env*)> env(made, mdb_env_close);
  constexpr std::uint64_t room_for_the_mark = 1ULL << 20U;
  check(mdb_env_set_mapsize(env.get(), bytes + room_for_the_mark), "open the copy");
  check(mdb_env_open(env.get(), file.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, private_file_mode), "open the copy");
  MDB_txn* writer = nullptr;
  check(mdb_txn_begin(env.get(), nullptr, 0, &writer), "write to the copy");
  try {
    write_mark(writer, {});
  } catch (...) {
    mdb_txn_abort(writer);
    throw;
  }
  check(mdb_txn_commit(writer), "write to the copy");
}

}  // namespace

void copy_data_file(MDB_env* env, const fs::path& directory, const copy_limits& limits) {
  const auto unfinished = directory / unfinished_copy_name;
  const descriptor file(open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, private_file_mode));
  if (file.get() < 0) check(errno, "make the copy's file");
  try {
    require_room(file.get(), limits.bytes_expected, directory, limits);
    copy_through_pipe(env, file.get(), directory, limits);
    mark_as_closed(unfinished, fs::file_size(unfinished));
    rename_durably(unfinished, directory / data_file_name);
  } catch (...) {
    std::error_code error;
    fs::remove(unfinished, error);  // where this fails too, its name says what it is
    throw;
  }
}

}  // namespace crema::storage
