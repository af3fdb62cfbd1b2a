// Logging: one line an event, text on a terminal, JSON lines otherwise, and rotating files under the data directory.
// The only place that knows spdlog. Thread-safe; never blocks a scheduler or io thread on a disk (lines gather in a bounded queue for
// 50 ms at the most; when it is full, new ones are dropped and counted).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace crema::telemetry {

enum class level : std::uint8_t { debug, info, warn, error };

struct log_settings {
  level threshold = level::info;
  std::filesystem::path directory;            ///< empty: no files
  std::uint64_t file_bytes_max = 16U << 20U;  ///< rotated beyond it
  std::uint32_t files_max = 5;
  bool access_log = true;
  enum class style : std::uint8_t { automatic, text, json } format = style::automatic;  ///< automatic: text on a terminal
};

/// Once, before any other thread. Without it, warnings and errors go to stderr as text. Throws std::runtime_error where the
/// directory cannot be made or a file not be opened.
/// Writes `crema.log` and `access.log` (JSON lines, UTC) into the directory; without one, access lines go to the console too.
void start_logging(const log_settings& settings);
/// Goes on in new files of the same names, once what is queued is in the present ones: for a tool that has moved those away. Any thread.
void reopen_log_files();
/// Writes out what is queued.
void stop_logging();
/// Lines lost since the start because the queue was full.
std::uint64_t log_lines_dropped();

using log_fields = std::initializer_list<std::pair<std::string_view, std::string>>;

/// `message` is a constant sentence; what varies goes into fields. Never a request body, a card number or a secret.
void log(level l, std::string_view message, log_fields fields = {});
bool log_enabled(level l) noexcept;

struct access_line {
  std::string_view remote, method, target;
  unsigned status = 0;
  std::uint64_t bytes = 0;
  std::int64_t micros = 0;
  std::string_view trace_id;
};
void log_access(const access_line& line);
/// Notifications sent by the `log` adapter: "To. 01033132570" and the text, with their id. `done` is called once, from any thread: true
/// when the line is in crema.log on disk (without a directory: on the console), false where it could not be brought there, there was no
/// room for it, or logging has not begun or has ended.
void log_notification(std::string_view id, std::string_view to, std::string_view text, std::function<void(bool on_disk)> done);

}  // namespace crema::telemetry
