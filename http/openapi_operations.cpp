// The paths that every system has, in the OpenAPI document: events, what describes the system, and what operators use.
#include "http/openapi_parts.hpp"
#include "http/problem.hpp"

namespace crema::http::openapi {

namespace {

const json text = {{"type", "string"}}, number = {{"type", "integer"}, {"format", "int64"}}, decimal = {{"type", "number"}},
           yes_or_no = {{"type", "boolean"}};

json list_of(json items) { return {{"type", "array"}, {"items", std::move(items)}}; }
json one_of(std::initializer_list<const char*> names) {
  return {{"type", "string"}, {"enum", json(std::vector<std::string>(names.begin(), names.end()))}};
}

// An object whose fields are all there, but for the optional ones.
json object(json required, json optional = json::object()) {
  json names = json::array();
  for (const auto& [name, schema] : required.items()) names.push_back(name);
  required.update(optional);
  json schema = {{"type", "object"}, {"properties", std::move(required)}, {"additionalProperties", false}};
  if (!names.empty()) schema["required"] = std::move(names);
  return schema;
}

json map_of(json values) { return {{"type", "object"}, {"additionalProperties", std::move(values)}}; }

// ---- events

json event_schema(const system_declaration& system) {
  json names = json::array();
  for (const auto& c : system.contexts)
    for (const auto& h : c.events) names.push_back(h.type->name);
  json contexts = json::array();
  for (const auto& c : system.contexts) contexts.push_back(c.name);
  return {{"type", "object"},
          {"description", "What happened, with the fields of the aggregate as it then was."},
          {"properties",
           {{"eventType", {{"enum", std::move(names)}}},
            {"timestamp", {{"type", "string"}, {"description", "UTC, as 20210119130159."}}},
            {"id", {{"type", "integer"}, {"format", "int64"}, {"description", "The number of the aggregate."}}},
            {"offset", {{"type", "integer"}, {"format", "int64"}, {"description", "Grows strictly; `from` reads on from here."}}},
            {"traceId", {{"type", "string"}, {"pattern", "^[0-9a-f]{32}$"}}},
            {"context", {{"enum", std::move(contexts)}}}}},
          {"required", {"eventType", "timestamp", "id", "offset", "traceId", "context"}}};
}

json stream_operation(const std::string& tag, const std::string& summary, json parameters, std::vector<unsigned> problems,
                      const server_settings& settings) {
  operation o;
  o.tag = tag;
  o.summary = summary;
  o.description = summary + ", oldest first: as NDJSON, or as server-sent events where `Accept` names them.";
  o.parameters = std::move(parameters);
  const json place = {{"type", "string"}, {"pattern", "^([0-9a-f]{16}-)?[0-9]{1,18}$"}};
  o.parameters.push_back(parameter("query", "from", false, place,
                                   "The first offset that is wanted: alone, or behind its history and a hyphen, as the ids of server-sent "
                                   "events are."));
  o.parameters.push_back(
      parameter("query", "follow", false, yes_or_no,
                "Whether the stream goes on with what happens next; by default server-sent events do, and NDJSON does not."));
  o.parameters.push_back(parameter("header", "Last-Event-ID", false, {{"type", "string"}, {"pattern", "^(([0-9a-f]{16}-)?[0-9]{1,18})?$"}},
                                   "The last offset that was seen; counts before `from`."));
  const json lines = {{"type", "string"}, {"contentMediaType", "application/json"}, {"contentSchema", schema_ref("event")}};
  o.responses["200"] = answer(
      "One event a line.", {{"application/x-ndjson", {{"schema", lines}}}, {"text/event-stream", {{"schema", text}}}}, {"Crema-History"});
  problems.push_back(410);
  o.problems = std::move(problems);
  return to_json(std::move(o), settings);
}

// ---- what operators read

json causal_step_schema() {
  return object({{"aggregate", text},
                 {"cause", one_of({"request", "ask", "message", "timer", "undo", "notification", "replay"})},
                 {"state", one_of({"recorded", "waiting", "dead", "dropped", "unknown"})},
                 {"steps", list_of(schema_ref("causalStep"))}},
                {{"message", text},
                 {"events", list_of(text)},
                 {"queuedMs", decimal},
                 {"handledMs", decimal},
                 {"committedMs", decimal},
                 {"dueAt", text},
                 {"sequence", number},
                 {"version", number},
                 {"causation", number},
                 {"traceId", text},
                 {"spanId", text},
                 {"compensating", yes_or_no},
                 {"undone", yes_or_no},
                 {"failedTries", number},
                 {"notes", list_of(text)},
                 {"deadLetter", object({{"id", number}, {"attempts", number}})}});
}

json schemas_of_operators() {
  const json up = one_of({"UP", "DOWN"});
  const json component = {{"type", "object"}, {"properties", {{"status", up}}}, {"required", {"status"}}};
  const json supervised = {{"type", "object"},
                           {"properties",
                            {{"name", text},
                             {"state", one_of({"running", "restarting", "stopped", "ended"})},
                             {"lifetime", text},
                             {"restarts", number},
                             {"children", list_of(schema_ref("supervised"))}}},
                           {"required", {"name"}}};
  const json breaker = object({{"state", text},
                               {"inFlight", number},
                               {"queued", number},
                               {"window", object({{"calls", number}, {"failed", number}, {"slow", number}})},
                               {"total", object({{"passed", number}, {"refused", number}, {"timedOut", number}, {"failed", number}})},
                               {"limits", map_of(number)}});
  const json span = object({{"traceId", text},
                            {"spanId", text},
                            {"kind", text},
                            {"name", text},
                            {"startUs", number},
                            {"durationUs", number},
                            {"failed", yes_or_no}},
                           {{"parentSpanId", text}, {"aggregate", text}, {"note", text}});
  const json context = {{"type", "object"},
                        {"properties",
                         {{"name", text},
                          {"state", one_of({"running", "starting", "stopped"})},
                          {"awake", number},
                          {"outbox", number},
                          {"mailbox", number},
                          {"restarts", number},
                          {"deadLetters", number}}},
                        {"required", {"name", "state"}}};
  const json dead_letter = {{"type", "object"},
                            {"properties",
                             {{"id", number},
                              {"context", text},
                              {"aggregate", text},
                              {"message", text},
                              {"fields", json::object()},
                              {"error", text},
                              {"attempts", number},
                              {"at", text},
                              {"traceId", text}}},
                            {"required", {"id", "context"}}};
  json fault_fields = {{"note", text}, {"rate", decimal}, {"target", text}, {"kind", text}};
  for (const auto* name : {"count", "durationMs", "delayMinMs", "delayMaxMs", "byMs", "seed"}) fault_fields[name] = number;
  auto wanted = object({{"target", text}, {"kind", text}}, fault_fields);
  wanted["examples"] = json::array({{{"target", "nobody"}, {"kind", "slow"}, {"count", 1}}});
  return {
      {"causalStep", causal_step_schema()},
      {"causalTree", object({{"aggregate", text},
                             {"startedAt", text},
                             {"durationMs", decimal},
                             {"complete", yes_or_no},
                             {"steps", list_of(schema_ref("causalStep"))}})},
      {"status", object({{"status", up}})},
      {"health", object({{"status", up}, {"groups", list_of(text)}, {"components", map_of(component)}})},
      {"info", object({{"name", text}, {"version", text}, {"system", text}, {"contexts", list_of(text)}, {"collections", map_of(text)}})},
      {"circuitBreakers", object({{"circuitBreakers", map_of(breaker)}})},
      {"supervised", supervised},
      {"spans", object({{"spans", list_of(span)}})},
      {"context", context},
      {"contextState", object({{"name", text}, {"state", one_of({"running", "stopped"})}})},
      {"deadLetter", dead_letter},
      {"replayed", object({{"id", number}, {"replayed", yes_or_no}})},
      {"backup",
       {{"type", "object"}, {"properties", {{"directory", {{"type", "string"}, {"minLength", 1}}}}}, {"required", {"directory"}}}},
      {"wantedFault", wanted},
      {"fault",
       object({{"id", number}, {"state", one_of({"on", "over"})}, {"fired", number}, {"target", text}, {"kind", text}}, fault_fields)},
      {"removed", object({{"removed", number}})}};
}

const auto as_json = {"application/json"};

class operator_paths {
 public:
  operator_paths(json& paths, const server_settings& settings) : paths_(paths), settings_(settings) {}

