// What the runtime can be told. Names in configuration: docs of config/; bounds are checked there.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "behaviors/core/decider.hpp"

namespace crema::actors {

using std::chrono::milliseconds;

struct bulkhead_settings {
  std::uint32_t concurrent_max = 10000;
  std::uint32_t queued_max = 10000;
  milliseconds call_timeout{2000};
  milliseconds window{10000};
  std::uint32_t window_calls_min = 20;  ///< below it the rates say nothing
  std::uint32_t failure_rate_percent = 50;
  milliseconds slow_call{60000};
  std::uint32_t slow_rate_percent = 100;
  std::uint32_t consecutive_errors = 0;  ///< opens at so many in a row; 0: never for that reason
  milliseconds open_time{5000};
  std::uint32_t half_open_probes = 5;
};

struct context_settings {
  bulkhead_settings bulkhead;
  milliseconds slow_min{0}, slow_max{0};  ///< each request and ask is handled after a random time in between
};

struct runtime_settings {
  std::uint16_t partitions = 16;
  std::size_t threads = 0;              ///< 0: one a core
  milliseconds idle{30000};             ///< an aggregate unused for so long is passivated
  std::uint64_t awake_max = 10000;      ///< beyond half as many again, requests are refused
  std::uint64_t kept_awake_max = 512;   ///< beyond it, or beyond awake_max, those that have nothing to do are passivated
  std::uint32_t mailbox_max = 10000;    ///< waiting messages of one aggregate
  std::uint64_t in_flight_max = 20000;  ///< requests of the front door
  std::uint64_t outbox_max = 1000000;   ///< undelivered messages of one context
  milliseconds ask_time_limit{2000};
  std::uint32_t poison_attempts = 5;
  std::uint32_t restart_intensity = 10;
  milliseconds restart_period{10000};
  milliseconds backoff_min{10}, backoff_max{5000};
  milliseconds undo_retry_min{200}, undo_retry_max{60000};  ///< between tries of an undo that poison_attempts tries did not do
  milliseconds idempotency_ttl{24 * 3600 * 1000};
  std::uint64_t sort_rows_max = 100000;
  std::size_t batch_items_max = 4096;
  std::chrono::microseconds batch_wait{0};
  milliseconds linger{5};  ///< how long a step for which nobody waits may wait for company
  std::size_t journal_queue_max = 100000;
  std::uint32_t notify_concurrent_max = 16;  ///< of one context, on their way at the same time
  milliseconds notify_retry_min{200}, notify_retry_max{60000};
  std::uint32_t notify_tries_max = 2000;             ///< of one notification; then it is a dead letter …
  milliseconds notify_age_max{24 * 3600 * 1000};     ///< … and where it is older than this
  std::uint64_t seed = 0;                            ///< of ids and jitter, and of a new directory's history
  bool faults_enabled = false;                       ///< whether anybody may put a fault on the node's board
  std::map<std::string, context_settings> contexts;  ///< by context name; absent: defaults
  system_settings system;                            ///< what the system declares for itself
};

}  // namespace crema::actors
