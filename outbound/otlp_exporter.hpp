// Takes the recent spans on to a collector: OTLP/HTTP with JSON, in batches, every interval.
//
// Problem: a collector that is slow, refuses or is gone must never hold up an order. Solution: nobody hands a span to the exporter. It
// takes what is new from the rings, on the client's thread, into a queue of its own. A batch is tried again, with a growing wait, after
// 429, 502, 503, 504 or no answer; after tries_max, and after any other refusal, it is dropped. What no longer fits, or left a ring
// before it was taken, is dropped too; all that is dropped is counted.
//
// Made by main.cpp. The rings, and the texts that their spans view, outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "outbound/client.hpp"
#include "outbound/otlp_json.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace.hpp"

namespace crema::outbound {

struct otlp_settings {
  std::string url;                ///< "http://collector:4318/v1/traces"
  std::string ca_file;            ///< CAs beside the system's (outbound/trust.hpp)
  std::size_t batch_spans = 512;  ///< of one POST, at the most
  std::chrono::milliseconds interval{1000};
  std::size_t queue_spans = 8192;
  std::chrono::milliseconds timeout{5000};  ///< of one POST
  std::chrono::milliseconds retry_min{200}, retry_max{30000};
  unsigned tries_max = 8;
  std::chrono::milliseconds stop_limit{2000};  ///< for what is left at the end
  std::uint64_t seed = 0;                      ///< of the waits' jitter
  resource from;                               ///< what the spans are said to come from
};

struct span_source {
  std::string system;
  telemetry::trace_ring* ring = nullptr;
};

class otlp_exporter {
 public:
  /// Throws std::invalid_argument with one sentence where the URL is not one that can be posted to, or the CA file cannot be used.
  otlp_exporter(std::shared_ptr<client> by, const otlp_settings& s, std::vector<span_source> sources, telemetry::metrics& metrics);
  ~otlp_exporter();  ///< stops
  otlp_exporter(const otlp_exporter&) = delete;
  otlp_exporter& operator=(const otlp_exporter&) = delete;

  /// Sends what is left, each batch once, for stop_limit at the most. Safe to call twice.
  void stop();

 private:
  class worker;
  const std::shared_ptr<client> client_;
  const std::shared_ptr<worker> worker_;
};

}  // namespace crema::outbound
