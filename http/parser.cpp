#include "http/parser.hpp"

#include <boost/beast/http/error.hpp>
#include <utility>

#include "http/negotiate.hpp"

namespace crema::http {

namespace {

namespace beast = boost::beast;

method method_of(beast::http::verb v) noexcept {
  switch (v) {
    case beast::http::verb::get: return method::get;
    case beast::http::verb::head: return method::head;
    case beast::http::verb::post: return method::post;
    case beast::http::verb::put: return method::put;
    case beast::http::verb::patch: return method::patch;
    case beast::http::verb::delete_: return method::remove;
    case beast::http::verb::options: return method::options;
    default: return method::other;
  }
}

struct named_field {
  std::string_view name;
  std::string request::*member;
};

// Headers that Beast has no number for.
constexpr named_field named_fields[] = {{"idempotency-key", &request::idempotency_key},
                                        {"traceparent", &request::traceparent},
                                        {"tracestate", &request::tracestate},
                                        {"last-event-id", &request::last_event_id},
                                        {"x-forwarded-for", &request::x_forwarded_for},
                                        {"x-forwarded-proto", &request::x_forwarded_proto},
                                        {"x-forwarded-host", &request::x_forwarded_host},
                                        {"x-forwarded-port", &request::x_forwarded_port},
                                        {"x-forwarded-prefix", &request::x_forwarded_prefix},
                                        {"sec-fetch-site", &request::sec_fetch_site}};

std::string request::*member_of(beast::http::field f, std::string_view name) noexcept {
  switch (f) {
    case beast::http::field::host: return &request::host;
    case beast::http::field::accept: return &request::accept;
    case beast::http::field::content_type: return &request::content_type;
    case beast::http::field::content_encoding: return &request::content_encoding;
    case beast::http::field::expect: return &request::expect;
    case beast::http::field::authorization: return &request::authorization;
    case beast::http::field::if_match: return &request::if_match;
    case beast::http::field::if_none_match: return &request::if_none_match;
    case beast::http::field::transfer_encoding: return &request::transfer_encoding;
    case beast::http::field::accept_encoding: return &request::accept_encoding;
    case beast::http::field::origin: return &request::origin;
    case beast::http::field::access_control_request_method: return &request::access_control_request_method;
    case beast::http::field::forwarded: return &request::forwarded;
    case beast::http::field::user_agent: return &request::user_agent;
    case beast::http::field::unknown: break;
    default: return nullptr;
  }
  for (const auto& n : named_fields)
    if (equal_ignoring_case(n.name, name)) return n.member;
  return nullptr;
}

}  // namespace

request_parser::request_parser(request& into, std::size_t uri_bytes_max, std::uint64_t body_bytes_max, std::uint32_t header_bytes_max)
    : r_(into), uri_bytes_max_(uri_bytes_max) {
  r_.clear();
  body_limit(body_bytes_max);
  header_limit(header_bytes_max);
}

void request_parser::on_request_impl(beast::http::verb v, string_view, string_view target, int version, error_code& ec) {
  ec = {};
  r_.verb = method_of(v);
  r_.version = static_cast<unsigned>(version);
  if (target.size() > uri_bytes_max_) {
    uri_too_long_ = true;
    ec = beast::http::error::bad_target;
    return;
  }
  r_.target.assign(target.data(), target.size());
}

void request_parser::on_field_impl(beast::http::field f, string_view name, string_view text, error_code& ec) {
  ec = {};
  if (header_done_) return;
  const auto member = member_of(f, {name.data(), name.size()});
  if (member == nullptr) return;
  auto& into = r_.*member;
  const bool repeats = !into.empty();
  if (f == beast::http::field::host) ++r_.host_count;
  if (f == beast::http::field::transfer_encoding) r_.has_transfer_encoding = true;
  if (member == &request::idempotency_key) r_.idempotency_key_repeats = std::exchange(r_.has_idempotency_key, true);
  if (repeats) into.append(", ");  // RFC 9110, 5.3: a list
  into.append(text.data(), text.size());
}

void request_parser::on_header_impl(error_code& ec) {
  ec = {};
  header_done_ = true;
}

void request_parser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) {
  ec = {};
  if (length) r_.body.reserve(*length);  // Beast has already held it against the body limit
}

std::size_t request_parser::on_body_impl(string_view bytes, error_code& ec) {
  ec = {};
  r_.body.append(bytes.data(), bytes.size());
  return bytes.size();
}

}  // namespace crema::http
