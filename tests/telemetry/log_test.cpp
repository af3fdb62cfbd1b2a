#include "telemetry/log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "telemetry/log_file.hpp"
#include "telemetry/log_queue.hpp"

namespace crema::telemetry {
namespace {

using Catch::Contains;

// A directory of its own for each test, and a stderr that is kept in a file while the test runs.
class captured {
 public:
  captured() {
    std::string name = (std::filesystem::temp_directory_path() / "crema-log-XXXXXX").string();
    directory = ::mkdtemp(name.data());
    saved_ = ::dup(STDERR_FILENO);
    REQUIRE(std::freopen((directory / "stderr").c_str(), "w", stderr) != nullptr);
  }
  ~captured() {
    stop_logging();
    std::fflush(stderr);
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    std::filesystem::remove_all(directory);
  }
  captured(const captured&) = delete;
  captured& operator=(const captured&) = delete;

  std::vector<std::string> lines(const std::string& file) const {
    std::ifstream in(directory / file);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }
  std::string console() const {
    std::fflush(stderr);
    std::ostringstream all;
    for (const auto& line : lines("stderr")) all << line << '\n';
    return all.str();
  }
  log_settings settings() const {
    log_settings s;
    s.directory = directory / "logs";
    return s;
  }

  std::filesystem::path directory;

