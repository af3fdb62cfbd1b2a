// Log lines on their way to their sinks: many threads add, one thread formats and writes.
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
#include <mutex>
#include <thread>
#include <vector>

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

  /// Writes what is queued, and ends the thread. Lines that come later are dropped.
  void stop();

  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct entry {
    spdlog::sink_ptr to;
    spdlog::details::log_msg_buffer line;
  };
  void run();
  static void write(const std::vector<entry>& lines);

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
