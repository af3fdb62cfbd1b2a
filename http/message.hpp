// A request as the router sees it and an answer as it gives it: plain data, no Beast. A session owns one request and uses it
// again for the next, so that its strings keep their memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "behaviors/core/field.hpp"
#include "behaviors/core/front_door.hpp"

namespace crema::http {

enum class method : std::uint8_t { get, head, post, put, patch, remove, options, other };
inline constexpr std::size_t method_count = 8;

constexpr std::string_view name_of(method m) noexcept {
  constexpr std::string_view names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"};
  return names[static_cast<std::size_t>(m)];
}

struct request {
  http::method verb = method::get;
  unsigned version = 11;  ///< 10 or 11
  std::string target;     ///< as sent, until check_header() (header_rules.hpp) has brought it into origin form
  std::string body;

  // Headers that mean something here. Empty: not sent (an empty Idempotency-Key is told apart by has_idempotency_key).
  std::string host, accept, content_type, content_encoding, expect, authorization;
  std::string if_match, if_none_match, idempotency_key, traceparent, tracestate, last_event_id, user_agent;
  std::string x_forwarded_for, x_forwarded_proto, x_forwarded_host, x_forwarded_port, x_forwarded_prefix;
  std::string forwarded, transfer_encoding, accept_encoding, origin, access_control_request_method, sec_fetch_site;
  unsigned host_count = 0;
  bool has_idempotency_key = false;
  bool idempotency_key_repeats = false;  ///< there are several; which one is meant cannot be told
  bool has_transfer_encoding = false;

  // What the session knows.
  std::string remote_address;   ///< of the peer, numeric
  std::string local_authority;  ///< "127.0.0.1:8080": stands in where no usable Host was sent
  bool trusted_peer = false;    ///< X-Forwarded-* and Forwarded may be believed
  trace_context trace;
  timestamp now;

  std::string_view path() const noexcept { return std::string_view(target).substr(0, target.find('?')); }
  /// For the next request of the same connection: what the session knows stays.
  void clear();
};

struct response {
  unsigned status = 200;
  std::string_view content_type;  ///< a constant
  std::string body;
  std::string headers;                        ///< more header lines, each with its CRLF
  bool close = false;                         ///< the connection cannot go on after this
  std::optional<std::uint64_t> version = {};  ///< of the aggregate that the body shows
  std::string tag = {};                       ///< its entity tag, without quotes: see representation.hpp

  response& header(std::string_view name, std::string_view text) {
    headers.append(name).append(": ").append(text).append("\r\n");
    return *this;
  }
};

namespace content {
inline constexpr std::string_view hal = "application/hal+json;charset=UTF-8";
inline constexpr std::string_view json = "application/json;charset=UTF-8";
inline constexpr std::string_view problem = "application/problem+json";
inline constexpr std::string_view schema = "application/schema+json";
inline constexpr std::string_view text = "text/plain;charset=UTF-8";
inline constexpr std::string_view metrics = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::string_view ndjson = "application/x-ndjson";
inline constexpr std::string_view sse = "text/event-stream";
}  // namespace content

/// "Created" for 201.
std::string_view reason_phrase(unsigned status) noexcept;

}  // namespace crema::http
