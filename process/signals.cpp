#include "process/signals.hpp"

#include <algorithm>

namespace crema::process {

namespace {

request meaning_of(int signal) noexcept { return signal == SIGHUP ? request::reload : request::end; }

}  // namespace

signals::signals() {
  sigemptyset(&set_);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, s);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  for (const int s : {SIGPIPE, SIGXFSZ}) std::signal(s, SIG_IGN);
}

request signals::wait() const {
  int signal = 0;
  while (sigwait(&set_, &signal) != 0) {}
  return meaning_of(signal);
}

std::optional<request> signals::wait_for(std::chrono::milliseconds time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(end - std::chrono::steady_clock::now()));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec limit{seconds.count(), (left - seconds).count()};
    if (const int signal = sigtimedwait(&set_, nullptr, &limit); signal > 0) return meaning_of(signal);
    if (std::chrono::steady_clock::now() >= end) return std::nullopt;  // else it was interrupted
  }
}

}  // namespace crema::process
