#include "telemetry/log_file.hpp"

#include <fcntl.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <unistd.h>

namespace crema::telemetry {

namespace {

// A file whose name is not on disk is not there after a power cut.
bool sync_directory_of(const std::filesystem::path& file) noexcept {
  const int directory = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool done = ::fsync(directory) == 0;
  ::close(directory);
  return done;
}

}  // namespace

log_file::log_file(const std::filesystem::path& path, std::uint64_t bytes_max, std::uint32_t files_max)
    : path_(path.string()), open_(std::make_shared<state>()) {
  spdlog::file_event_handlers on;
  on.after_open = [s = open_](const std::string& name, std::FILE* stream) {
    s->stream = stream;
    if (!sync_directory_of(name)) s->failed = true;
  };
  on.before_close = [s = open_](const std::string&, std::FILE*) {
    if (s->owes) s->write_out();
    s->stream = nullptr;
  };
  sink_ = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path_, bytes_max, files_max, false, on);
  open_->failed = false;
}

bool log_file::reopen() noexcept {
  if (open_->stream == nullptr) return false;
  if (open_->owes) open_->write_out();
  // In its place: spdlog goes on with the stream that it has.
  if (std::freopen(path_.c_str(), "ab", open_->stream) != nullptr) return sync_directory_of(path_);
  open_->stream = nullptr;
  return false;
}

void log_file::state::write_out() noexcept {
  if (stream == nullptr || std::fflush(stream) != 0 || ::fdatasync(::fileno(stream)) != 0) failed = true;
}

bool log_file::sync() noexcept {
  open_->write_out();
  const bool done = !open_->failed;
  if (!done && open_->stream != nullptr) {  // what is half written must not be the beginning of the next line
    std::clearerr(open_->stream);
    (void)std::fputc('\n', open_->stream);
  }
  open_->owes = open_->failed = false;
  return done;
}

}  // namespace crema::telemetry
