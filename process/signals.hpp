// The signals of a process that serves: taken in one place, by one thread, when it asks for them.
#pragma once

#include <csignal>

#include <chrono>
#include <optional>

namespace crema::process {

/// What somebody outside wants.
enum class request {
  end,     ///< SIGTERM, SIGINT
  reload,  ///< SIGHUP: open the log files anew, read secrets and certificates again
};

class signals {
 public:
  /// Every thread that is started from here on leaves these signals to wait(). What a write to a closed connection (SIGPIPE) or beyond
  /// the limit of a file's size (SIGXFSZ) would end the process for becomes the write's error.
  signals();

  request wait() const;
  /// Nothing: the time has passed.
  std::optional<request> wait_for(std::chrono::milliseconds time) const;

 private:
  sigset_t set_{};
};

}  // namespace crema::process
