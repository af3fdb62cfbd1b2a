#include "http/openapi_parts.hpp"

#include <cctype>
#include <map>

#include "http/problem.hpp"

namespace crema::http::openapi {

namespace {

// What can happen to any request, whatever its path.
constexpr unsigned of_any_request[] = {400, 405, 408, 413, 414, 417, 429, 431, 500, 501, 503};

std::string problem_name(unsigned status) { return "problem" + std::to_string(status); }

json problem_responses() {
  std::map<unsigned, std::string> kinds;
  for (const auto& k : problem_kinds()) {
    auto& text = kinds[k.status];
    text.append(text.empty() ? "" : "\n\n").append("**").append(k.title).append("** (`/problems/").append(k.slug).append("`): ");
    text.append(k.meaning);
  }
  json responses = json::object();
  for (const auto& [status, text] : kinds) {
    json headers = {{"traceparent", header_ref("traceparent")}, {"Cache-Control", header_ref("Cache-Control")}};
    if (status == 401) headers["WWW-Authenticate"] = header_ref("WWW-Authenticate");
    if (status == 405) headers["Allow"] = header_ref("Allow");
    if (status == 429 || status == 503) headers["Retry-After"] = header_ref("Retry-After");
    if (status == 429)
      for (const auto* name : {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}) headers[name] = header_ref(name);
    responses[problem_name(status)] = {
        {"description", text}, {"headers", std::move(headers)}, {"content", content({"application/problem+json"}, schema_ref("problem"))}};
  }
  return responses;
}

json header(const std::string& description, json schema) { return {{"description", description}, {"schema", std::move(schema)}}; }

json headers() {
  const json text = {{"type", "string"}}, number = {{"type", "integer"}, {"minimum", 0}};
  return {
      {"traceparent", header("The W3C trace context of this request's handling.",
                             {{"type", "string"}, {"pattern", "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$"}})},
      {"ETag", header("Which representation this is, for If-Match and If-None-Match.", text)},
      {"Cache-Control", header("Who may keep this answer.", text)},
      {"Vary", header("The headers of a request on which this answer depends.", text)},
      {"Location", header("Where the new resource is.", {{"type", "string"}, {"format", "uri"}})},
      {"Idempotency-Replayed", header("The first answer under this Idempotency-Key, given again.", {{"const", "true"}})},
      {"Link", header("Other pages (RFC 8288): first, prev, next and last, as far as they exist.", text)},
      {"Crema-History", header("Which history the offsets are of; every restore begins another.", text)},
      {"Allow", header("The methods that this resource takes.", text)},
      {"Retry-After", header("After how many seconds to try again.", number)},
      {"RateLimit-Limit", header("Requests that may come at once.", number)},
      {"RateLimit-Remaining", header("How many of them are left.", number)},
      {"RateLimit-Reset", header("In how many seconds all are there again.", number)},
      {"WWW-Authenticate", header("Which credentials are asked for.", {{"const", "Bearer"}})},
  };
}

json parameters(const server_settings& settings) {
  const json page_max = settings.page_size_max;
  const json tag_list = {
      {"type", "string"}, {"pattern", R"(^(\*|[, ]*((W/)?"[!#-~]*" *,[, ]*)*(W/)?"[!#-~]*"[, ]*)?$)"}, {"examples", json::array({"*"})}};
  return {
      {"id", parameter("path", "id", true, {{"type", "integer"}, {"format", "int64"}, {"minimum", 1}, {"maximum", INT64_MAX}},
                       "The number of the resource.")},
      {"page", parameter("query", "page", false,
                         {{"type", "integer"}, {"format", "int64"}, {"minimum", 0}, {"maximum", std::int64_t{1} << 40}, {"default", 0}},
                         "Which page, from 0.")},
      {"size",
       parameter(
           "query", "size", false,
           {{"type", "integer"}, {"format", "int64"}, {"minimum", 1}, {"maximum", INT64_MAX}, {"default", settings.page_size_default}},
           "How many resources a page has; more than " + page_max.dump() + " are " + page_max.dump() + ".")},
      {"finderSize", parameter("query", "size", false,
                               {{"type", "integer"}, {"format", "int64"}, {"minimum", 1}, {"maximum", INT64_MAX}, {"default", page_max}},
                               "How many resources a page has; more than " + page_max.dump() + " are " + page_max.dump() + ".")},
      {"If-Match", parameter("header", "If-Match", false, tag_list, "Only if the resource has one of these ETags; else 412.")},
      {"If-None-Match", parameter("header", "If-None-Match", false, tag_list, "Only if the resource has none of these ETags; else 412.")},
      {"ifChanged", parameter("header", "If-None-Match", false, {{"type", "string"}, {"examples", json::array({"\"1-0\""})}},
                              "Only if what would be answered has none of these ETags; else 304.")},
      {"Idempotency-Key", parameter("header", "Idempotency-Key", false,
                                    {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}, {"pattern", "^[!-~]([ -~]*[!-~])?$"}},
                                    "The same key and content give the first answer again, and never do anything a second time.")},
  };
}

json problem_schema() {
  const json text = {{"type", "string"}};
  json schema = {
      {"type", "object"},
      {"description", "RFC 9457, and what the original services answered with."},
      {"properties",
       {{"type", {{"type", "string"}, {"format", "uri-reference"}, {"description", "A page that explains this kind of problem."}}},
        {"status", {{"type", "integer"}, {"minimum", 400}, {"maximum", 599}}},
        {"title", text},
        {"detail", text},
        {"instance", {{"type", "string"}, {"format", "uri-reference"}}},
        {"timestamp", {{"type", "string"}, {"examples", json::array({"2021-02-25T04:28:24.716+0000"})}}},
        {"error", {{"type", "string"}, {"description", "The reason phrase of the status."}}},
        {"message", {{"type", "string"}, {"description", "The detail once more."}}},
        {"path", text},
        {"traceId", {{"type", "string"}, {"pattern", "^[0-9a-f]{32}$"}}},
        {"field", {{"type", "string"}, {"description", "Which field, parameter or header is at fault."}}}}},
      {"additionalProperties", false}};
  schema["required"] = {"type", "status", "title", "detail", "instance", "timestamp", "error", "message", "path", "traceId"};
  return schema;
}

json page_schema() {
  const json number = {{"type", "integer"}, {"format", "int64"}, {"minimum", 0}};
  return {{"type", "object"},
          {"properties", {{"size", number}, {"totalElements", number}, {"totalPages", number}, {"number", number}}},
          {"required", {"size", "totalElements", "totalPages", "number"}},
          {"additionalProperties", false}};
}

json links_schemas() {
  const json link = {{"type", "object"},
                     {"properties", {{"href", {{"type", "string"}}}, {"templated", {{"type", "boolean"}}}}},
                     {"required", {"href"}},
                     {"additionalProperties", false}};
  const json links = {{"type", "object"}, {"additionalProperties", schema_ref("link")}};
  return {
      {"link", link},
      {"links", links},
      {"linksOnly",
       {{"type", "object"}, {"properties", {{"_links", schema_ref("links")}}}, {"required", {"_links"}}, {"additionalProperties", false}}}};
}

}  // namespace

json parameter(const char* in, std::string_view name, bool required, json schema, const std::string& description) {
  return {{"in", in}, {"name", name}, {"required", required}, {"schema", std::move(schema)}, {"description", description}};
}

json content(std::initializer_list<const char*> media, const json& schema) {
  json by_type = json::object();
  for (const auto* type : media) by_type[type] = {{"schema", schema}};
  return by_type;
}

json answer(const std::string& description, json content, std::initializer_list<const char*> headers) {
  json response = {{"description", description},
                   {"headers", {{"traceparent", header_ref("traceparent")}, {"Cache-Control", header_ref("Cache-Control")}}}};
  for (const auto* name : headers) response["headers"][name] = header_ref(name);
  if (!content.is_null()) response["content"] = std::move(content);
  return response;
}

json to_json(operation o, const server_settings& settings) {
  json out = {
      {"tags", json::array({o.tag})}, {"summary", o.summary}, {"description", o.description.empty() ? o.summary + "." : o.description}};
  if (!o.parameters.empty()) out["parameters"] = std::move(o.parameters);
  if (!o.body.is_null()) out["requestBody"] = std::move(o.body);
  out["responses"] = std::move(o.responses);
  const auto add = [&](unsigned status) {
    if (auto& one = out["responses"][std::to_string(status)]; one.is_null())
      one = {{"$ref", "#/components/responses/" + problem_name(status)}};
  };
  for (const auto status : o.problems) add(status);
  for (const auto status : of_any_request) add(status);
  if (o.management) {
    add(401);
    add(403);
    out["security"] = json::array({{{"bearer", json::array()}}});
    if (settings.management_token.empty()) out["security"].push_back(json::object());
  }
  return out;
}

void add_conditions(operation& o) {
  o.parameters.push_back(parameter_ref("If-Match"));
  o.parameters.push_back(parameter_ref("ifChanged"));
  for (const auto* name : {"ETag", "Vary"}) o.responses["200"]["headers"][name] = header_ref(name);
  o.responses["304"] = answer("What would be answered has the ETag that was sent.", nullptr, {"ETag", "Vary"});
  o.problems.push_back(412);
}

void add_head_and_options(json& path_item) {
  const auto& get = path_item.at("get");
  const auto summary = get.at("summary").get<std::string>();
  json head = {{"tags", get.at("tags")}, {"summary", summary + ": the headers only"}};
  head["description"] = "As GET, without the body.";
  if (get.contains("parameters")) head["parameters"] = get["parameters"];
  for (const auto& [status, response] : get.at("responses").items()) {
    head["responses"][status] = response;
    head["responses"][status].erase("content");
    head["responses"][status].erase("links");
    if (response.contains("$ref")) head["responses"][status] = {{"description", "As of GET, without the body."}};
  }
  path_item["head"] = std::move(head);
  json options = {{"tags", get.at("tags")}, {"summary", summary + ": the methods"}, {"description", "Which methods this resource takes."}};
  options["responses"] = {{"200", answer("Nothing but headers.", nullptr, {"Allow"})}};
  for (const auto& [status, response] : get.at("responses").items())
    if (response.contains("$ref") && status != "422") options["responses"][status] = response;
  path_item["options"] = std::move(options);
}

std::string operation_id(const std::string& verb, const std::string& path) {
  std::string id = verb;
  bool upper = true;
  for (const char c : path) {
    if (c == '{') id += "By";
    if (c == '/' || c == '{' || c == '}' || c == '-' || c == '.') {
      upper = true;
    } else {
      id += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    }
  }
  return id;
}

json components(const server_settings& settings) {
  json schemas = links_schemas();
  schemas["problem"] = problem_schema();
  schemas["page"] = page_schema();
  const json bearer = {{"type", "http"}, {"scheme", "bearer"}, {"description", "The token set as http.managementToken."}};
  return {{"schemas", std::move(schemas)},
          {"headers", headers()},
          {"parameters", parameters(settings)},
          {"responses", problem_responses()},
          {"securitySchemes", {{"bearer", bearer}}}};
}

}  // namespace crema::http::openapi
