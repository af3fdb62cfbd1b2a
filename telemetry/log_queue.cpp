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
  if (!put({to, spdlog::details::log_msg_buffer(line)}, line.level >= spdlog::level::warn))
    dropped_.fetch_add(1, std::memory_order_relaxed);
}

void log_queue::add_lasting(const spdlog::sink_ptr& to, log_file* file, const spdlog::details::log_msg& line,
                            std::function<void(bool)> done) {
  if (!put({to, spdlog::details::log_msg_buffer(line), file, done}, false)) done(false);
}

// False: there is no room.
bool log_queue::put(entry e, bool hurry) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || waiting_.size() >= lines_max_) return false;
    hurry = hurry || waiting_.size() == lines_max_ / 2;
    wake = waiting_.empty() || (hurry && !urgent_);
    urgent_ = urgent_ || hurry;
    waiting_.push_back(std::move(e));
  }
  if (wake) wake_.notify_one();
  return true;
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

namespace {

// A sink that cannot write (a full disk) must not end the node: it is said once on stderr, and the lines are gone.
template <class Write>
bool succeeds(Write write) {
  try {
    write();
    return true;
  } catch (const std::exception& e) {
    static std::once_flag said;
    std::call_once(said, [&] { std::fprintf(stderr, "log lines could not be written: %s\n", e.what()); });
    return false;
  }
}

// What became of the lines of one sink in one round.
struct outcome {
  spdlog::sinks::sink* sink = nullptr;
  log_file* file = nullptr;  // set: a line must last
  bool written = true;
};

outcome& outcome_of(std::vector<outcome>& all, spdlog::sinks::sink* sink) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const outcome& o) { return o.sink == sink; });
  return at != all.end() ? *at : all.emplace_back(outcome{sink});
}

}  // namespace

void log_queue::write(std::vector<entry>& lines) {
  std::vector<outcome> outcomes;
  for (const auto& e : lines) {
    auto& o = outcome_of(outcomes, e.to.get());
    if (e.file != nullptr) (o.file = e.file)->begin();
    if (!succeeds([&] { e.to->log(e.line); })) o.written = false;
  }
  for (auto& o : outcomes) {
    if (!succeeds([&] { o.sink->flush(); })) o.written = false;
    if (o.file != nullptr && !o.file->sync()) o.written = false;
  }
  for (auto& e : lines)
    if (e.done) e.done(outcome_of(outcomes, e.to.get()).written);
}

}  // namespace crema::telemetry
