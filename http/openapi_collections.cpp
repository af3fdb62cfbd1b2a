// Collections, resources and finders in the OpenAPI document.
#include <algorithm>

#include "http/openapi_parts.hpp"
#include "http/schemas.hpp"

namespace crema::http::openapi {

namespace {

const auto hal_or_json = {"application/hal+json", "application/json"};

bool takes(const resource_declaration& r, verb on) {
  return std::any_of(r.verbs.begin(), r.verbs.end(), [on](const auto& v) { return v.on == on; });
}

std::string page_name(const resource_declaration& r) { return r.collection + "Page"; }

json sort_parameter(const resource_declaration& r) {
  std::string names = "id";
  for (const auto& f : r.row->fields)
    if (!f.hidden) names.append("|").append(f.name);
  const json one = {{"type", "string"}, {"pattern", "^((" + names + ")(,(" + names + "))*(,(asc|desc|ASC|DESC))?)?$"}};
  auto p = parameter("query", "sort", false, {{"type", "array"}, {"items", one}, {"examples", json::array({{"id,desc"}})}},
                     "Fields and a direction, as `id,desc`. Several count in order.");
  p["style"] = "form";
  p["explode"] = true;
  return p;
}

json paging_parameters(const resource_declaration& r, const char* size) {
  return json::array({parameter_ref("page"), parameter_ref(size), sort_parameter(r)});
}

json page_schema(const resource_declaration& r) {
  const json rows = {{"type", "array"}, {"items", schema_ref(r.singular)}};
  return {{"type", "object"},
          {"properties",
           {{"_embedded",
             {{"type", "object"},
              {"properties", {{r.collection, rows}}},
              {"required", json::array({r.collection})},
              {"additionalProperties", false}}},
            {"_links", schema_ref("links")},
            {"page", schema_ref("page")}}},
          {"required", {"_embedded", "_links", "page"}},
          {"additionalProperties", false}};
}

operation reading(const resource_declaration& r, std::string summary) {
  operation o;
  o.tag = r.collection;
  o.summary = std::move(summary);
  return o;
}

json list_operation(const resource_declaration& r, const server_settings& settings) {
  auto o = reading(r, "A page of /" + r.collection);
  o.parameters = paging_parameters(r, "size");
  o.responses["200"] = answer("One page, with links to the others.", content(hal_or_json, schema_ref(page_name(r))));
  o.problems = {422};
  add_conditions(o);
  return to_json(std::move(o), settings);
}

json finder_operation(const resource_declaration& r, const finder_declaration& f, const server_settings& settings) {
  auto o = reading(r, f.name + " among /" + r.collection);
  o.parameters = paging_parameters(r, "finderSize");
  for (const auto at : f.fields) {
    const auto& field = r.row->fields[at];
    const bool most = f.up_to && at == f.fields.back();
    o.parameters.push_back(parameter("query", field.name, true, parameter_schema(field), most ? "At most this." : "Exactly this."));
  }
  if (f.plain_array) {
    o.description = "An array, oldest first. Without `sort`, pages count from the newest row.";
    o.responses["200"] = answer("One page; the others are in the Link header.",
                                content({"application/json"}, {{"type", "array"}, {"items", schema_ref(r.singular)}}), {"Link"});
  } else {
    o.responses["200"] = answer("One page, with links to the others.", content(hal_or_json, schema_ref(page_name(r))));
  }
  o.problems = {422};
  add_conditions(o);
  return to_json(std::move(o), settings);
}

json item_operation(const resource_declaration& r, const server_settings& settings) {
  auto o = reading(r, "One of /" + r.collection);
  o.responses["200"] = answer("The resource.", content(hal_or_json, schema_ref(r.singular)));
  o.problems = {404};
  add_conditions(o);
  return to_json(std::move(o), settings);
}

const char* method_of(verb on) {
  switch (on) {
    case verb::create: return "post";
    case verb::patch: return "patch";
    case verb::replace: return "put";
    case verb::remove: return "delete";
  }
  return "post";
}

// What can be done with one resource, by the ids of the operations.
std::vector<std::string> item_operations(const resource_declaration& r) {
  const auto item = "/" + r.collection + "/{id}";
  std::vector<std::string> ids{operation_id("get", item)};
  for (const auto on : {verb::patch, verb::replace, verb::remove})
    if (takes(r, on)) ids.push_back(operation_id(method_of(on), item));
  return ids;
}

json command_body(const resource_declaration& r, verb on) {
  json choices = json::array(), examples = json::object();
  for (const auto& v : r.verbs) {
    if (v.on != on) continue;
    choices.push_back(schema_ref(std::string(v.command->name)));
    if (auto body = example_body(v); !body.is_null()) examples[std::string(v.command->name)] = {{"value", std::move(body)}};
  }
  auto media = content({"application/json"}, choices.size() == 1 ? choices[0] : json{{"oneOf", choices}});
  if (!examples.empty()) media["application/json"]["examples"] = std::move(examples);
  return {{"required", true}, {"content", std::move(media)}};
}

json command_operation(const resource_declaration& r, verb on, const server_settings& settings) {
  operation o;
  o.tag = r.collection;
  o.problems = {404, 409, 504};
  if (on != verb::remove) {
    o.body = command_body(r, on);
    o.problems.insert(o.problems.end(), {415, 422});
  }
  if (on != verb::create) {
    o.parameters.push_back(parameter_ref("If-Match"));
    o.parameters.push_back(parameter_ref("If-None-Match"));
    o.problems.push_back(412);
  }
  if (on == verb::create || on == verb::patch) o.parameters.push_back(parameter_ref("Idempotency-Key"));
  const auto resource = content(hal_or_json, schema_ref(r.singular));
  const auto name = "/" + r.collection;
  switch (on) {
    case verb::create:
      o.summary = "A new one of " + name;
      o.responses["201"] = answer("It is there, and durable.", resource, {"ETag", "Location", "Idempotency-Replayed"});
      for (const auto& id : item_operations(r)) o.responses["201"]["links"][id] = link_ref(id);
      break;
    case verb::remove:
      o.summary = "Removes or cancels one of " + name;
      o.responses["204"] = answer("Done, and durable.", nullptr);
      break;
    case verb::patch:
    case verb::replace:
      o.summary = (on == verb::patch ? "Changes one of " : "Replaces one of ") + name;
      o.description =
          o.summary + ". A whole representation as it was read may be sent: what cannot be changed is ignored while it is still so.";
      o.responses["200"] = answer("The resource as it is now, durable.", resource, {"ETag", "Idempotency-Replayed"});
      break;
  }
  return to_json(std::move(o), settings);
}

void add_commands(json& document, const resource_declaration& r, const server_settings& settings) {
  const auto collection = "/" + r.collection, item = collection + "/{id}";
  for (const auto on : {verb::create, verb::patch, verb::replace, verb::remove}) {
    if (!takes(r, on)) continue;
    document["paths"][on == verb::create ? collection : item][method_of(on)] = command_operation(r, on, settings);
  }
  for (const auto& v : r.verbs) {
    if (v.on == verb::remove) continue;
    document["components"]["schemas"][std::string(v.command->name)] = body_schema(r, v);
  }
}

// From what a POST made to what can be done with it. OpenAPI cannot take a number out of a URL by itself; tools that can, read the pattern.
void add_links(json& document, const resource_declaration& r) {
  if (!takes(r, verb::create)) return;
  for (const auto& id : item_operations(r))
    document["components"]["links"][id] = {
        {"operationId", id}, {"description", "What was made."}, {"parameters", {{"id", "$response.header.Location#regex:/([0-9]+)$"}}}};
}

}  // namespace

void add_collection(json& document, const resource_declaration& r, bool is_view, const server_settings& settings) {
  auto& paths = document["paths"];
  auto& schemas = document["components"]["schemas"];
  auto row = row_schema(r);
  row.erase("$schema");
  schemas[r.singular] = std::move(row);
  schemas[page_name(r)] = page_schema(r);

  const auto collection = "/" + r.collection, item = collection + "/{id}";
  paths[collection]["get"] = list_operation(r, settings);
  paths[item]["parameters"] = json::array({parameter_ref("id")});
  paths[item]["get"] = item_operation(r, settings);
  add_head_and_options(paths[collection]);
  add_head_and_options(paths[item]);
  if (!is_view) {
    add_commands(document, r, settings);
    add_links(document, r);
  }
  const auto links = content(hal_or_json, schema_ref("linksOnly"));
  auto search = reading(r, "The finders of " + collection);
  search.responses["200"] = answer("A link for each, as a URI template.", links);
  add_conditions(search);
  paths[collection + "/search"]["get"] = to_json(std::move(search), settings);
  for (const auto& f : r.finders) paths[collection + "/search/" + f.name]["get"] = finder_operation(r, f, settings);
  document["tags"].push_back({{"name", r.collection}, {"description", is_view ? "A view: read only." : "Resources and their commands."}});
}

}  // namespace crema::http::openapi
