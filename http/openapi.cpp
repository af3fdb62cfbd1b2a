#include "http/openapi.hpp"

#include <set>

#include "http/openapi_parts.hpp"

namespace crema::http {

namespace {

using nlohmann::json;

void add_operation_ids(json& paths) {
  for (auto& [path, item] : paths.items())
    for (auto& [method, operation] : item.items())
      if (operation.is_object()) operation["operationId"] = openapi::operation_id(method, path);
}

void collect_references(const json& part, std::set<std::string>& found) {
  if (part.is_object() && part.contains("$ref") && part["$ref"].is_string()) found.insert(part["$ref"].get<std::string>());
  if (part.is_structured())
    for (const auto& inner : part) collect_references(inner, found);
}

// What one system has no use for: not each has a plain array, or faults.
void drop_unused(json& document) {
  for (bool dropped = true; dropped;) {
    std::set<std::string> used;
    collect_references(document, used);
    dropped = false;
    for (auto& [kind, parts] : document["components"].items()) {
      if (kind == "securitySchemes") continue;
      const auto before = parts.size();
      std::erase_if(parts.get_ref<json::object_t&>(),
                    [&, k = kind](const auto& part) { return !used.contains("#/components/" + k + "/" + part.first); });
      dropped = dropped || parts.size() < before;
    }
  }
}

}  // namespace

json openapi_document(const system_declaration& system, const server_settings& settings, const std::string& prefix) {
  const std::string about = "The " + system.name +
                            ": collections with their commands, finders and views, the stream of events, and what operators need. "
                            "Every error is a problem (RFC 9457), and each kind of problem has a page below /problems.";
  json document = {{"openapi", "3.1.0"},
                   {"info", {{"title", "Crema: " + system.name}, {"version", CREMA_VERSION}, {"description", about}}},
                   {"servers", json::array({{{"url", prefix.empty() ? "/" : prefix}, {"description", "This node."}}})},
                   {"security", json::array()},
                   {"tags", json::array()},
                   {"paths", json::object()},
                   {"components", openapi::components(settings)}};
  for (const auto& c : system.contexts)
    if (c.resource) openapi::add_collection(document, *c.resource, false, settings);
  for (const auto& v : system.views) openapi::add_collection(document, v.resource, true, settings);
  openapi::add_events(document, system, settings);
  openapi::add_documents(document, system, settings);
  openapi::add_operations(document, settings);
  add_operation_ids(document["paths"]);
  drop_unused(document);
  return document;
}

}  // namespace crema::http
