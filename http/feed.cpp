#include "http/feed.hpp"

#include <algorithm>

#include "behaviors/core/json.hpp"

namespace crema::http {

void append_event(std::string& out, const system_declaration& system, const stored_event& e) {
  const auto& type = e.event.type();
  const auto shows = [&](std::string_view name) {
    return std::any_of(type.fields.begin(), type.fields.end(), [&](const auto& f) { return f.name == name && !f.hidden; });
  };
  out.append("{\"eventType\":\"").append(type.name).append("\"");
  if (!shows("timestamp")) out.append(",\"timestamp\":\"").append(to_compact_text(e.at)).append("\"");
  const auto before = out.size();
  append_json_fields(out, type, e.event.data());
  if (out.size() > before) out.insert(before, 1, ',');
  if (!shows("id")) out.append(",\"id\":").append(std::to_string(e.id));
  if (!shows("offset")) out.append(",\"offset\":").append(std::to_string(e.offset));
  if (!shows("traceId")) out.append(",\"traceId\":\"").append(trace_id_text(e.trace)).append("\"");
  if (!shows("context")) out.append(",\"context\":\"").append(system.contexts[e.context].name).append("\"");
  for (const auto& [member, is] : system.event_marks)
    if (!shows(member)) out.append(",\"").append(member).append(is ? "\":true" : "\":false");
  out += '}';
}

void append_feed_entry(std::string& out, const front_door& door, const stored_event& e, bool sse) {
  if (sse) out.append("id: ").append(door.history()).append("-").append(std::to_string(e.offset)).append("\ndata: ");
  append_event(out, door.system(), e);
  out.append(sse ? "\n\n" : "\n");
}

void append_feed_reset(std::string& out, const front_door& door, const std::string& why) {
  out.append("event: reset\ndata: {\"reason\":");
  append_json_text(out, why);
  out.append(",\"history\":\"").append(door.history()).append("\"}\n\n");
}

}  // namespace crema::http
