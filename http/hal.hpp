// Rows as HAL: resources, pages, searches and the root. Text is written straight into a string. Pure.
//
// `base` is what base_url() gives: everything in it is safe inside a JSON text, and so are the declaration's names.
#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"
#include "http/paging.hpp"
#include "http/routes.hpp"

namespace crema::http {

/// `{fields…,"_links":{"self":…,"<singular>":…}}`
void append_resource(std::string& out, const resource_entry& entry, std::string_view base, const stored_row& row);
/// `{"id":1,fields…}`: an element of a plain array.
void append_plain_row(std::string& out, const record_type& type, const stored_row& row);

/// One page of a collection.
std::string collection_body(const resource_entry& entry, std::string_view base, std::string_view query, const paging& p, const page& found);
/// One page of what a finder found.
std::string finder_body(const resource_entry& entry, std::string_view base, const finder_declaration& finder, std::string_view query,
                        const paging& p, const page& found);
/// Where a finder is, without query.
std::string finder_url(const resource_entry& entry, std::string_view base, const finder_declaration& finder);
/// GET /{collection}/search
std::string search_body(const resource_entry& entry, std::string_view base);
/// GET / and GET /profile; `path` is "" or "/profile".
std::string links_body(const route_table& table, std::string_view base, std::string_view path);

}  // namespace crema::http
