#include "telemetry/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "behaviors/core/text.hpp"
#include "telemetry/log_file.hpp"
#include "telemetry/log_queue.hpp"

namespace crema::telemetry {

namespace {

// Lines that wait to be written; at about 450 bytes each this bounds the queue to 8 MB.
constexpr std::size_t queue_lines_max = 16384;
constexpr std::chrono::milliseconds gather{50};

constexpr auto text_pattern = "%Y-%m-%d %H:%M:%S.%e %^%-5l%$ %v";
// The payload is the inside of a JSON object: see json_members.
constexpr auto json_pattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

struct logging {
  spdlog::sink_ptr console;
  std::unique_ptr<log_file> file;  // null without a directory
  std::unique_ptr<log_file> access_file;
  spdlog::sink_ptr access;  // null where the access log is off
  bool console_json = false;
  bool access_json = true;
  std::unique_ptr<log_queue> queue;
};

std::atomic<logging*> active{nullptr};
std::atomic<level> threshold{level::warn};

// Keeps every logging ever started: a thread that read `active` just before stop_logging may still be using it.
std::vector<std::unique_ptr<logging>>& all_started() {
  static std::vector<std::unique_ptr<logging>> list;
  return list;
}
std::mutex start_lock;

spdlog::level::level_enum to_spdlog(level l) {
  switch (l) {
    case level::debug: return spdlog::level::debug;
    case level::info: return spdlog::level::info;
    case level::warn: return spdlog::level::warn;
    case level::error: break;
  }
  return spdlog::level::err;
}

bool stands_for_itself(char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; }

// A log line holds bytes that a client chose (a path, a header): whatever they are, one event stays one line of valid UTF-8, and its
// reader sees what acts on a terminal instead of suffering it.
void append_escaped(std::string& out, std::string_view s) {
  for (;;) {
    const auto plain = static_cast<std::size_t>(std::find_if_not(s.begin(), s.end(), stands_for_itself) - s.begin());
    out.append(s.substr(0, plain));
    s.remove_prefix(plain);
    if (s.empty()) return;
    std::size_t length = 0;
    const auto c = take_character(s, length);
    if (c == no_character)
      out += "\\ufffd";
    else if (c == '"' || c == '\\')
      (out += '\\') += static_cast<char>(c);
    else if (is_acting(c))
      append_written_out(out, c);
    else
      out += s.substr(0, length);
    s.remove_prefix(length);
  }
}

void append_quoted(std::string& out, std::string_view s) {
  out += '"';
  append_escaped(out, s);
  out += '"';
}

template <class Fields>
std::string json_members(std::string_view message, const Fields& fields) {
  std::string out;
  out.reserve(256);
  out = "\"message\":";
  append_quoted(out, message);
  for (const auto& [name, value] : fields) {
    out += ',';
    append_quoted(out, name);
    out += ':';
    append_quoted(out, value);
  }
  return out;
}

bool plain(std::string_view s) {
  for (const char c : s)
    if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7F) return false;  // also every byte beyond ASCII where char is signed
  return !s.empty();
}

template <class Fields>
std::string text_line(std::string_view message, const Fields& fields) {
  std::string out;
  append_escaped(out, message);
  for (const auto& [name, value] : fields) {
    out += ' ';
    out += name;
    out += '=';
    if (plain(value))
      out += value;
    else
      append_quoted(out, value);
  }
  return out;
}

spdlog::details::log_msg message_of(level l, std::string_view line) {
  return {spdlog::string_view_t(), to_spdlog(l), spdlog::string_view_t(line.data(), line.size())};
}

void write(const logging& on, const spdlog::sink_ptr& to, level l, std::string_view line) { on.queue->add(to, message_of(l, line)); }

template <class Fields>
void write_everywhere(const logging& on, level l, std::string_view message, const Fields& fields) {
  write(on, on.console, l, on.console_json ? json_members(message, fields) : text_line(message, fields));
  if (on.file) write(on, on.file->sink(), l, json_members(message, fields));
}

spdlog::sink_ptr with_pattern(spdlog::sink_ptr sink, bool json) {
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(json ? json_pattern : text_pattern, spdlog::pattern_time_type::utc));
  return sink;
}

std::unique_ptr<log_file> make_file(const log_settings& settings, const char* name) {
  auto file = std::make_unique<log_file>(settings.directory / name, settings.file_bytes_max, settings.files_max);
  (void)with_pattern(file->sink(), true);
  return file;
}

