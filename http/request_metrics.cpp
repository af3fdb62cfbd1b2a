#include "http/request_metrics.hpp"

#include <algorithm>

namespace crema::http {

namespace {

// Every status that this server answers; the last place is for any other.
constexpr std::array<unsigned, 22> statuses{200, 201, 204, 304, 400, 401, 404, 405, 408, 409, 412,
                                            413, 414, 415, 417, 422, 429, 431, 500, 503, 504, 0};

std::size_t index_of(unsigned status) noexcept {
  const auto at = std::find(statuses.begin(), statuses.end() - 1, status);
  return static_cast<std::size_t>(at - statuses.begin());
}

}  // namespace

request_metrics::request_metrics(telemetry::metrics& metrics, std::vector<std::string> templates)
    : connections(metrics.make_gauge("crema_http_connections", "Open connections")),
      in_flight(metrics.make_gauge("crema_http_requests_in_flight", "Requests that wait for an answer")),
      streams(metrics.make_gauge("crema_http_event_streams", "Open event streams")),
      timeouts_read(metrics.make_counter("crema_http_timeouts_total", "Time limits that were passed", {{"what", "read"}})),
      timeouts_write(metrics.make_counter("crema_http_timeouts_total", "Time limits that were passed", {{"what", "write"}})),
      timeouts_answer(metrics.make_counter("crema_http_timeouts_total", "Time limits that were passed", {{"what", "answer"}})),
      bad_requests(
          metrics.make_counter("crema_http_bad_requests_total", "Bytes that were not a request, or beyond a limit of the protocol")),
      refused_connections(metrics.make_counter("crema_http_connections_refused_total", "Connections beyond the limit")),
      rate_limited(metrics.make_counter("crema_http_rate_limited_total", "Requests beyond the rate limit")),
      metrics_(metrics),
      templates_(std::move(templates)),
      routes_(std::make_unique<route_cells[]>(templates_.size())) {}

void request_metrics::count(route_id route, method m, unsigned status, double seconds) {
  auto& r = routes_[route];
  std::call_once(r.once, [&] {
    r.cells = std::make_unique<cell[]>(method_count * statuses.size());
    r.seconds = metrics_.make_histogram("crema_http_request_seconds", "From a request's last byte to the last byte of its answer",
                                        telemetry::latency_bounds(), {{"route", templates_[route]}});
  });
  auto& c = r.cells[static_cast<std::size_t>(m) * statuses.size() + index_of(status)];
  std::call_once(c.once, [&] {
    c.counter =
        metrics_.make_counter("crema_http_requests_total", "Answered requests",
                              {{"route", templates_[route]}, {"method", std::string(name_of(m))}, {"status", std::to_string(status)}});
  });
  c.counter.add();
  r.seconds.observe(seconds);
}

}  // namespace crema::http
