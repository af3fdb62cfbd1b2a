// Spans as OTLP/HTTP carries them in JSON (opentelemetry-proto 1.x, trace/v1): hex ids, nanoseconds as text. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "telemetry/trace.hpp"

namespace crema::http {

/// The spans of one system, which is a resource of its own.
struct system_spans {
  std::string_view system;
  std::vector<telemetry::span> spans;
};

/// An ExportTraceServiceRequest.
std::string otlp_json(const std::vector<system_spans>& all);

}  // namespace crema::http
