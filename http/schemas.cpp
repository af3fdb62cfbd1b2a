#include "http/schemas.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "behaviors/core/json.hpp"

namespace crema::http {

namespace {

using nlohmann::json;

// Texts may have no control characters but tab and newline.
constexpr std::string_view no_controls = "^[^\\u0000-\\u0008\\u000B-\\u001F]*$";

void add_type(json& schema, const char* type) {
  if (schema.contains("enum")) {
    auto& values = schema["enum"];
    if (type == std::string_view("null") && std::find(values.begin(), values.end(), nullptr) == values.end()) values.push_back(nullptr);
    return;
  }
  auto& types = schema["type"];
  if (!types.is_array()) types = json::array({types});
  if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
}

void drop_null(json& schema) {
  if (auto& types = schema["type"]; types.is_array()) std::erase(types.get_ref<json::array_t&>(), json("null"));
  if (schema.contains("enum")) std::erase(schema["enum"].get_ref<json::array_t&>(), json(nullptr));
}

std::size_t digits_of(std::int64_t n) { return std::to_string(n).size(); }

// Decimal texts that are surely within the limits: the last digit that would have to be compared is left out.
std::string digits_form(const field_spec& f) {
  if (f.max < 10) return "[" + std::to_string(std::max<std::int64_t>(f.min, 0)) + "-" + std::to_string(f.max) + "]";
  const auto most = f.max == std::numeric_limits<std::int64_t>::max() ? 18 : digits_of(f.max) - 1;
  const auto least = f.min <= 1 ? 1 : digits_of(f.min) + 1;
  const auto count = "{" + std::to_string(least - 1) + "," + std::to_string(std::max(least, most) - 1) + "}";
  return f.min <= 0 ? "[0-9][0-9]" + count : "0*[1-9][0-9]" + count;
}

// The integers that are texts of at most `length` characters, and that a reader of JSON holds.
void add_integers_of_length(json& schema, std::size_t length) {
  constexpr std::size_t digits_max = std::numeric_limits<std::uint64_t>::digits10 + 1;
  schema["minimum"] = std::numeric_limits<std::int64_t>::min();
  schema["maximum"] = std::numeric_limits<std::uint64_t>::max();
  if (length >= digits_max) return;
  std::int64_t power = 1;  // of ten
  for (std::size_t i = 1; i < length; ++i) power *= 10;
  schema["minimum"] = 1 - power;  // the sign is a character too
  schema["maximum"] = (static_cast<std::uint64_t>(power) * 10) - 1;
}

// A number may come as a text, an integer as the text of a field.
void accept_other_forms(json& schema, const field_spec& f) {
  switch (f.kind) {
    case field_kind::integer:
      add_type(schema, "string");
      schema["pattern"] = "^" + digits_form(f) + "$";
      return;
    case field_kind::decimal:
      add_type(schema, "string");
      schema["pattern"] = "^" + digits_form(f) + "(\\.[0-9]{1,2})?$";
      return;
    case field_kind::boolean:
      schema.erase("type");
      schema["enum"] = {true, false, "true", "false"};
      return;
    case field_kind::text:
      schema["pattern"] = f.keep_form.empty() ? no_controls : f.keep_form;
      if (f.keep != nullptr || f.min_length > 1) return;
      add_type(schema, "integer");
      add_integers_of_length(schema, f.max_length);
      return;
    case field_kind::time:
    case field_kind::date:
    case field_kind::literal: return;
  }
}

void describe(json& schema, const std::string& more) {
  const auto before = schema.value("description", std::string());
  schema["description"] = before.empty() ? more : before + " " + more;
}

json property_of(const record_type& type, const field_spec& f) {
  auto property = json_schema(type)["properties"][std::string(f.name)];
  if (!f.example.empty()) property["examples"] = json::array({json::parse(f.example)});
  return property;
}

json sent_property(const record_type& type, const field_spec& f) {
  auto property = property_of(type, f);
  accept_other_forms(property, f);
  if (f.required || f.omittable)
    drop_null(property);
  else
    add_type(property, "null");
  for (const auto other : f.aliases) describe(property, "May be sent as `" + std::string(other) + "` too.");
  return property;
}

bool taken_by_a_command(const resource_declaration& r, std::string_view name) {
  return std::any_of(r.verbs.begin(), r.verbs.end(), [&](const verb_declaration& v) {
    const auto* f = v.command->find(name);
    return (f != nullptr && !f->hidden) || (name == "status" && !v.status.empty());
  });
}

json links_schema() {
  const json link = {{"type", "object"},
                     {"properties", {{"href", {{"type", "string"}}}, {"templated", {{"type", "boolean"}}}}},
                     {"required", {"href"}},
                     {"additionalProperties", false}};
  return {{"type", "object"}, {"readOnly", true}, {"additionalProperties", link}};
}

json id_schema() { return {{"type", "integer"}, {"format", "int64"}, {"minimum", 1}, {"readOnly", true}}; }

}  // namespace

json row_schema(const resource_declaration& r) {
  auto schema = json_schema(*r.row);
  auto& properties = schema["properties"];
  schema["required"] = json::array();
  for (const auto& f : r.row->fields) {
    if (f.hidden) continue;
    const std::string name(f.name);
    properties[name] = property_of(*r.row, f);
    if (f.kind == field_kind::date && !f.required) add_type(properties[name], "null");  // a day that is not known yet
    if (!taken_by_a_command(r, name)) properties[name]["readOnly"] = true;
    schema["required"].push_back(name);
  }
  if (!properties.contains("id")) properties["id"] = id_schema();
  properties["_links"] = links_schema();
  schema["additionalProperties"] = false;
  return schema;
}

json body_schema(const resource_declaration& r, const verb_declaration& v) {
  const auto& type = *v.command;
  json schema = {{"title", type.name}, {"type", "object"}, {"additionalProperties", false}};
  auto& properties = schema["properties"] = json::object();
  auto required = json::array();
  for (const auto& f : type.fields) {
    if (f.hidden) continue;
    properties[std::string(f.name)] = sent_property(type, f);
    if (f.required) required.push_back(f.name);
  }
  if (!v.status.empty()) {
    properties["status"] = {{"const", v.status}};
    required.push_back("status");
  }
  const auto row = row_schema(r);
  for (const auto& [name, shown] : row["properties"].items()) {
    if (properties.contains(name) || name == "_links") continue;
    auto& property = properties[name] = shown;
    add_type(property, "null");
    property["readOnly"] = true;
    describe(property, v.on == verb::create ? "A new resource gets it here: null." : "What was read, or null: it is not changed.");
  }
  for (const auto* name : {"_links", "_embedded"})
    properties[name] = {{"type", {"object", "null"}}, {"readOnly", true}, {"description", "As it was read; ignored."}};
  if (!required.empty()) schema["required"] = std::move(required);
  if (auto example = example_body(v); !example.is_null()) schema["examples"] = json::array({std::move(example)});
  return schema;
}

json parameter_schema(const field_spec& f) {
  record_type alone;
  alone.fields = {f};
  auto schema = property_of(alone, f);
  drop_null(schema);
  if (f.kind == field_kind::text) {
    schema["pattern"] = no_controls;
    schema.erase("minLength");
  }
  if (f.kind == field_kind::integer) {  // a value beyond the field's limits is a fair question: it finds nothing
    schema["minimum"] = std::numeric_limits<std::int64_t>::min();
    schema["maximum"] = std::numeric_limits<std::int64_t>::max();
  }
  return schema;
}

json example_body(const verb_declaration& v) {
  json body = json::object();
  for (const auto& f : v.command->fields) {
    if (f.hidden) continue;
    if (!f.example.empty()) body[std::string(f.name)] = json::parse(f.example);
    if (f.example.empty() && f.required) return nullptr;
  }
  if (!v.status.empty()) body["status"] = v.status;
  return body;
}

}  // namespace crema::http
