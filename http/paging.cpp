#include "http/paging.hpp"

#include "behaviors/core/json.hpp"

namespace crema::http {

namespace {

rejection bad(std::string name, std::string detail) { return {rejection_kind::malformed, std::move(detail), std::move(name), 0}; }

// "phoneNumber,desc" into the paging. False: no such direction; the field is checked by the caller.
result<bool> parse_sort(const std::string& text, const record_type& row, paging& p) {
  const auto comma = text.find(',');
  const auto name = std::string_view(text).substr(0, comma);
  const auto direction = comma == std::string::npos ? std::string_view("asc") : std::string_view(text).substr(comma + 1);
  if (direction != "asc" && direction != "desc") return bad("sort", "sort: the direction is 'asc' or 'desc', as in sort=id,desc.");
  p.descending = direction == "desc";
  if (name == "id") return true;
  std::vector<std::string_view> known{"id"};
  for (std::size_t i = 0; i < row.fields.size(); ++i) {
    if (row.fields[i].hidden) continue;
    known.push_back(row.fields[i].name);
    if (row.fields[i].name == name) {
      p.sort_field = i;
      return true;
    }
  }
  const auto suggestion = nearest(name, known);
  return bad("sort", "sort: there is no field '" + std::string(name) + "'." +
                         (suggestion.empty() ? "" : " Did you mean '" + std::string(suggestion) + "'?"));
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
  if (const auto* text = target.parameter("sort")) {
    const auto sorted = parse_sort(*text, row, p);
    if (!sorted) return sorted.why();
  }
  return p;
}

std::string safe_in_json(std::string_view query) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : query) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>')
      out += c;
    else
      (out += '%', out += hex[byte >> 4], out += hex[byte & 15]);
  }
  return out;
}

std::string query_without_page(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (part.empty() || part.starts_with("page=") || part.starts_with("size=")) continue;
    if (!out.empty()) out += '&';
    out.append(part);
  }
  return safe_in_json(out);
}

void append_link(std::string& out, std::string_view name, std::string_view url) {
  out.append("\"").append(name).append("\":{\"href\":\"").append(url).append("\"}");
}

void append_page_links(std::string& out, std::string_view url, std::string_view self_query, std::string_view other_query, const paging& p,
                       std::uint64_t total) {
  std::string self(url);
  if (!self_query.empty()) self.append("?").append(self_query);
  append_link(out, "self", self);
  const auto to = [&](std::string_view name, std::uint64_t number) {
    std::string href(url);
    href.append("?page=").append(std::to_string(number)).append("&size=").append(std::to_string(p.size));
    if (!other_query.empty()) href.append("&").append(other_query);
    out += ',';
    append_link(out, name, href);
  };
  const auto last = last_page(p, total);
  if (last == 0 && p.number == 0) return;
  to("first", 0);
  if (p.number > 0) to("prev", std::min(p.number - 1, last));
  if (p.number < last) to("next", p.number + 1);
  to("last", last);
}

void append_page_member(std::string& out, const paging& p, std::uint64_t total) {
  out.append("\"page\":{\"size\":").append(std::to_string(p.size)).append(",\"totalElements\":").append(std::to_string(total));
  out.append(",\"totalPages\":").append(std::to_string(total == 0 ? 0 : last_page(p, total) + 1));
  out.append(",\"number\":").append(std::to_string(p.number)).append("}");
}

}  // namespace crema::http
