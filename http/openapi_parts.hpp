// What the parts of an OpenAPI document are made of. Pure.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "http/settings.hpp"

namespace crema::http::openapi {

using nlohmann::json;

inline json schema_ref(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }
inline json parameter_ref(const std::string& name) { return {{"$ref", "#/components/parameters/" + name}}; }
inline json header_ref(const std::string& name) { return {{"$ref", "#/components/headers/" + name}}; }
inline json link_ref(const std::string& name) { return {{"$ref", "#/components/links/" + name}}; }

json parameter(const char* in, std::string_view name, bool required, json schema, const std::string& description);

/// One schema under several media types.
json content(std::initializer_list<const char*> media, const json& schema);
/// A successful answer; `headers` name components. Every answer has a traceparent.
json answer(const std::string& description, json content, std::initializer_list<const char*> headers = {});

/// An operation with its problems: those of `problems`, and those that every request can meet.
struct operation {
  std::string tag;
  std::string summary;
  std::string description;
  json parameters = json::array();
  json body = nullptr;
  json responses = json::object();
  std::vector<unsigned> problems = {};
  bool management = false;  ///< behind the bearer token
};
json to_json(operation o, const server_settings& settings);

/// Of a GET whose answer has an entity tag: the conditions on it, and what they lead to.
void add_conditions(operation& o);

/// HEAD and OPTIONS of a path whose GET is `get`.
void add_head_and_options(json& path_item);

/// "get /orders/{id}/events" → "getOrdersByIdEvents": what code generators call the operation. Stable, and unique as paths are.
std::string operation_id(const std::string& verb, const std::string& path);

/// The shared parts: components/{schemas,headers,parameters,responses,securitySchemes}.
json components(const server_settings& settings);

// ---- the parts of the document
void add_collection(json& document, const resource_declaration& resource, bool is_view, const server_settings& settings);
void add_events(json& document, const system_declaration& system, const server_settings& settings);
void add_documents(json& document, const system_declaration& system, const server_settings& settings);
void add_operations(json& document, const server_settings& settings);

}  // namespace crema::http::openapi
