// Log lines on their way to their sinks: many threads add, one thread formats and writes.
//
// A line may have to last: who adds it is told when it is on disk, or that it could not be brought there. All such lines of one round
// share one sync.
//
// The writing thread sleeps while lines gather, so that adding one costs a copy and not a wake-up of another thread: at three lines
// an order, that was a tenth of the node's time. Thread-safe.
#pragma once

#include <spdlog/details/log_msg_buffer.h>
#include <spdlog/sinks/sink.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "telemetry/log_file.hpp"

namespace crema::telemetry {

class log_queue {
 public:
  /// `lines_max`: beyond it lines are dropped and counted. `gather`: how long a line below warn may wait.
  log_queue(std::size_t lines_max, std::chrono::milliseconds gather);
  ~log_queue() { stop(); }
  log_queue(const log_queue&) = delete;
  log_queue& operator=(const log_queue&) = delete;

  /// From warn upwards, it and all lines before it are written at once.
  void add(const spdlog::sink_ptr& to, const spdlog::details::log_msg& line);

  /// `done(true)` when the line is in `file` on disk, `done(false)` where that failed or the queue is full. Called once, here or by the
  /// writing thread. The file outlives the queue; null: `to` is no file, and a line lasts when it is written.
  void add_lasting(const spdlog::sink_ptr& to, log_file* file, const spdlog::details::log_msg& line, std::function<void(bool)> done);

  /// Writes what is queued, and ends the thread. Lines that come later are dropped.
  void stop();

  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct entry {
    spdlog::sink_ptr to;
    spdlog::details::log_msg_buffer line;
    log_file* file = nullptr;
    std::function<void(bool)> done = nullptr;  // of a line that must last
  };
  bool put(entry e, bool hurry);
  void run();
  static void write(std::vector<entry>& lines);

  const std::size_t lines_max_;
  const std::chrono::milliseconds gather_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<entry> waiting_;
  bool urgent_ = false, ending_ = false;
  std::atomic<std::uint64_t> dropped_{0};
  std::thread thread_;
};

}  // namespace crema::telemetry
