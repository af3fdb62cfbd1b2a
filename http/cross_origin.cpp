#include "http/cross_origin.hpp"

#include <algorithm>

#include "http/negotiate.hpp"

namespace crema::http {

namespace {

constexpr std::string_view methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
constexpr std::string_view request_headers =
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, traceparent, tracestate";
constexpr std::string_view answer_headers =
    "Accept-Patch, Allow, Crema-History, ETag, Idempotency-Replayed, Link, Location, RateLimit-Limit, RateLimit-Remaining, "
    "RateLimit-Reset, Retry-After, "
    "traceparent";

void append(std::string& to, std::string_view name, std::string_view text) { to.append(name).append(": ").append(text).append("\r\n"); }

}  // namespace

cross_origin::cross_origin(const server_settings& settings)
    : settings_(settings),
      any_(std::find(settings.cors_origins.begin(), settings.cors_origins.end(), "*") != settings.cors_origins.end()) {}

bool cross_origin::allows(std::string_view origin) const noexcept {
  if (origin.empty()) return false;
  return any_ || std::any_of(settings_.cors_origins.begin(), settings_.cors_origins.end(),
                             [&](const auto& listed) { return equal_ignoring_case(listed, origin); });
}

std::optional<response> cross_origin::preflight(const request& r) const {
  if (r.verb != method::options || r.access_control_request_method.empty() || !allows(r.origin)) return std::nullopt;
  response answer{204, {}, {}, {}, false};
  answer.header("Access-Control-Allow-Methods", methods);
  answer.header("Access-Control-Allow-Headers", request_headers);
  answer.header("Access-Control-Max-Age", std::to_string(settings_.cors_max_age_s));
  return answer;
}

void cross_origin::append_lines(std::string& head, const request& r) const {
  if (settings_.cors_origins.empty()) return;
  if (!any_) append(head, "Vary", "Origin");  // also where there was none: a cache must not give that answer to a page
  if (!allows(r.origin)) return;
  append(head, "Access-Control-Allow-Origin", any_ ? "*" : r.origin);
  if (settings_.cors_credentials && !any_) append(head, "Access-Control-Allow-Credentials", "true");
  append(head, "Access-Control-Expose-Headers", answer_headers);
}

}  // namespace crema::http
