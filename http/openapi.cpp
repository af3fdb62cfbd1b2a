#include "http/openapi.hpp"

#include <cctype>
#include <nlohmann/json.hpp>
#include <string>

#include "behaviors/core/json.hpp"

namespace crema::http {

namespace {

using nlohmann::json;

json reference(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }
json body_of(const std::string& media, json schema) { return {{media, {{"schema", std::move(schema)}}}}; }
json problem_answer(const char* description) {
  return {{"description", description}, {"content", body_of("application/problem+json", reference("problem"))}};
}
json answer(const std::string& description, json schema) {
  return {{"description", description}, {"content", body_of("application/hal+json", std::move(schema))}};
}
json parameter(const char* in, std::string_view name, bool required, json schema) {
  return {{"in", in}, {"name", name}, {"required", required}, {"schema", std::move(schema)}};
}
json id_parameter() { return parameter("path", "id", true, {{"type", "integer"}, {"minimum", 1}}); }

json paging_parameters(const server_settings& settings) {
  return json::array(
      {parameter("query", "page", false, {{"type", "integer"}, {"minimum", 0}, {"default", 0}}),
       parameter("query", "size", false,
                 {{"type", "integer"}, {"minimum", 1}, {"maximum", settings.page_size_max}, {"default", settings.page_size_default}}),
       parameter("query", "sort", false, {{"type", "string"}, {"examples", json::array({"id,desc"})}})});
}

// The body of one command; a transition's carries the status that chooses it.
json command_schema(const verb_declaration& v) {
  auto schema = json_schema(*v.command);
  if (v.status.empty()) return schema;
  schema["properties"]["status"] = {{"const", v.status}};
  schema["required"].push_back("status");
  return schema;
}

json command_operation(const resource_declaration& r, verb on) {
  json choices = json::array();
  for (const auto& v : r.verbs)
    if (v.on == on) choices.push_back(command_schema(v));
  json operation = {{"tags", json::array({r.collection})}, {"responses", json::object()}};
  auto& responses = operation["responses"];
  if (on != verb::remove)
    operation["requestBody"] = {{"required", true},
                                {"content", body_of("application/json", choices.size() == 1 ? choices[0] : json{{"oneOf", choices}})}};
  if (on == verb::create)
    responses["201"] = answer("created", reference(r.singular));
  else if (on == verb::remove)
    responses["204"] = {{"description", "done"}};
  else
    responses["200"] = answer("changed", reference(r.singular));
  operation["parameters"] = json::array();
  if (on != verb::create) operation["parameters"].push_back(parameter("header", "If-Match", false, {{"type", "string"}}));
  if (on == verb::create || on == verb::patch)
    operation["parameters"].push_back(parameter("header", "Idempotency-Key", false, {{"type", "string"}, {"maxLength", 255}}));
  responses["default"] = problem_answer("refused; what was asked for was not done");
  return operation;
}

json read_operation(const std::string& tag, json schema, json parameters) {
  return {{"tags", json::array({tag})},
          {"parameters", std::move(parameters)},
          {"responses", {{"200", answer("found", std::move(schema))}, {"default", problem_answer("not found, or a bad parameter")}}}};
}

json page_schema(const resource_declaration& r) {
  return {{"type", "object"},
          {"properties",
           {{"_embedded", {{"type", "object"}, {"properties", {{r.collection, {{"type", "array"}, {"items", reference(r.singular)}}}}}}},
            {"_links", {{"type", "object"}}},
            {"page", reference("page")}}}};
}

void add_finders(json& paths, const resource_declaration& r, const server_settings& settings) {
  for (const auto& f : r.finders) {
    auto parameters = paging_parameters(settings);
    for (const auto at : f.fields)
      parameters.push_back(
          parameter("query", r.row->fields[at].name, true, json_schema(*r.row)["properties"][std::string(r.row->fields[at].name)]));
    auto operation = read_operation(r.collection, page_schema(r), std::move(parameters));
    if (f.plain_array)
      operation["responses"]["200"] = {{"description", "found, oldest first"},
                                       {"content", body_of("application/json", {{"type", "array"}, {"items", reference(r.singular)}})}};
    paths["/" + r.collection + "/search/" + f.name]["get"] = std::move(operation);
  }
}

bool takes(const resource_declaration& r, verb on) {
  for (const auto& v : r.verbs)
    if (v.on == on) return true;
  return false;
}

json stream_operation(const char* tag, json parameters) {
  const json place = {{"type", "string"},
                      {"pattern", "^([0-9a-f]{16}-)?[0-9]+$"},
                      {"description", "An offset, alone or behind its history and a hyphen, as the ids of server-sent events are."}};
  parameters.push_back(parameter("query", "from", false, place));
  parameters.push_back(parameter("query", "follow", false, {{"type", "boolean"}}));
  parameters.push_back(parameter("header", "Last-Event-ID", false, place));
  const json content = {{"application/x-ndjson", {{"schema", reference("event")}}},
                        {"text/event-stream", {{"schema", {{"type", "string"}}}}}};
  return {{"tags", json::array({tag})},
          {"parameters", std::move(parameters)},
          {"responses",
           {{"200",
             {{"description", "events, oldest first; a server-sent event `reset` where `from` or `Last-Event-ID` is not of this history"},
              {"headers", {{"Crema-History", {{"description", "which history the offsets are of"}, {"schema", {{"type", "string"}}}}}}},
              {"content", content}}},
            {"410", problem_answer("`from` or `Last-Event-ID` is of another history, or ahead of the end")}}}};
}

void add_resource(json& document, const resource_declaration& r, bool is_view, const server_settings& settings) {
  auto& paths = document["paths"];
  auto schema = json_schema(*r.row);
  schema.erase("$schema");
  schema["properties"]["_links"] = {{"type", "object"}};
  document["components"]["schemas"][r.singular] = std::move(schema);
  auto& collection = paths["/" + r.collection];
  collection["get"] = read_operation(r.collection, page_schema(r), paging_parameters(settings));
  auto& item = paths["/" + r.collection + "/{id}"];
  item["parameters"] = json::array({id_parameter()});
  item["get"] = read_operation(r.collection, reference(r.singular), json::array());
  if (!is_view) {
    if (takes(r, verb::create)) collection["post"] = command_operation(r, verb::create);
    if (takes(r, verb::patch)) item["patch"] = command_operation(r, verb::patch);
    if (takes(r, verb::replace)) item["put"] = command_operation(r, verb::replace);
    if (takes(r, verb::remove)) item["delete"] = command_operation(r, verb::remove);
    paths["/" + r.collection + "/{id}/events"]["get"] = stream_operation(r.collection.c_str(), json::array({id_parameter()}));
    paths["/" + r.collection + "/{id}/trace"]["get"] = read_operation(r.collection, reference("causalTree"), json::array({id_parameter()}));
  }
  add_finders(paths, r, settings);
}

json causal_step_schema() {
  const json text = {{"type", "string"}}, number = {{"type", "integer"}}, yes = {{"type", "boolean"}};
  return {{"type", "object"},
          {"properties",
           {{"aggregate", text},
            {"cause", {{"enum", {"request", "ask", "message", "timer", "undo", "notification", "replay"}}}},
            {"state", {{"enum", {"recorded", "waiting", "dead", "dropped", "unknown"}}}},
            {"message", text},
            {"events", {{"type", "array"}, {"items", text}}},
            {"queuedMs", {{"type", "number"}}},
            {"handledMs", {{"type", "number"}}},
            {"committedMs", {{"type", "number"}}},
            {"dueAt", text},
            {"sequence", number},
            {"version", number},
            {"causation", number},
            {"traceId", text},
            {"spanId", text},
            {"compensating", yes},
            {"undone", yes},
            {"failedTries", number},
            {"notes", {{"type", "array"}, {"items", text}}},
            {"deadLetter", {{"type", "object"}, {"properties", {{"id", number}, {"attempts", number}}}}},
            {"steps", {{"type", "array"}, {"items", reference("causalStep")}}}}},
          {"required", {"aggregate", "cause", "state", "steps"}}};
}

json causal_tree_schema() {
  const json text = {{"type", "string"}};
  return {{"type", "object"},
          {"properties",
           {{"aggregate", text},
            {"startedAt", text},
            {"durationMs", {{"type", "number"}}},
            {"complete", {{"type", "boolean"}}},
            {"steps", {{"type", "array"}, {"items", reference("causalStep")}}}}},
          {"required", {"aggregate", "startedAt", "durationMs", "complete", "steps"}}};
}

json common_schemas() {
  const json text = {{"type", "string"}}, number = {{"type", "integer"}};
  json problem = {{"type", "object"}, {"properties", json::object()}};
  for (const auto* name : {"type", "title", "detail", "instance", "timestamp", "error", "message", "path", "traceId", "field"})
    problem["properties"][name] = text;
  problem["properties"]["status"] = number;
  json page = {{"type", "object"},
               {"properties", {{"size", number}, {"totalElements", number}, {"totalPages", number}, {"number", number}}}};
  json event = {
      {"type", "object"},
      {"properties", {{"eventType", text}, {"timestamp", text}, {"id", number}, {"offset", number}, {"traceId", text}, {"context", text}}},
      {"required", {"eventType", "timestamp", "offset"}}};
  json fault = {{"type", "object"},
                {"properties", {{"target", text}, {"kind", text}, {"note", text}, {"rate", {{"type", "number"}}}}},
                {"required", {"target", "kind"}}};
  for (const auto* name : {"count", "durationMs", "delayMinMs", "delayMaxMs", "byMs", "seed"}) fault["properties"][name] = number;
  return {{"problem", problem},
          {"page", page},
          {"event", event},
          {"fault", fault},
          {"causalStep", causal_step_schema()},
          {"causalTree", causal_tree_schema()}};
}

json plain_operation(const char* description) {
  return {{"tags", {"operations"}}, {"responses", {{"200", {{"description", description}}}, {"default", problem_answer("refused")}}}};
}

void add_operations(json& paths) {
  const std::pair<const char*, const char*> readable[] = {
      {"/actuator/health", "health with components"},
      {"/actuator/health/liveness", "200 UP, 503 otherwise"},
      {"/actuator/health/readiness", "200 UP, 503 otherwise"},
      {"/actuator/info", "version and system"},
      {"/actuator/prometheus", "metrics"},
      {"/actuator/circuitbreakers", "bulkheads and their circuits"},
      {"/actuator/supervisors", "the supervision tree"},
      {"/actuator/traces", "recent traces"},
      {"/actuator/traces/{id}", "one trace"},
      {"/actuator/contexts", "contexts and their state"},
      {"/actuator/deadletters", "messages that could not be handled, and which of them may be sent again"}};
  for (const auto& [path, description] : readable) paths[path]["get"] = plain_operation(description);
  const std::pair<const char*, const char*> writable[] = {
      {"/actuator/contexts/{name}/stop", "the context has stopped"},
      {"/actuator/contexts/{name}/start", "the context takes messages"},
      {"/actuator/deadletters/{id}/replay",
       "sent again; 409 for an ask, and for a request unless it has a key that was not answered since"},
      {"/actuator/backup", "the copy is complete"}};
  for (const auto& [path, description] : writable) paths[path]["post"] = plain_operation(description);
  paths["/actuator/deadletters/{id}"]["delete"] = plain_operation("dropped");
  paths["/actuator/faults"] = {{"get", plain_operation("injected faults and how often each struck; 404 where they are not enabled")},
                               {"post", plain_operation("added")},
                               {"delete", plain_operation("all removed")}};
  paths["/actuator/faults"]["post"]["requestBody"] = {{"required", true},
                                                      {"content", {{"application/json", {{"schema", reference("fault")}}}}}};
  paths["/actuator/faults/{id}"] = {{"get", plain_operation("one of them")}, {"delete", plain_operation("removed")}};
  for (auto& [path, item] : paths.items()) {  // every template variable needs its parameter
    if (path.rfind("/actuator/", 0) != 0 || path.find('{') == std::string::npos) continue;
    const auto from = path.find('{') + 1;
    item["parameters"] = json::array({parameter("path", path.substr(from, path.find('}') - from), true, {{"type", "string"}})});
  }
}

// "get /orders/{id}/events" → "getOrdersByIdEvents": what code generators call the operation. Stable, and unique as paths are.
std::string operation_id(const std::string& verb, const std::string& path) {
  std::string id = verb;
  bool upper = true;
  for (const char c : path) {
    if (c == '{') id += "By";
    if (c == '/' || c == '{' || c == '}' || c == '-') {
      upper = true;
    } else {
      id += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    }
  }
  return id;
}

void add_operation_ids(json& paths) {
  for (auto& [path, item] : paths.items())
    for (auto& [verb, operation] : item.items())
      if (operation.is_object()) operation["operationId"] = operation_id(verb, path);
}

}  // namespace

json openapi_document(const system_declaration& system, const server_settings& settings, const std::string& prefix) {
  json document = {{"openapi", "3.1.0"},
                   {"info", {{"title", "Crema: " + system.name}, {"version", CREMA_VERSION}}},
                   {"servers", json::array({{{"url", prefix.empty() ? "/" : prefix}}})},
                   {"paths", json::object()},
                   {"components", {{"schemas", common_schemas()}}}};
  for (const auto& c : system.contexts)
    if (c.resource) add_resource(document, *c.resource, false, settings);
  for (const auto& v : system.views) add_resource(document, v.resource, true, settings);
  json filters = json::array();
  for (const auto* name : {"type", "context", "id"}) filters.push_back(parameter("query", name, false, {{"type", "string"}}));
  document["paths"]["/events"]["get"] = stream_operation("events", std::move(filters));
  add_operations(document["paths"]);
  add_operation_ids(document["paths"]);
  return document;
}

}  // namespace crema::http
