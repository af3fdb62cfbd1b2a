// What the front door may be told. Filled from config/ by main.cpp, so that http/ knows no configuration format.
// Every limit has a unit in its name; the defaults serve tests; a node gets config/settings.cpp's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace crema::http {

struct server_settings {
  // ---- where
  std::string listen_host = "127.0.0.1";     ///< a numeric address
  std::uint16_t listen_port = 8080;          ///< 0: any free one; server::port() tells which
  unsigned threads = 2;                      ///< io threads
  std::vector<std::string> trusted_proxies;  ///< "10.0.0.0/8", "::1": whose X-Forwarded-* and Forwarded are believed

  // ---- sizes and counts
  std::size_t connections_max = 10000;    ///< beyond: 503 and closed
  std::size_t body_bytes_max = 65536;     ///< 413
  std::uint32_t header_bytes_max = 8192;  ///< request line and headers, 431
  std::size_t uri_bytes_max = 4096;       ///< 414
  std::size_t json_depth_max = 32;        ///< 400
  std::size_t in_flight_max = 10000;      ///< requests waiting for an answer, all connections; beyond: 503
  std::size_t event_streams_max = 100;    ///< beyond: 503
  std::uint32_t page_size_default = 20;
  std::uint32_t page_size_max = 1000;
  std::uint32_t plain_array_max = 1000;
  std::uint64_t deep_offset = 10000;  ///< pages that start beyond it, and sorted ones, leave the io threads

  std::size_t compress_bytes_min = 1024;  ///< a shorter answer is never compressed; 0: none is

  // ---- pages of other origins
  std::vector<std::string> cors_origins;  ///< "https://shop.example"; "*": any; none: off
  bool cors_credentials = false;          ///< not together with "*"
  std::uint32_t cors_max_age_s = 600;

  // ---- times
  std::uint32_t request_read_timeout_ms = 10000;  ///< first byte to last byte of one request: 408
  std::uint32_t keep_alive_idle_ms = 60000;
  std::uint32_t write_timeout_ms = 10000;      ///< one answer, or one piece of a stream
  std::uint32_t request_time_limit_ms = 5000;  ///< deadline of an ask; a second later the front door gives up waiting
  std::uint32_t drain_limit_ms = 30000;
  std::uint32_t drain_idle_ms = 1000;  ///< how long an idle connection may still send a request while draining
  std::uint32_t event_heartbeat_ms = 15000;

  // ---- tracing
  std::uint32_t trace_sample_percent = 100;  ///< of requests that bring no trace of their own …
  std::uint32_t trace_samples_per_s = 1000;  ///< … and so many of them at the most; 0: no limit

  // ---- rate limit, per client address (IPv6: per /64)
  double rate_requests_per_s = 0;  ///< 0: off
  std::uint32_t rate_burst = 100;

  // ---- operations
  std::string management_token;  ///< empty: management endpoints are for clients of this machine only
  bool faults_enabled = false;   ///< whether /isHealthy and /makeZombie exist
};

}  // namespace crema::http
