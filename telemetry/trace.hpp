// The recent spans, in a bounded ring. Recording is a copy under a short lock; when the ring is full the oldest span goes.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/front_door.hpp"

namespace crema::telemetry {

/// `kind` and `what` are texts that live as long as the process (literals, type names).
struct span {
  trace_context context;                 ///< its own span id
  std::array<std::uint8_t, 8> parent{};  ///< all zero: a root
  std::string_view kind;                 ///< "request", "handle", "ask", "commit", "view", "notify"
  std::string_view what;                 ///< the command, event or route
  std::string_view where;                ///< the context
  std::uint64_t id = 0;                  ///< the aggregate's number
  std::int64_t start_us = 0;             ///< wall clock
  std::int64_t duration_us = 0;
  bool failed = false;
};

class trace_ring {
 public:
  explicit trace_ring(std::size_t spans_max) : spans_max_(spans_max) {}
  void record(const span& s);
  /// Newest first; with `trace_id` (32 hex digits) only that trace's, oldest first.
  std::vector<span> recent(std::size_t limit, std::string_view trace_id) const;

 private:
  const std::size_t spans_max_;
  mutable std::mutex mutex_;
  std::vector<span> spans_;
  std::size_t next_ = 0;
};

}  // namespace crema::telemetry
