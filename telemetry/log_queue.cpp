#include "telemetry/log_queue.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <mutex>

namespace crema::telemetry {

log_queue::log_queue(std::size_t lines_max, std::chrono::milliseconds gather)
    : lines_max_(lines_max), gather_(gather), thread_([this] { run(); }) {}

void log_queue::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void log_queue::add(const spdlog::sink_ptr& to, const spdlog::details::log_msg& line) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || waiting_.size() >= lines_max_) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const bool hurry = line.level >= spdlog::level::warn || waiting_.size() == lines_max_ / 2;
    wake = waiting_.empty() || (hurry && !urgent_);
    urgent_ = urgent_ || hurry;
    waiting_.push_back({to, spdlog::details::log_msg_buffer(line)});
  }
  if (wake) wake_.notify_one();
}

void log_queue::run() {
  std::vector<entry> taken;
  std::unique_lock lock(mutex_);
  while (!ending_ || !waiting_.empty()) {
    wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    wake_.wait_for(lock, gather_, [this] { return ending_ || urgent_; });
    urgent_ = false;
    taken.swap(waiting_);
    lock.unlock();
    write(taken);
    taken.clear();
    lock.lock();
  }
}

// A sink that cannot write (a full disk) must not end the node: it is said once on stderr, and the lines are gone.
void log_queue::write(const std::vector<entry>& lines) {
  try {
    std::vector<spdlog::sinks::sink*> used;
    for (const auto& e : lines) {
      e.to->log(e.line);
      if (std::find(used.begin(), used.end(), e.to.get()) == used.end()) used.push_back(e.to.get());
    }
    for (auto* sink : used) sink->flush();
  } catch (const std::exception& e) {
    static std::once_flag said;
    std::call_once(said, [&] { std::fprintf(stderr, "log lines could not be written: %s\n", e.what()); });
  }
}

}  // namespace crema::telemetry