 private:
  int saved_ = -1;
};

TEST_CASE("log: lines are JSON in the file, and JSON on a console that is no terminal") {
  const captured c;
  start_logging(c.settings());
  log(level::warn, "Disk is slow", {{"micros", "1200"}, {"path", "/a b"}});
  stop_logging();

  const auto lines = c.lines("logs/crema.log");
  REQUIRE(lines.size() == 1);
  const auto line = nlohmann::json::parse(lines[0]);
  CHECK(line["message"] == "Disk is slow");
  CHECK(line["level"] == "warning");
  CHECK(line["micros"] == "1200");
  CHECK(line["path"] == "/a b");
  CHECK(line["time"].get<std::string>().back() == 'Z');
  CHECK(nlohmann::json::parse(c.console())["message"] == "Disk is slow");
}

TEST_CASE("log: text on request, with quotes only where they are needed") {
  const captured c;
  auto s = c.settings();
  s.format = log_settings::style::text;
  start_logging(s);
  log(level::info, "Started", {{"port", "8080"}, {"name", "two words"}, {"empty", ""}});
  stop_logging();
  CHECK_THAT(c.console(), Contains("Started port=8080 name=\"two words\" empty=\"\""));
}

TEST_CASE("log: a level below the threshold is not written") {
  const captured c;
  auto s = c.settings();
  s.threshold = level::warn;
  start_logging(s);
  CHECK_FALSE(log_enabled(level::info));
  CHECK(log_enabled(level::error));
  log(level::info, "Quiet");
  log(level::error, "Loud");
  stop_logging();
  CHECK(c.lines("logs/crema.log").size() == 1);
}

TEST_CASE("log: whatever bytes a client sends, an event is one line of valid JSON") {
  const captured c;
  start_logging(c.settings());
  const std::string hostile = std::string("a\nb\"c\\d\x01\x7f\xff\xc0\x80\xed\xa0\x80 é 커피 \xf0\x9f\x98\x80 \xe2\x82", 34);
  log_access({"127.0.0.1", "GET", hostile, 400, 10, 250, "abc"});
  stop_logging();
  const auto lines = c.lines("logs/access.log");
  REQUIRE(lines.size() == 1);
  const auto line = nlohmann::json::parse(lines[0]);
  CHECK(line["status"] == "400");
  CHECK(line["method"] == "GET");
  CHECK_THAT(line["target"].get<std::string>(), Contains("a\nb\"c\\d") && Contains("é 커피"));
}

TEST_CASE("log: what acts on a terminal is written out, in JSON and in text, also in a notification") {
  const std::string wicked = "a\x1b[2Jb\u009bc\u202ed\u2066e\x7f ☕";
  for (const auto style : {log_settings::style::json, log_settings::style::text}) {
    const captured c;
    auto s = c.settings();
    s.format = style;
    start_logging(s);
    log(level::error, wicked, {{"field", wicked}});
    log_notification("n-1", wicked, wicked, [](bool) {});
    stop_logging();
    for (const auto& line : {c.console(), c.lines("logs/crema.log").at(0), c.lines("logs/crema.log").at(1)}) {
      for (const auto* raw : {"\x1b", "\u009b", "\u202e", "\u2066", "\x7f"}) CHECK_THAT(line, !Contains(raw));
      CHECK_THAT(line, Contains("a\\u001b[2Jb\\u009bc\\u202ed\\u2066e\\u007f ☕"));
    }
    CHECK(nlohmann::json::parse(c.lines("logs/crema.log").at(0))["field"] == wicked);
  }
}

TEST_CASE("log: notification lines hold the address and the text, whatever the threshold") {
  const captured c;
  auto s = c.settings();
  s.threshold = level::error;
  start_logging(s);
  log_notification("n-1", "01033132570", "Your Order is already started. You cannot cancel!!", [](bool) {});
  stop_logging();
  CHECK_THAT(c.console(), Contains("To. 01033132570 Your Order is already started. You cannot cancel!!"));
  const auto line = nlohmann::json::parse(c.lines("logs/crema.log").at(0));
  CHECK(line["message"] == "To. 01033132570 Your Order is already started. You cannot cancel!!");
  CHECK(line["notificationId"] == "n-1");
}

TEST_CASE("log: a notification is told to be on disk when its line is in the file, and not before") {
  const captured c;
  auto s = c.settings();
  s.file_bytes_max = 2000;  // rotated all the time
  s.files_max = 100;
  start_logging(s);
  constexpr int letters = 50;
  std::atomic<int> on_disk{0}, there{0};
  const auto is_there = [&](const std::string& id) {
    for (const auto& file : std::filesystem::directory_iterator(s.directory)) {
      std::ostringstream all;
      all << std::ifstream(file.path()).rdbuf();
      if (all.str().find("\"" + id + "\"") != std::string::npos) return true;
    }
    return false;
  };
  for (int i = 0; i < letters; ++i) {
    const auto id = "n-" + std::to_string(i);
    log_notification(id, "0103", std::string(100, 'x'), [&, id](bool lasts) {
      on_disk += lasts ? 1 : 0;
      there += is_there(id) ? 1 : 0;
    });
  }
  stop_logging();
  CHECK(on_disk == letters);
  CHECK(there == letters);
}

TEST_CASE("log: a notification whose line cannot be written, or not be brought to disk, is told so") {
  const auto outcome_in = [](const captured& c) {
    start_logging(c.settings());
    std::atomic<int> lasts{-1};
    log_notification("n-1", "0103", "Your Order is Made", [&](bool yes) { lasts = yes ? 1 : 0; });
    stop_logging();
    return lasts.load();
  };
  const captured full;
  std::filesystem::create_directories(full.directory / "logs");
  std::filesystem::create_symlink("/dev/full", full.directory / "logs" / "crema.log");
  CHECK(outcome_in(full) == 0);

  const captured unsynced;  // a pipe takes every byte, and cannot be synced
  std::filesystem::create_directories(unsynced.directory / "logs");
  const auto pipe = unsynced.directory / "logs" / "crema.log";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::signal(SIGPIPE, SIG_IGN);  // as the process does: the line's second write may find nobody
  const int reader = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  CHECK(outcome_in(unsynced) == 0);
  ::close(reader);
}

TEST_CASE("log: given files that were moved away, when they are opened anew, then what comes is in new ones and nothing is lost") {
  const captured c;
  start_logging(c.settings());
  log(level::error, "before");
  std::atomic<bool> written{false};
  log_notification("n-1", "0103", "x", [&](bool) {
    written = true;
    written.notify_one();
  });
  written.wait(false);
  std::filesystem::rename(c.directory / "logs" / "crema.log", c.directory / "logs" / "moved.log");
  log(level::error, "between");
  reopen_log_files();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!std::filesystem::exists(c.directory / "logs" / "crema.log") && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  log(level::error, "after");
  stop_logging();
  CHECK_THAT(c.lines("logs/moved.log").at(0), Contains("before"));
  CHECK_THAT(c.lines("logs/moved.log").at(2), Contains("between"));
  CHECK(c.lines("logs/moved.log").size() == 3);
  CHECK(c.lines("logs/crema.log").size() == 1);
  CHECK_THAT(c.lines("logs/crema.log").at(0), Contains("after"));
}

TEST_CASE("log: a notification for which there is no room, or no log, is told so at once") {
  bool lasts = true;
  log_notification("n-1", "0103", "before logging began", [&](bool yes) { lasts = yes; });
  CHECK_FALSE(lasts);

  const captured c;
  log_file file(c.directory / "crema.log", 1U << 20U, 5);
  log_queue queue(1, std::chrono::hours(1));
  const spdlog::details::log_msg line(spdlog::string_view_t(), spdlog::level::info, "a line");
  int told_yes = 0, told_no = 0;
  const auto tell = [&](bool yes) { ++(yes ? told_yes : told_no); };
  queue.add_lasting(file.sink(), &file, line, tell);
  queue.add_lasting(file.sink(), &file, line, tell);
  CHECK(told_no == 1);
  CHECK(queue.dropped() == 0);
  queue.stop();
  CHECK(told_yes == 1);
}

TEST_CASE("log: a restart goes on in the same files") {
  const captured c;
  for (int run = 0; run < 3; ++run) {
    start_logging(c.settings());
    log(level::info, "Started");
    log_access({"127.0.0.1", "GET", "/", 200, 10, 250, "abc"});
    stop_logging();
  }
  CHECK(c.lines("logs/crema.log").size() == 3);
  CHECK(c.lines("logs/access.log").size() == 3);
}

TEST_CASE("log: files rotate, and only so many are kept") {
  const captured c;
  auto s = c.settings();
  s.file_bytes_max = 2000;
  s.files_max = 2;
  start_logging(s);
  for (int i = 0; i < 200; ++i) log(level::info, "A line that fills the file");
  stop_logging();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(c.directory / "logs")) {
    CHECK(entry.file_size() <= 2000);
    files += entry.path().filename().string().starts_with("crema") ? 1 : 0;
  }
  CHECK(files == 3);
}

TEST_CASE("log: the access log can be off, and goes to the console without a directory") {
  const captured c;
  auto s = c.settings();
  s.access_log = false;
  start_logging(s);
  log_access({"127.0.0.1", "GET", "/off", 200, 10, 250, "abc"});
  stop_logging();
  CHECK_FALSE(std::filesystem::exists(c.directory / "logs/access.log"));
  s.access_log = true;
  s.directory.clear();
  start_logging(s);
  log_access({"127.0.0.1", "GET", "/on", 200, 10, 250, "abc"});
  stop_logging();
  CHECK_THAT(c.console(), Contains("/on") && !Contains("/off"));
}

TEST_CASE("log: before the start, and after the stop, warnings go to stderr as text") {
  const captured c;
  log(level::info, "Nobody hears");
  log(level::error, "Cannot start", {{"reason", "none"}});
  CHECK_THAT(c.console(), Contains("error Cannot start reason=none") && !Contains("Nobody"));
}

TEST_CASE("log: a directory that cannot be made is said at the start") {
  const captured c;
  std::ofstream(c.directory / "logs") << "a file";
  CHECK_THROWS_AS(start_logging(c.settings()), std::runtime_error);
}

TEST_CASE("log: many threads may write while logging stops and starts") {
  const captured c;
  std::vector<std::thread> threads;
  start_logging(c.settings());
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) log(level::info, "Busy", {{"i", std::to_string(i)}});
    });
  for (auto& t : threads) t.join();
  CHECK(log_lines_dropped() == 0);
  stop_logging();
  CHECK(c.lines("logs/crema.log").size() == 2000);
}

}  // namespace
}  // namespace crema::telemetry
