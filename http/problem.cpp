#include "http/problem.hpp"

#include <algorithm>
#include <array>

#include "behaviors/core/json.hpp"
#include "behaviors/core/text.hpp"
#include "http/forwarded.hpp"

namespace crema::http {

namespace {

// In the order of problem_code.
constexpr auto kinds = std::to_array<problem_kind>({
    {"bad-request", 400, "Bad request", "The bytes on the connection are not an HTTP/1.0 or HTTP/1.1 request that can be understood.",
     "Send the request again with an HTTP client; look for a stray character in the target or a header, and for one Host. The connection "
     "is closed after this answer."},
    {"malformed-body", 400, "Malformed body",
     "The body is not JSON, is not an object, is nested too deeply, is not UTF-8, or a field has the wrong type.",
     "Correct the body; where one field is at fault, `field` names it. /profile/{collection} has the schema."},
    {"bad-parameter", 400, "Bad query parameter", "A query parameter or a conditional header is missing or cannot be read.",
     "Correct the parameter that the detail names. /{collection}/search lists finders with their parameters."},
    {"unauthorized", 401, "Unauthorized", "The management endpoints need a bearer token, and none or another one was sent.",
     "Send `Authorization: Bearer <token>` with the token set as http.managementToken."},
    {"forbidden", 403, "Forbidden",
     "No http.managementToken is set, so only programs on this machine may manage the node; this request came from elsewhere, through a "
     "proxy, under a foreign Host, or from a web page of another origin.",
     "Manage from this machine, by http://localhost or http://127.0.0.1. Operators: set http.managementToken, and send it."},
    {"not-found", 404, "Not found", "There is no such path or no such resource, or it left its collection.",
     "Check path and id; `/` lists the collections."},
    {"method-not-allowed", 405, "Method not allowed", "The resource exists and does not take this method.",
     "Use one of the methods in the `Allow` header."},
    {"request-timeout", 408, "Request timeout", "The request did not arrive completely in the time that the server grants.",
     "Send it again, faster. Operators: http.requestReadTimeoutMs; many of these at once are slow clients or an attack."},
    {"conflict", 409, "Conflict", "The present state of the resource does not allow this.",
     "Read the resource; what this request asked for was not done."},
    {"place-lost", 410, "Place lost",
     "The offset to go on from is of another history than the one that is served (the data were restored), or ahead of its end.",
     "Begin anew, without `from` and `Last-Event-ID`, and take what was read before as read from a history that is gone. `Crema-History` "
     "names the history that is served."},
    {"stale", 412, "Precondition failed",
     "The resource has another version than If-Match asks for, as somebody changed it in between, or one that If-None-Match rules out.",
     "Read it again, decide anew, and send the ETag that was just read."},
    {"body-too-large", 413, "Body too large", "The body is larger than the limit (64 KiB by default).",
     "Send less. Operators: http.bodyBytesMax."},
    {"uri-too-long", 414, "URI too long", "The request target is longer than the limit.",
     "Shorten the query. Operators: http.uriBytesMax."},
    {"unsupported-media-type", 415, "Unsupported media type",
     "The body does not say that it is JSON in UTF-8, it is a JSON Patch, or it is compressed.",
     "Send `Content-Type: application/json` (or `application/merge-patch+json`) and no Content-Encoding."},
    {"expectation-failed", 417, "Expectation failed", "The Expect header asks for something other than 100-continue.",
     "Leave the Expect header out."},
    {"invalid-field", 422, "Invalid value",
     "The body can be read, and a field in it is unknown, missing or out of its range, or asks for a status that does not exist.",
     "Correct the field that `field` names; the detail suggests the nearest known name. Nothing was changed."},
    {"idempotency-key-reused", 422, "Idempotency key reused",
     "This Idempotency-Key was already used for a request that asked for something else.",
     "Use a new key of 1 to 255 bytes for each new request, and the old key only to repeat the same request."},
    {"too-many-requests", 429, "Too many requests", "This client address sent more requests than the rate limit allows.",
     "Wait as long as Retry-After says. Operators: http.rateLimitPerSecond and http.rateLimitBurst."},
    {"headers-too-large", 431, "Headers too large", "Request line and headers together are larger than the limit (8 KiB by default).",
     "Send fewer or shorter headers. Operators: http.headerBytesMax."},
    {"internal", 500, "Internal error", "Something went wrong here that should not. It is in the log under the trace id.",
     "Repeat with the same Idempotency-Key. Operators: look for the traceId in the log and report it."},
    {"partner-failed", 500, "A partner failed", "A context that had to take part failed. What others did for the request is undone, if need be later.",
     "Repeat the request. Operators: /actuator/supervisors shows what failed and which undos wait, /actuator/deadletters what was given up."},
    {"not-implemented", 501, "Not implemented", "The body comes in a transfer coding that this server does not know.",
     "Send it with a Content-Length, or with `Transfer-Encoding: chunked` and nothing else. The connection is closed after this answer."},
    {"overloaded", 503, "Overloaded",
     "A limit is reached or a circuit is open, and the request was refused at once. What others did for it is undone, if need be later.",
     "Wait as long as Retry-After says and repeat. Operators: /actuator/circuitbreakers."},
    {"stopped", 503, "Stopped", "A context that is needed for this is stopped. What others did for the request is undone, if need be later.",
     "Repeat later. Operators: POST /actuator/contexts/{name}/start."},
    {"outcome-unknown", 503, "Outcome unknown",
     "No answer came within the time limit, and it is not known whether the request was carried out.",
     "Repeat it with the same Idempotency-Key: it is then carried out once at the most. Without a key, read the resource first."},
    {"timed-out", 504, "A partner timed out", "A context that had to take part did not answer in time. What others did for the request is undone, if need be later.",
     "Repeat the request. Operators: the context's bulkhead.callTimeoutMs, /actuator/traces."},
});
static_assert(kinds.size() == static_cast<std::size_t>(problem_code::timed_out) + 1);

problem_code code_of(const rejection& why) {
  switch (why.kind) {
    case rejection_kind::malformed: return problem_code::malformed_body;
    case rejection_kind::invalid:
      return why.field == "Idempotency-Key" ? problem_code::idempotency_key_reused : problem_code::invalid_field;
    case rejection_kind::not_found: return problem_code::not_found;
    case rejection_kind::conflict: return problem_code::conflict;
    case rejection_kind::stale: return problem_code::stale;
    case rejection_kind::overloaded: return problem_code::overloaded;
    case rejection_kind::stopped: return problem_code::stopped;
    case rejection_kind::timed_out: return problem_code::timed_out;
    case rejection_kind::failed: return problem_code::partner_failed;
  }
  return problem_code::internal;
}

// A target may carry bytes beyond ASCII; in JSON they would have to be UTF-8.
std::string printable(std::string_view path) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  out.reserve(path.size());
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f)
      out += c;
    else
      (out += '%', out += hex[byte >> 4], out += hex[byte & 15]);
  }
  return out;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_json_text(out, text);
}

}  // namespace

