// Pages: reading ?page=&size=&sort= and writing the links between them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/front_door.hpp"
#include "behaviors/core/result.hpp"
#include "http/uri.hpp"

namespace crema::http {

struct paging {
  std::uint64_t number = 0;
  std::uint32_t size = 20;
  std::vector<sort_key> sort;

  std::uint64_t offset() const noexcept { return number * size; }
  page_request to_request() const { return {offset(), size, sort}; }
};

/// From the query. Sizes above `size_max` are cut to it; "id" sorts by id; several `sort` count in order, in each "a,b,desc" all fields
/// have the direction. Malformed: the parameter's name is in the rejection.
result<paging> parse_paging(const uri& target, const record_type& row, std::uint32_t size_default, std::uint32_t size_max);

struct page_link {
  std::string_view name;  ///< first, prev, next, last
  std::string href;
};
/// Those that exist; none where there is one page. `url` has no query; `other_query` are the parameters, encoded, that each link has to
/// carry ("phoneNumber=010", may be empty).
std::vector<page_link> page_links(std::string_view url, std::string_view other_query, const paging& p, std::uint64_t total);
/// The value of a Link header (RFC 8288).
std::string link_header(const std::vector<page_link>& links);
/// The URI template of a collection as it was asked for: what the query does not say of page, size and sort can be filled in.
std::string collection_template(std::string_view url, std::string_view query);
/// Appends `"page":{…}`.
void append_page_member(std::string& out, const paging& p, std::uint64_t total);

/// The query without page and size, as sent.
std::string query_without_page(std::string_view query);
/// Appends `"name":{"href":"url"}`, with `"templated":true` where it ends with an expression in braces. The url needs no JSON escape:
/// see safe_in_json.
void append_link(std::string& out, std::string_view name, std::string_view url);
/// Percent-encodes what is valid in a target but would break a JSON text or a URI (a quote, a backslash, non-ASCII bytes).
std::string safe_in_json(std::string_view query);

}  // namespace crema::http
