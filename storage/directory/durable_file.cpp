#include "storage/directory/durable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "storage/store.hpp"

namespace crema::storage {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const char* doing, const fs::path& path, int why) {
  throw storage_error(
      why == ENOSPC || why == EDQUOT ? storage_errc::full : storage_errc::io,
      std::string("Cannot ") + doing + " " + path.string() + ": " + std::strerror(why) + "; look at the disk and who may write there.");
}

// "data" and "data/" are in the working directory.
fs::path parent_of(const fs::path& path) {
  const auto named = path.has_filename() ? path : path.parent_path();
  return named.has_parent_path() ? named.parent_path() : fs::path(".");
}

class open_file {
 public:
  open_file(const fs::path& path, int flags, unsigned mode = 0) : path_(path), file_(open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (file_ < 0) refuse("open", path_, errno);
  }
  ~open_file() { close(file_); }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  void write_all(std::string_view text) {
    while (!text.empty()) {
      const auto n = write(file_, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) refuse("write", path_, errno);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void sync() {
    if (fsync(file_) != 0) refuse("sync", path_, errno);
  }

 private:
  const fs::path& path_;
  int file_;
};

}  // namespace

void sync_path(const fs::path& path) { open_file(path, O_RDONLY).sync(); }

void make_private_directories(const fs::path& directory) {
  if (directory.empty() || fs::is_directory(directory)) return;
  const auto above = parent_of(directory);
  make_private_directories(above);
  if (mkdir(directory.c_str(), private_directory_mode) != 0 && !(errno == EEXIST && fs::is_directory(directory)))
    throw storage_error(storage_errc::io, "Cannot make the data directory " + directory.string() + ": " + std::strerror(errno) +
                                              "; choose one that crema's user may write.");
  sync_path(above);
}

void replace_file(const fs::path& path, std::string_view text) {
  const fs::path fresh = path.string() + ".new";
  {
    open_file file(fresh, O_WRONLY | O_CREAT | O_TRUNC, private_file_mode);
    file.write_all(text);
    file.sync();
  }
  rename_durably(fresh, path);
}

void rename_durably(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) refuse("rename", from, errno);
  sync_path(parent_of(to));
}

}  // namespace crema::storage
