// Spans as OTLP/HTTP carries them in JSON (opentelemetry-proto 1.x, trace/v1): hex ids, nanoseconds as text. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/trace.hpp"

namespace crema::outbound {

/// What all spans of this process come from.
struct resource {
  std::string service_name;                                     ///< empty: as the attributes say, else "crema"
  std::vector<std::pair<std::string, std::string>> attributes;  ///< more of them: "deployment.environment.name"
};
/// "team=blue": the value is percent-decoded, as in OTEL_RESOURCE_ATTRIBUTES. What has no "=" is left out.
std::vector<std::pair<std::string, std::string>> parse_attributes(const std::vector<std::string>& written);

/// The spans of one system, which is a resource of its own.
struct system_spans {
  std::string_view system;
  std::vector<telemetry::span> spans;
};

/// An ExportTraceServiceRequest.
std::string otlp_json(const resource& r, const std::vector<system_spans>& all);

}  // namespace crema::outbound