  void read(const std::string& path, const std::string& summary, json media) {
    add(path, "get", summary, {{"200", answer(summary + ".", std::move(media))}}, {});
  }
  void probe(const std::string& path, const std::string& summary, const char* schema) {
    const auto media = content(as_json, schema_ref(schema));
    auto down = media;
    down["application/problem+json"] = {{"schema", schema_ref("problem")}};  // refused before it was looked
    add(path, "get", summary, {{"200", answer("UP.", media)}, {"503", answer("DOWN.", down)}}, {});
  }
  void manage(const std::string& path, const char* method, const std::string& summary, json responses, std::vector<unsigned> problems,
              json body = nullptr) {
    add(path, method, summary, std::move(responses), std::move(problems), std::move(body), true);
  }

 private:
  void add(const std::string& path, const char* method, const std::string& summary, json responses, std::vector<unsigned> problems,
           json body = nullptr, bool management = false) {
    operation o;
    o.tag = management ? "management" : "operations";
    o.summary = summary;
    o.responses = std::move(responses);
    o.problems = std::move(problems);
    o.body = std::move(body);
    o.management = management;
    if (management && o.body.is_null() && std::string_view(method) == "post")
      o.body = {{"required", true},
                {"description", "Ignored. Its content type shows that no web page of another origin has sent it."},
                {"content", content(as_json, json::object())}};
    paths_[path][method] = to_json(std::move(o), settings_);
  }