void open_files(logging& on, const log_settings& settings) {
  if (!settings.directory.empty()) {
    std::filesystem::create_directories(settings.directory);
    on.file = make_file(settings, "crema.log");
  }
  if (!settings.access_log) return;
  if (settings.directory.empty()) {
    on.access = on.console;
    on.access_json = on.console_json;
  } else {
    on.access_file = make_file(settings, "access.log");
    on.access = on.access_file->sink();
  }
}

std::string_view name_of(level l) {
  constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(l)];
}

void write_unstarted(level l, const std::string& line) {
  if (l < level::warn) return;
  std::fprintf(stderr, "%s %s\n", name_of(l).data(), line.c_str());
}

}  // namespace

void start_logging(const log_settings& settings) {
  stop_logging();
  const std::lock_guard lock(start_lock);
  auto on = std::make_unique<logging>();
  try {
    on->console_json =
        settings.format == log_settings::style::json || (settings.format == log_settings::style::automatic && ::isatty(STDERR_FILENO) == 0);
    on->console = with_pattern(std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(), on->console_json);
    open_files(*on, settings);
  } catch (const std::exception& e) {  // spdlog_ex, filesystem_error
    throw std::runtime_error(std::string("The log files cannot be opened: ") + e.what());
  }
  on->queue = std::make_unique<log_queue>(queue_lines_max, gather);
  threshold.store(settings.threshold);
  active.store(on.get());
  all_started().push_back(std::move(on));
}

void stop_logging() {
  const std::lock_guard lock(start_lock);
  auto* on = active.exchange(nullptr);
  if (on == nullptr) return;
  threshold.store(level::warn);
  if (const auto dropped = on->queue->dropped(); dropped > 0)
    write_everywhere(*on, level::warn, "Log lines were dropped: the log's queue was full",
                     std::vector<std::pair<std::string_view, std::string>>{{"lines", std::to_string(dropped)}});
  on->queue->stop();
}

void reopen_log_files() {
  const auto* on = active.load(std::memory_order_acquire);
  if (on == nullptr || !on->file) return;
  const auto line = on->console_json ? json_members("the log files are opened anew", log_fields{})
                                     : text_line("the log files are opened anew", log_fields{});
  // On the writing thread, behind what came before.
  on->queue->add_lasting(on->console, nullptr, message_of(level::info, line), [on](bool) {
    for (auto* file : {on->file.get(), on->access_file.get()})
      if (file != nullptr && !file->reopen()) std::fprintf(stderr, "a log file could not be opened anew\n");
  });
}

std::uint64_t log_lines_dropped() {
  const std::lock_guard lock(start_lock);
  const auto* on = active.load();
  return on != nullptr ? on->queue->dropped() : 0;
}

bool log_enabled(level l) noexcept { return l >= threshold.load(std::memory_order_relaxed); }

void log(level l, std::string_view message, log_fields fields) {
  if (!log_enabled(l)) return;
  if (const auto* on = active.load(std::memory_order_acquire))
    write_everywhere(*on, l, message, fields);
  else
    write_unstarted(l, text_line(message, fields));
}

void log_access(const access_line& line) {
  const auto* on = active.load(std::memory_order_acquire);
  if (on == nullptr || !on->access) return;
  const std::array<std::pair<std::string_view, std::string>, 7> fields{{{"remote", std::string(line.remote)},
                                                                        {"method", std::string(line.method)},
                                                                        {"target", std::string(line.target)},
                                                                        {"status", std::to_string(line.status)},
                                                                        {"bytes", std::to_string(line.bytes)},
                                                                        {"micros", std::to_string(line.micros)},
                                                                        {"traceId", std::string(line.trace_id)}}};
  write(*on, on->access, level::info, on->access_json ? json_members("request", fields) : text_line("request", fields));
}

void log_notification(std::string_view id, std::string_view to, std::string_view text, std::function<void(bool on_disk)> done) {
  const auto* on = active.load(std::memory_order_acquire);
  if (on == nullptr) return done(false);
  std::string message = "To. ";
  message += to;
  message += ' ';
  message += text;
  const log_fields fields{{"notificationId", std::string(id)}};
  // Written whatever the threshold is: this line is the delivery, not a remark about it.
  const auto for_console = on->console_json ? json_members(message, fields) : text_line(message, fields);
  if (!on->file) return on->queue->add_lasting(on->console, nullptr, message_of(level::info, for_console), std::move(done));
  write(*on, on->console, level::info, for_console);
  on->queue->add_lasting(on->file->sink(), on->file.get(), message_of(level::info, json_members(message, fields)), std::move(done));
}

}  // namespace crema::telemetry
