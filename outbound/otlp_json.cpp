#include "outbound/otlp_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "outbound/redact.hpp"

namespace crema::outbound {

namespace {

using nlohmann::json;

// Span.SpanKind of trace.proto.
enum span_kind : int { internal = 1, server = 2, client = 3, consumer = 5 };

span_kind kind_of(const telemetry::span& s) {
  if (s.kind == "request") return server;
  if (s.kind == "ask" || s.kind == "notify") return client;
  return s.kind == "wait" ? consumer : internal;
}

json text(std::string_view key, std::string_view value) {
  return {{"key", std::string(key)}, {"value", {{"stringValue", std::string(value)}}}};
}

json number(std::string_view key, std::uint64_t value) {
  return {{"key", std::string(key)}, {"value", {{"intValue", std::to_string(value)}}}};
}

void add_text(json& to, std::string_view key, std::string_view value) {
  if (!value.empty()) to.push_back(text(key, value));
}

// OpenTelemetry's conventions for HTTP, as they are stable since 1.23.
void add_http(json& to, const http_exchange& h) {
  const bool is_other = h.method == "OTHER";
  to.push_back(text("http.request.method", is_other ? "_OTHER" : h.method));
  if (h.status != 0) to.push_back(number("http.response.status_code", h.status));
  to.push_back(text("network.protocol.version", h.version == 10 ? "1.0" : "1.1"));
  if (h.url.empty()) {
    add_text(to, "url.scheme", h.scheme);
    add_text(to, "url.path", h.path);
    add_text(to, "url.query", redacted_query(h.query));
    add_text(to, "server.address", h.host);
    if (h.port != 0) to.push_back(number("server.port", h.port));
    add_text(to, "client.address", h.client);
    add_text(to, "user_agent.original", h.user_agent);
    add_text(to, "http.route", h.route);
    if (h.status >= 500) to.push_back(text("error.type", std::to_string(h.status)));
  } else {
    const auto server = server_of(h.url);
    to.push_back(text("url.full", redacted_url(h.url)));
    add_text(to, "server.address", server.host);
    to.push_back(number("server.port", server.port));
    if (h.status == 0)
      add_text(to, "error.type", h.error);
    else if (h.status >= 400)
      to.push_back(text("error.type", std::to_string(h.status)));
  }
}

json attributes_of(const telemetry::span& s) {
  auto all = json::array({text("crema.kind", s.kind)});
  if (!s.where.empty()) {
    all.push_back(text("crema.context", s.where));
    if (s.id != 0) all.push_back(text("crema.aggregate", std::string(s.where) + "/" + std::to_string(s.id)));
  }
  if (s.http) add_http(all, *s.http);
  if (!s.note.empty() && s.kind != "request") all.push_back(text("crema.note", s.note));
  return all;
}

// "{method} {route}" of what was answered, "{method}" of what was posted or matched no route.
std::string name_of(const telemetry::span& s) {
  if (!s.http) return s.kind == "request" ? std::string(s.what) : std::string(s.kind) + " " + std::string(s.what);
  const auto method = s.http->method == "OTHER" ? std::string("HTTP") : s.http->method;
  return s.http->route.empty() ? method : method + " " + std::string(s.http->route);
}

json to_json(const telemetry::span& s) {
  constexpr int error = 2;  // Status.StatusCode
  json j = {{"traceId", trace_id_text(s.context)},
            {"spanId", span_id_text(s.context.span_id)},
            {"name", name_of(s)},
            {"kind", kind_of(s)},
            {"startTimeUnixNano", std::to_string(s.start_us * 1000)},
            {"endTimeUnixNano", std::to_string((s.start_us + s.duration_us) * 1000)},
            {"attributes", attributes_of(s)},
            {"status", s.failed ? json{{"code", error}} : json::object()}};
  if (s.parent != std::array<std::uint8_t, 8>{}) j["parentSpanId"] = span_id_text(s.parent);
  if (s.context.state) j["traceState"] = *s.context.state;
  return j;
}

// A later one of the same key takes the place of an earlier.
json resource_attributes(const resource& r, std::string_view system) {
  json all = json::array();
  const auto put = [&](std::string_view key, std::string_view value) {
    const auto at = std::find_if(all.begin(), all.end(), [&](const json& a) { return a["key"] == key; });
    if (at != all.end())
      *at = text(key, value);
    else
      all.push_back(text(key, value));
  };
  put("service.name", "crema");
  put("service.version", CREMA_VERSION);
  for (const auto& [key, value] : r.attributes) put(key, value);
  if (!r.service_name.empty()) put("service.name", r.service_name);
  put("crema.system", system);
  return all;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_attributes(const std::vector<std::string>& written) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& w : written)
    if (const auto equals = w.find('='); equals != std::string::npos && equals > 0)
      all.emplace_back(w.substr(0, equals), percent_decoded(std::string_view(w).substr(equals + 1)));
  return all;
}

std::string otlp_json(const resource& r, const std::vector<system_spans>& all) {
  json resources = json::array();
  for (const auto& of_system : all) {
    if (of_system.spans.empty()) continue;
    json spans = json::array();
    for (const auto& s : of_system.spans) spans.push_back(to_json(s));
    const json scope = {{"scope", {{"name", "crema"}}}, {"spans", std::move(spans)}};
    resources.push_back({{"resource", {{"attributes", resource_attributes(r, of_system.system)}}}, {"scopeSpans", json::array({scope})}});
  }
  return json{{"resourceSpans", std::move(resources)}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace crema::outbound
