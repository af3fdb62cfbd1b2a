#include "http/otlp_json.hpp"

#include <nlohmann/json.hpp>

namespace crema::http {

namespace {

using nlohmann::json;

// Span.SpanKind of trace.proto.
enum span_kind : int { internal = 1, server = 2, client = 3, consumer = 5 };

span_kind kind_of(const telemetry::span& s) {
  if (s.kind == "request") return server;
  if (s.kind == "ask" || s.kind == "notify") return client;
  return s.kind == "wait" ? consumer : internal;
}

std::string span_id_text(const std::array<std::uint8_t, 8>& id) {
  constexpr std::size_t at = 36;  // "00-<32 digits>-<16 digits>-01"
  trace_context t;
  t.span_id = id;
  return to_traceparent(t).substr(at, 16);
}

json text(std::string_view key, std::string_view value) {
  return {{"key", std::string(key)}, {"value", {{"stringValue", std::string(value)}}}};
}

json attributes_of(const telemetry::span& s) {
  auto all = json::array({text("crema.kind", s.kind)});
  if (!s.where.empty()) {
    all.push_back(text("crema.context", s.where));
    if (s.id != 0) all.push_back(text("crema.aggregate", std::string(s.where) + "/" + std::to_string(s.id)));
  }
  constexpr std::string_view status = "status=";
  if (s.kind == "request" && s.note.starts_with(status)) {
    const auto space = s.what.find(' ');
    all.push_back(text("http.request.method", s.what.substr(0, space)));
    all.push_back(text("http.route", s.what.substr(space + 1)));
    all.push_back({{"key", "http.response.status_code"}, {"value", {{"intValue", s.note.substr(status.size())}}}});
  } else if (!s.note.empty()) {
    all.push_back(text("crema.note", s.note));
  }
  return all;
}

json to_json(const telemetry::span& s) {
  constexpr int error = 2;  // Status.StatusCode
  json j = {{"traceId", trace_id_text(s.context)},
            {"spanId", span_id_text(s.context.span_id)},
            {"name", s.kind == "request" ? std::string(s.what) : std::string(s.kind) + " " + std::string(s.what)},
            {"kind", kind_of(s)},
            {"startTimeUnixNano", std::to_string(s.start_us * 1000)},
            {"endTimeUnixNano", std::to_string((s.start_us + s.duration_us) * 1000)},
            {"attributes", attributes_of(s)},
            {"status", s.failed ? json{{"code", error}} : json::object()}};
  if (s.parent != std::array<std::uint8_t, 8>{}) j["parentSpanId"] = span_id_text(s.parent);
  return j;
}

}  // namespace

std::string otlp_json(const std::vector<system_spans>& all) {
  json resources = json::array();
  for (const auto& of_system : all) {
    if (of_system.spans.empty()) continue;
    json spans = json::array();
    for (const auto& s : of_system.spans) spans.push_back(to_json(s));
    const auto attributes =
        json::array({text("service.name", "crema"), text("service.version", CREMA_VERSION), text("crema.system", of_system.system)});
    const json scope = {{"scope", {{"name", "crema"}}}, {"spans", std::move(spans)}};
    resources.push_back({{"resource", {{"attributes", attributes}}}, {"scopeSpans", json::array({scope})}});
  }
  return json{{"resourceSpans", std::move(resources)}}.dump();
}

}  // namespace crema::http
