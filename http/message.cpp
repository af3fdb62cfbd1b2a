#include "http/message.hpp"

namespace crema::http {

void request::clear() {
  verb = method::get;
  version = 11;
  for (auto* s : {&target,
                  &body,
                  &host,
                  &accept,
                  &content_type,
                  &content_encoding,
                  &expect,
                  &authorization,
                  &if_match,
                  &if_none_match,
                  &idempotency_key,
                  &traceparent,
                  &tracestate,
                  &last_event_id,
                  &user_agent,
                  &x_forwarded_for,
                  &x_forwarded_proto,
                  &x_forwarded_host,
                  &x_forwarded_port,
                  &x_forwarded_prefix,
                  &forwarded,
                  &transfer_encoding,
                  &accept_encoding,
                  &origin,
                  &access_control_request_method,
                  &sec_fetch_site})
    s->clear();
  host_count = 0;
  has_idempotency_key = false;
  idempotency_key_repeats = false;
  has_transfer_encoding = false;
}

std::string_view reason_phrase(unsigned status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Unknown";
  }
}

}  // namespace crema::http
