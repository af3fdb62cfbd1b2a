// A rotating log file that can be made to last: what was written before sync() is on disk after it, in whichever file rotation left it.
// Internal to telemetry/; used by the writing thread only.
#pragma once

#include <spdlog/sinks/sink.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace crema::telemetry {

class log_file {
 public:
  /// Opened for appending, and not rotated on opening: a restart goes on in the same file. Throws where it cannot be opened.
  log_file(const std::filesystem::path& path, std::uint64_t bytes_max, std::uint32_t files_max);

  const spdlog::sink_ptr& sink() const noexcept { return sink_; }
  /// Before a line that must last is written: from here on a rotation syncs what it closes.
  void begin() noexcept { open_->owes = true; }
  /// Goes on in a new file of the same name: somebody has moved the present one away. False: it cannot be opened, and lines are lost.
  bool reopen() noexcept;
  /// False: some of it may not be on disk, and is not tried again. The next line begins on a line of its own.
  bool sync() noexcept;

 private:
  struct state {
    std::FILE* stream = nullptr;  // spdlog's
    bool owes = false, failed = false;
    void write_out() noexcept;
  };
  const std::string path_;
  std::shared_ptr<state> open_;
  spdlog::sink_ptr sink_;
};

}  // namespace crema::telemetry
