#include "http/paging.hpp"

#include <algorithm>

#include "behaviors/core/json.hpp"
#include "http/negotiate.hpp"

namespace crema::http {

namespace {

rejection bad(std::string name, std::string detail) { return {rejection_kind::malformed, std::move(detail), std::move(name), 0}; }

// The part before the next comma, taken off `rest`.
std::string_view take_part(std::string_view& rest) {
  const auto comma = rest.find(',');
  const auto part = rest.substr(0, comma);
  rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  return trimmed(part);
}

// The direction that the text ends with, which is taken off. Nothing: it names none.
std::optional<bool> take_direction(std::string_view& text) {
  const auto comma = text.rfind(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto last = trimmed(text.substr(comma + 1));
  const bool descending = equal_ignoring_case(last, "desc");
  if (!descending && !equal_ignoring_case(last, "asc")) return std::nullopt;
  text = text.substr(0, comma);
  return descending;
}

rejection unknown_sort_field(std::string_view name, const record_type& row) {
  std::vector<std::string_view> known{"id"};
  for (const auto& f : row.fields)
    if (!f.hidden) known.push_back(f.name);
  const auto suggestion = nearest(name, known);
  return bad("sort", "sort: there is no field '" + std::string(name) + "', and a direction is 'asc' or 'desc', as in sort=id,desc." +
                         (suggestion.empty() ? "" : " Did you mean '" + std::string(suggestion) + "'?"));
}

// "phoneNumber,qty,desc" to the keys. A field that is sorted by already adds nothing, and so does nothing.
std::optional<rejection> add_sort_keys(std::string_view text, const record_type& row, std::vector<sort_key>& keys) {
  const bool descending = take_direction(text).value_or(false);
  while (!text.empty()) {
    const auto name = take_part(text);
    if (name.empty()) continue;
    sort_key key{{}, descending};
    if (name != "id") {
      const auto f =
          std::find_if(row.fields.begin(), row.fields.end(), [&](const auto& spec) { return !spec.hidden && spec.name == name; });
      if (f == row.fields.end()) return unknown_sort_field(name, row);
      key.field = static_cast<std::size_t>(f - row.fields.begin());
    }
    if (std::none_of(keys.begin(), keys.end(), [&](const auto& k) { return k.field == key.field; })) keys.push_back(key);
  }
  return std::nullopt;
}

std::uint64_t last_page(const paging& p, std::uint64_t total) { return total == 0 ? 0 : (total - 1) / p.size; }

}  // namespace

result<paging> parse_paging(const uri& target, const record_type& row, std::uint32_t size_default, std::uint32_t size_max) {
  paging p;
  p.size = size_default;
  if (target.parameters.empty()) return p;
  if (const auto* text = target.parameter("size")) {
    const auto size = parse_number(*text);
    if (!size || *size == 0) return bad("size", "size: a number from 1 to " + std::to_string(size_max) + " is expected.");
    p.size = static_cast<std::uint32_t>(std::min<std::uint64_t>(*size, size_max));
  }
  if (const auto* text = target.parameter("page")) {
    const auto number = parse_number(*text);
    constexpr std::uint64_t page_max = std::uint64_t{1} << 40;  // page × size stays far from an overflow
    if (!number || *number > page_max) return bad("page", "page: a number from 0 is expected.");
    p.number = *number;
  }
  for (const auto& [name, text] : target.parameters)
    if (name == "sort")
      if (auto why = add_sort_keys(text, row, p.sort)) return std::move(*why);
  return p;
}

std::string safe_in_json(std::string_view query) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : query) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' && c != '{' && c != '}')
      out += c;
    else
      (out += '%', out += hex[byte >> 4], out += hex[byte & 15]);
  }
  return out;
}

namespace {

// Calls visit(part) for each "name=value" of the query.
template <class Visit>
void for_each_part(std::string_view query, Visit visit) {
  while (!query.empty()) {
    const auto end = query.find('&');
    if (const auto part = query.substr(0, end); !part.empty()) visit(part);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
  }
}

bool names_parameter(std::string_view query, std::string_view name) {
  bool named = false;
  for_each_part(query, [&](std::string_view part) { named = named || part.substr(0, part.find('=')) == name; });
  return named;
}

}  // namespace

std::string query_without_page(std::string_view query) {
  std::string out;
  for_each_part(query, [&](std::string_view part) {
    if (!part.starts_with("page=") && !part.starts_with("size=")) out.append(out.empty() ? "" : "&").append(part);
  });
  return safe_in_json(out);
}

void append_link(std::string& out, std::string_view name, std::string_view url) {
  out.append("\"").append(name).append("\":{\"href\":\"").append(url);
  out.append(url.ends_with('}') ? "\",\"templated\":true}" : "\"}");
}

std::vector<page_link> page_links(std::string_view url, std::string_view other_query, const paging& p, std::uint64_t total) {
  const auto last = last_page(p, total);
  if (last == 0 && p.number == 0) return {};
  std::vector<page_link> links;
  const auto to = [&](std::string_view name, std::uint64_t number) {
    std::string href(url);
    href.append("?page=").append(std::to_string(number)).append("&size=").append(std::to_string(p.size));
    if (!other_query.empty()) href.append("&").append(other_query);
    links.push_back({name, std::move(href)});
  };
  to("first", 0);
  if (p.number > 0) to("prev", std::min(p.number - 1, last));
  if (p.number < last) to("next", p.number + 1);
  to("last", last);
  return links;
}

std::string link_header(const std::vector<page_link>& links) {
  std::string out;
  for (const auto& l : links) out.append(out.empty() ? "<" : ", <").append(l.href).append(">; rel=\"").append(l.name).append("\"");
  return out;
}

std::string collection_template(std::string_view url, std::string_view query) {
  std::string out(url);
  if (!query.empty()) out.append("?").append(safe_in_json(query));
  std::string missing;
  for (const std::string_view name : {"page", "size", "sort"})
    if (!names_parameter(query, name)) missing.append(missing.empty() ? "" : ",").append(name);
  if (!missing.empty()) out.append(query.empty() ? "{?" : "{&").append(missing).append("}");
  return out;
}

void append_page_member(std::string& out, const paging& p, std::uint64_t total) {
  out.append("\"page\":{\"size\":").append(std::to_string(p.size)).append(",\"totalElements\":").append(std::to_string(total));
  out.append(",\"totalPages\":").append(std::to_string(total == 0 ? 0 : last_page(p, total) + 1));
  out.append(",\"number\":").append(std::to_string(p.number)).append("}");
}

}  // namespace crema::http