std::span<const problem_kind> problem_kinds() noexcept { return kinds; }
const problem_kind& kind_of(problem_code code) noexcept { return kinds[static_cast<std::size_t>(code)]; }

const problem_kind* find_problem(std::string_view slug) noexcept {
  const auto at = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.slug == slug; });
  return at == kinds.end() ? nullptr : &*at;
}

problem to_problem(const rejection& why) {
  problem p{code_of(why), why.detail, why.field, why.retry_after_ms};
  if (why.kind == rejection_kind::overloaded) p.retry_after_ms = std::max<std::int64_t>(1, p.retry_after_ms);
  return p;
}

problem unreadable_tags(std::string_view name) {
  return {problem_code::bad_parameter, std::string(name) + ": a list of ETags in quotes or * is expected.", std::string(name)};
}

response render(const problem& p, const request& r) {
  const auto& kind = kind_of(p.code);
  // It may quote what was sent, and be read in a terminal.
  const auto detail = visible(p.detail.empty() ? kind.meaning : std::string_view(p.detail));
  const auto prefix = forwarded_prefix(r);  // a link, as the client sees it
  const auto path = std::string(prefix) + printable(r.path());
  response answer{kind.status, content::problem, {}, p.headers, p.close};
  auto& out = answer.body;
  out.reserve(512);
  out.append("{\"type\":\"")
      .append(prefix)
      .append("/problems/")
      .append(kind.slug)
      .append("\",\"status\":")
      .append(std::to_string(kind.status));
  append_member(out, "title", kind.title);
  append_member(out, "detail", detail);
  append_member(out, "instance", path);
  append_member(out, "timestamp", to_iso_text(r.now));
  append_member(out, "error", reason_phrase(kind.status));
  append_member(out, "message", detail);
  append_member(out, "path", path);
  append_member(out, "traceId", trace_id_text(r.trace));
  if (!p.field.empty()) append_member(out, "field", visible(p.field));
  out += '}';
  if (p.retry_after_ms > 0) answer.header("Retry-After", std::to_string((p.retry_after_ms + 999) / 1000));
  return answer;
}

std::string explanation(const problem_kind& kind) {
  std::string out;
  out.append(kind.title).append(" (").append(std::to_string(kind.status)).append(")\n\n");
  return out.append(kind.meaning).append("\n\nWhat to do: ").append(kind.what_to_do).append("\n");
}

std::string problem_handbook() {
  std::string out =
      "# Errors\n\nEvery error is `application/problem+json`; its `type` is one of these, and `GET /problems/<slug>` answers the same "
      "text.\n"
      "Made from the table in `http/problem.cpp`: change it there (`CREMA_WRITE_DOCS=1 http_tests '[handbook]'` writes this file).\n\n"
      "| slug | status | what happened | what to do |\n| --- | --- | --- | --- |\n";
  for (const auto& k : kinds) {
    out.append("| `").append(k.slug).append("` | ").append(std::to_string(k.status)).append(" | ").append(k.meaning).append(" | ");
    out.append(k.what_to_do).append(" |\n");
  }
  return out;
}

}  // namespace crema::http
