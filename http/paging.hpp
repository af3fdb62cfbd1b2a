// Pages: reading ?page=&size=&sort= and writing the links between them. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "behaviors/core/front_door.hpp"
#include "behaviors/core/result.hpp"
#include "http/uri.hpp"

namespace crema::http {

struct paging {
  std::uint64_t number = 0;
  std::uint32_t size = 20;
  std::optional<std::size_t> sort_field;
  bool descending = false;

  std::uint64_t offset() const noexcept { return number * size; }
  page_request to_request() const noexcept { return {offset(), size, sort_field, descending}; }
};

/// From the query. Sizes above `size_max` are cut to it; "id" sorts by id. Malformed: the parameter's name is in the rejection.
result<paging> parse_paging(const uri& target, const record_type& row, std::uint32_t size_default, std::uint32_t size_max);

/// Appends `"self":{"href":…}` and, where they exist, first, prev, next and last. `url` has no query; `other_query` are the
/// parameters, encoded, that each link has to carry ("phoneNumber=010", may be empty).
void append_page_links(std::string& out, std::string_view url, std::string_view self_query, std::string_view other_query, const paging& p,
                       std::uint64_t total);
/// Appends `"page":{…}`.
void append_page_member(std::string& out, const paging& p, std::uint64_t total);

/// The query without page and size, as sent.
std::string query_without_page(std::string_view query);
/// Appends `"name":{"href":"url"}`. The url needs no JSON escape: see safe_in_json.
void append_link(std::string& out, std::string_view name, std::string_view url);
/// Percent-encodes what is valid in a target but would break a JSON text or a URI (a quote, a backslash, non-ASCII bytes).
std::string safe_in_json(std::string_view query);

}  // namespace crema::http
