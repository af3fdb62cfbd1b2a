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

namespace {

// One page of rows; `self` and whatever else has to be among its links is written by the caller.
template <class Links>
std::string page_body(const resource_entry& entry, std::string_view base, std::string_view url, std::string_view query, const paging& p,
                      const page& found, std::string_view self, Links more_links) {
  std::string out;
  out.reserve(512 + found.rows.size() * 320);
  out += '{';
  append_embedded(out, entry, base, found.rows);
  out.append(",\"_links\":{");
  append_link(out, "self", self);
  const auto add = [&out](std::string_view name, std::string_view href) {
    out += ',';
    append_link(out, name, href);
  };
  for (const auto& l : page_links(url, query_without_page(query), p, found.total)) add(l.name, l.href);
  more_links(add);
  out.append("},");
  append_page_member(out, p, found.total);
  return out.append("}");
}

}  // namespace

std::string collection_body(const resource_entry& entry, std::string_view base, std::string_view query, const paging& p,
                            const page& found) {
  const auto url = collection_url(entry, base);
  return page_body(entry, base, url, query, p, found, collection_template(url, query), [&](auto add) {
    add("profile", std::string(base) + "/profile/" + entry.declared->collection);
    add("search", url + "/search");
  });
}

std::string finder_url(const resource_entry& entry, std::string_view base, const finder_declaration& finder) {
  return collection_url(entry, base).append("/search/").append(finder.name);
}

std::string finder_body(const resource_entry& entry, std::string_view base, const finder_declaration& finder, std::string_view query,
                        const paging& p, const page& found) {
  const auto url = finder_url(entry, base, finder);
  const auto self = url + (query.empty() ? "" : "?" + safe_in_json(query));
  return page_body(entry, base, url, query, p, found, self, [](auto) {});
}

std::string search_body(const resource_entry& entry, std::string_view base) {
  std::string out = "{\"_links\":{";
  for (const auto& f : entry.declared->finders) {
    auto url = finder_url(entry, base, f).append("{?");
    for (const auto at : f.fields) url.append(entry.declared->row->fields[at].name).append(",");
    append_link(out, f.name, url.append("page,size,sort}"));
    out += ',';
  }
  append_link(out, "self", collection_url(entry, base) + "/search");
  return out.append("}}");
}

std::string links_body(const route_table& table, std::string_view base, std::string_view path) {
  const auto url = std::string(base).append(path);
  std::string out = "{\"_links\":{";
  for (const auto& entry : table.resources()) {
    const auto to = url + "/" + entry.declared->collection;
    append_link(out, entry.declared->collection, path.empty() ? collection_template(to, {}) : to);
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
