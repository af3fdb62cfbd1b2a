#include "http/hal.hpp"

#include <algorithm>

#include "behaviors/core/json.hpp"

namespace crema::http {

namespace {

std::string collection_url(const resource_entry& entry, std::string_view base) {
  std::string url(base);
  return url.append("/").append(entry.declared->collection);
}

void append_embedded(std::string& out, const resource_entry& entry, std::string_view base, const std::vector<stored_row>& rows) {
  out.append("\"_embedded\":{\"").append(entry.declared->collection).append("\":[");
  bool first = true;
  for (const auto& row : rows) {
    if (!first) out += ',';
    first = false;
    append_resource(out, entry, base, row);
  }
  out.append("]}");
}

}  // namespace

void append_resource(std::string& out, const resource_entry& entry, std::string_view base, const stored_row& row) {
  out += '{';
  const auto before = out.size();
  append_json_fields(out, row.row.type(), row.row.data());
  if (out.size() > before) out += ',';
  std::string url = collection_url(entry, base);
  url.append("/").append(std::to_string(row.id));
  out.append("\"_links\":{");
  append_link(out, "self", url);
  out += ',';
  append_link(out, entry.declared->singular, url);
  out.append("}}");
}

void append_plain_row(std::string& out, const record_type& type, const stored_row& row) {
  out += '{';
  const bool has_id = std::any_of(type.fields.begin(), type.fields.end(), [](const auto& f) { return f.name == "id" && !f.hidden; });
  if (!has_id) out.append("\"id\":").append(std::to_string(row.id));
  const auto before = out.size();
  append_json_fields(out, type, row.row.data());
  if (!has_id && out.size() > before) out.insert(before, 1, ',');
  out += '}';
}

std::string collection_body(const resource_entry& entry, std::string_view base, std::string_view query, const paging& p,
                            const page& found) {
  std::string out;
  out.reserve(512 + found.rows.size() * 320);
  const auto url = collection_url(entry, base);
  out += '{';
  append_embedded(out, entry, base, found.rows);
  out.append(",\"_links\":{");
  append_page_links(out, url, safe_in_json(query), query_without_page(query), p, found.total);
  out += ',';
  append_link(out, "profile", std::string(base) + "/profile/" + entry.declared->collection);
  out += ',';
  append_link(out, "search", url + "/search");
  out.append("},");
  append_page_member(out, p, found.total);
  return out.append("}");
}

std::string finder_body(const resource_entry& entry, std::string_view base, std::string_view finder_url, std::string_view query,
                        const page& found) {
  std::string out;
  out.reserve(256 + found.rows.size() * 320);
  out += '{';
  append_embedded(out, entry, base, found.rows);
  out.append(",\"_links\":{");
  append_link(out, "self", std::string(finder_url) + (query.empty() ? "" : "?" + safe_in_json(query)));
  return out.append("}}");
}

std::string search_body(const resource_entry& entry, std::string_view base) {
  const auto url = collection_url(entry, base) + "/search";
  std::string out = "{\"_links\":{";
  for (const auto& f : entry.declared->finders) {
    std::string names;
    for (const auto at : f.fields) names.append(names.empty() ? "" : ",").append(entry.declared->row->fields[at].name);
    out.append("\"").append(f.name).append("\":{\"href\":\"").append(url).append("/").append(f.name);
    out.append("{?").append(names).append("}\",\"templated\":true},");
  }
  append_link(out, "self", url);
  return out.append("}}");
}

std::string links_body(const route_table& table, std::string_view base, std::string_view path) {
  const auto url = std::string(base).append(path);
  std::string out = "{\"_links\":{";
  for (const auto& entry : table.resources()) {
    append_link(out, entry.declared->collection, url + "/" + entry.declared->collection);
    out += ',';
  }
  if (path.empty()) {
    append_link(out, "profile", url + "/profile");
    out += ',';
  }
  append_link(out, "self", path.empty() ? url + "/" : url);
  return out.append("}}");
}

}  // namespace crema::http
