#include "http/etag.hpp"

#include <algorithm>

#include "http/negotiate.hpp"
#include "http/uri.hpp"

namespace crema::http {

std::string to_etag(std::uint64_t version) { return '"' + std::to_string(version) + '"'; }

std::optional<tag_condition> parse_tags(std::string_view header, bool weak) {
  header = trimmed(header);
  tag_condition condition;
  if (header == "*") {
    condition.any = true;
    return condition;
  }
  bool found = false;
  while (true) {
    while (header.starts_with(',')) header = trimmed(header.substr(1));  // a list may have empty members (RFC 9110, 5.6.1)
    if (header.empty()) return found ? std::optional(std::move(condition)) : std::nullopt;
    found = true;
    const bool is_weak = header.starts_with("W/");
    if (is_weak) header.remove_prefix(2);
    if (!header.starts_with('"')) return std::nullopt;
    const auto end = header.find('"', 1);
    if (end == std::string_view::npos) return std::nullopt;
    if (const auto version = parse_number(header.substr(1, end - 1)); version && (weak || !is_weak)) condition.versions.push_back(*version);
    header = trimmed(header.substr(end + 1));
    if (!header.empty() && header.front() != ',') return std::nullopt;
  }
}

bool matches(const tag_condition& condition, std::uint64_t version) noexcept {
  return condition.any || std::find(condition.versions.begin(), condition.versions.end(), version) != condition.versions.end();
}

}  // namespace crema::http
