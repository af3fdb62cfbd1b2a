// What the front door counts. Handles for routes are made on first use and touched without a lock afterwards.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/message.hpp"
#include "http/routes.hpp"
#include "telemetry/metrics.hpp"

namespace crema::http {

class request_metrics {
 public:
  /// `metrics` outlives this.
  request_metrics(telemetry::metrics& metrics, std::vector<std::string> templates);

  void count(route_id route, method m, unsigned status, double seconds);

  telemetry::gauge connections, in_flight, streams;
  telemetry::counter timeouts_read, timeouts_write, timeouts_answer, bad_requests, refused_connections, rate_limited;

 private:
  struct cell {
    std::once_flag once;
    telemetry::counter counter;
  };
  struct route_cells {
    std::once_flag once;
    telemetry::histogram seconds;
    std::unique_ptr<cell[]> cells;  // by method and status class index
  };

  telemetry::metrics& metrics_;
  std::vector<std::string> templates_;
  std::unique_ptr<route_cells[]> routes_;
};

}  // namespace crema::http
