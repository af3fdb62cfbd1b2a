// The recent spans, in a bounded ring: for people who look (/actuator/traces), and for an exporter that takes them on.
//
// What is kept is decided span by span, when it ends: whatever belongs to a sampled trace, and whatever failed or was slow, sampled or
// not. What failed or was slow made its callers so too, so the way from a request down to the trouble is kept whole.
//
// Thread-safe. Spans lie in shards by trace id: recording is a copy under the short lock of one of them. When a shard is full its
// oldest span goes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/front_door.hpp"
#include "behaviors/core/http_exchange.hpp"

namespace crema::telemetry {

/// `kind`, `what` and `where` are texts that live as long as the node (literals, type names, names of the declaration).
struct span {
  trace_context context;                 ///< its own span id
  std::array<std::uint8_t, 8> parent{};  ///< all zero: a root
  std::string_view kind;                 ///< "request", "wait", "handle", "ask", "commit", "view", "notify", "mark"
  std::string_view what;                 ///< the command, event or route
  std::string_view where;                ///< the context; empty: the HTTP server
  std::uint64_t id = 0;                  ///< the aggregate's number
  std::int64_t start_us = 0;             ///< recorded: steady; read: wall clock
  std::int64_t duration_us = 0;
  bool failed = false;
  std::string note;                           ///< "status=201", "fault=7"; mostly empty
  std::shared_ptr<const http_exchange> http;  ///< of a request, and of what was posted
};

struct trace_settings {
  std::size_t spans_max = 20000;
  std::int64_t slow_us = 0;        ///< a span of that length is kept whatever the sampling; 0: none for that reason
  std::int64_t wall_ahead_us = 0;  ///< wall time less steady time: places all spans of a process on one line
};

class trace_ring {
 public:
  explicit trace_ring(const trace_settings& s);

  /// Asked before a span is made: what is not wanted costs no more than this.
  bool wants(bool sampled, bool failed, std::int64_t duration_us) const noexcept {
    return sampled || failed || (settings_.slow_us > 0 && duration_us >= settings_.slow_us);
  }
  void record(span s);

  /// Newest first; with `trace_id` (32 hex digits) only that trace's, oldest first.
  std::vector<span> recent(std::size_t limit, std::string_view trace_id) const;

  struct taken {
    std::vector<span> spans;
    std::uint64_t lost = 0;  ///< recorded since the last call, but gone
  };
  /// What was recorded since the last call, each span once, `limit` at the most. For one reader.
  taken take_new(std::size_t limit);

 private:
  static constexpr std::size_t shards = 16;
  struct shard {
    mutable std::mutex mutex;
    std::vector<span> spans;
    std::size_t next = 0;     ///< where the oldest is, once it is full
    std::uint64_t fresh = 0;  ///< not taken yet; more than it holds: lost
  };
  static std::size_t shard_of(const trace_context& t) noexcept { return t.trace_id[15] % shards; }
  static void add_newest(const shard& from, std::size_t limit, std::vector<span>& to);

  const trace_settings settings_;
  const std::size_t shard_spans_max_;
  std::array<shard, shards> shards_;
};

}  // namespace crema::telemetry