  json& paths_;
  const server_settings& settings_;
};

void add_management(json& paths, const server_settings& settings) {
  operator_paths p(paths, settings);
  const auto done = [](const char* description, json schema) { return answer(description, content(as_json, schema)); };
  const auto nothing = answer("Done.", nullptr);
  const json any_id =
      parameter("path", "id", true, {{"type", "integer"}, {"format", "int64"}, {"minimum", 1}, {"maximum", INT64_MAX}}, "Which one.");

  p.manage("/actuator/contexts", "get", "The contexts and their state", {{"200", done("All of them.", list_of(schema_ref("context")))}},
           {});
  for (const auto* action : {"stop", "start"}) {
    const auto path = std::string("/actuator/contexts/{name}/") + action;
    p.manage(path, "post", std::string("To ") + action + " a context", {{"200", done("It is so.", schema_ref("contextState"))}},
             {404, 409, 415});
    paths[path]["parameters"] =
        json::array({parameter("path", "name", true, {{"type", "string"}, {"minLength", 1}}, "The name of the context.")});
  }
  p.manage("/actuator/deadletters", "get", "Messages that could not be handled",
           {{"200", done("At most 1,000.", list_of(schema_ref("deadLetter")))}}, {});
  p.manage("/actuator/deadletters/{id}", "delete", "To drop a dead letter", {{"204", nothing}}, {404, 409});
  p.manage("/actuator/deadletters/{id}/replay", "post", "To send a dead letter again: no ask, and a request only under its key",
           {{"200", done("It is on its way.", schema_ref("replayed"))}}, {404, 409, 415});
  p.manage("/actuator/backup", "post", "To take a backup", {{"200", done("The copy is complete.", schema_ref("backup"))}}, {409, 415, 422},
           {{"required", true}, {"content", content(as_json, schema_ref("backup"))}});
  for (const auto* path : {"/actuator/deadletters/{id}", "/actuator/deadletters/{id}/replay"})
    paths[path]["parameters"] = json::array({any_id});
  if (!settings.faults_enabled) return;  // then these paths are not there
  p.manage("/actuator/faults", "get", "Injected faults", {{"200", done("How often each struck.", list_of(schema_ref("fault")))}}, {404});
  p.manage("/actuator/faults", "post", "To inject a fault",
           {{"201", answer("It is on.", content(as_json, schema_ref("fault")), {"Location"})}}, {404, 415, 422},
           {{"required", true}, {"content", content(as_json, schema_ref("wantedFault"))}});
  p.manage("/actuator/faults", "delete", "To remove all faults", {{"200", done("How many there were.", schema_ref("removed"))}}, {404});
  p.manage("/actuator/faults/{id}", "get", "One injected fault", {{"200", done("How often it struck.", schema_ref("fault"))}}, {404});
  p.manage("/actuator/faults/{id}", "delete", "To remove a fault", {{"204", nothing}}, {404});
  paths["/actuator/faults/{id}"]["parameters"] = json::array({any_id});
}

}  // namespace

void add_events(json& document, const system_declaration& system, const server_settings& settings) {
  document["components"]["schemas"]["event"] = event_schema(system);
  auto& paths = document["paths"];
  json names = json::array(), contexts = json::array();
  for (const auto& c : system.contexts) {
    contexts.push_back(c.name);
    for (const auto& h : c.events) names.push_back(h.type->name);
  }
  json filters = json::array();
  filters.push_back(parameter("query", "type", false, {{"type", "string"}, {"enum", names}}, "Only events of this type."));
  filters.push_back(parameter("query", "context", false, {{"type", "string"}, {"enum", contexts}}, "Only events of this context."));
  filters.push_back(parameter("query", "id", false, {{"type", "integer"}, {"format", "int64"}, {"minimum", 1}, {"maximum", INT64_MAX}},
                              "Only events of aggregates with this number."));
  paths["/events"]["get"] = stream_operation("events", "The events of the whole system", std::move(filters), {}, settings);
  document["tags"].push_back({{"name", "events"}, {"description", "What happened."}});
  for (const auto& c : system.contexts) {
    if (!c.resource) continue;
    const auto item = "/" + c.resource->collection + "/{id}";
    auto& events = paths[item + "/events"];
    events["parameters"] = json::array({parameter_ref("id")});
    events["get"] =
        stream_operation(c.resource->collection, "The events of one of /" + c.resource->collection, json::array(), {404}, settings);
    operation o;
    o.tag = c.resource->collection;
    o.summary = "What led to what, of one of /" + c.resource->collection;
    o.responses["200"] = answer("Every conversation in which it took part.", content(as_json, schema_ref("causalTree")));
    o.problems = {404};
    add_conditions(o);
    auto& trace = paths[item + "/trace"];
    trace["parameters"] = json::array({parameter_ref("id")});
    trace["get"] = to_json(std::move(o), settings);
  }
}

void add_documents(json& document, const system_declaration& system, const server_settings& settings) {
  auto& paths = document["paths"];
  const auto add = [&](const std::string& path, const std::string& summary, json media) {
    operation o;
    o.tag = "documents";
    o.summary = summary;
    o.responses["200"] = answer(summary + ".", std::move(media));
    add_conditions(o);
    paths[path]["get"] = to_json(std::move(o), settings);
  };
  const auto links = content({"application/hal+json", "application/json"}, schema_ref("linksOnly"));
  add("/", "Links to every collection", links);
  add("/profile", "Links to the JSON Schema of every collection", links);
  const auto add_profile = [&](const resource_declaration& r) {
    add("/profile/" + r.collection, "The JSON Schema of /" + r.collection, content({"application/schema+json"}, {{"type", "object"}}));
  };
  for (const auto& c : system.contexts)
    if (c.resource) add_profile(*c.resource);
  for (const auto& v : system.views) add_profile(v.resource);
  add("/openapi.json", "This document", content(as_json, {{"type", "object"}}));
  add("/problems", "The kinds of problems", content({"text/plain"}, text));
  add("/problems/{slug}", "What a kind of problem means, and what to do", content({"text/plain"}, text));
  json slugs = json::array();
  for (const auto& k : problem_kinds()) slugs.push_back(k.slug);
  paths["/problems/{slug}"]["parameters"] =
      json::array({parameter("path", "slug", true, {{"type", "string"}, {"enum", slugs}}, "The end of a problem's `type`.")});
  paths["/problems/{slug}"]["get"]["responses"]["404"] = {{"$ref", "#/components/responses/problem404"}};
  document["tags"].push_back({{"name", "documents"}, {"description", "What describes the system."}});
}

void add_operations(json& document, const server_settings& settings) {
  auto& paths = document["paths"];
  document["components"]["schemas"].update(schemas_of_operators());
  operator_paths p(paths, settings);
  p.probe("/actuator/health", "Health with components", "health");
  p.probe("/actuator/health/liveness", "Whether the node has to be restarted", "status");
  p.probe("/actuator/health/readiness", "Whether the node takes requests", "status");
  p.read("/actuator/info", "Version and system", content(as_json, schema_ref("info")));
  p.read("/actuator/prometheus", "Metrics", content({"text/plain"}, text));
  p.read("/actuator/circuitbreakers", "Bulkheads and their circuits", content(as_json, schema_ref("circuitBreakers")));
  p.read("/actuator/supervisors", "The supervision tree", content(as_json, schema_ref("supervised")));
  p.read("/actuator/traces", "Recent spans", content(as_json, schema_ref("spans")));
  p.read("/actuator/traces/{id}", "The spans of one trace", content(as_json, schema_ref("spans")));
  paths["/actuator/traces/{id}"]["parameters"] =
      json::array({parameter("path", "id", true, {{"type", "string"}, {"pattern", "^[0-9a-f]{32}$"}}, "The id of the trace.")});
  paths["/actuator/traces/{id}"]["get"]["responses"]["404"] = {{"$ref", "#/components/responses/problem404"}};
  add_management(paths, settings);
  if (settings.faults_enabled) {
    p.read("/isHealthy", "Whether the node is no zombie", content({"text/plain"}, text));
    p.manage("/makeZombie", "get", "To make the node a zombie", {{"200", answer("It is one.", content({"text/plain"}, text))}}, {});
  }
  document["tags"].push_back({{"name", "operations"}, {"description", "How the node is."}});
  document["tags"].push_back({{"name", "management"}, {"description", "What changes the node; see http.managementToken."}});
}

}  // namespace crema::http::openapi
