#include "http/etag.hpp"

#include <xxhash.h>

#include <algorithm>

#include "http/negotiate.hpp"
#include "http/uri.hpp"

namespace crema::http {

namespace {

std::string_view state_of(std::string_view tag) noexcept { return tag.substr(0, tag.find('-')); }

}  // namespace

std::string make_tag(std::optional<std::uint64_t> version, std::string_view media_type, std::string_view body) {
  auto hash = XXH3_64bits_withSeed(body.data(), body.size(), XXH3_64bits(media_type.data(), media_type.size()));
  std::string tag;
  if (version) tag.append(std::to_string(*version)).append("-");
  tag += 'h';  // a hash of digits only must not look like a version
  constexpr std::string_view digits = "0123456789abcdef";
  for (int i = 0; i < 15; ++i, hash >>= 4) tag += digits[hash & 15];
  return tag;
}

std::optional<tag_list> parse_tags(std::string_view header) {
  header = trimmed(header);
  tag_list list;
  if (header == "*") {
    list.any = true;
    return list;
  }
  while (true) {
    while (header.starts_with(',')) header = trimmed(header.substr(1));  // a list may have empty members (RFC 9110, 5.6.1)
    if (header.empty()) return list.tags.empty() ? std::nullopt : std::optional(std::move(list));
    const bool weak = header.starts_with("W/");
    if (weak) header.remove_prefix(2);
    if (!header.starts_with('"')) return std::nullopt;
    const auto end = header.find('"', 1);
    if (end == std::string_view::npos) return std::nullopt;
    list.tags.push_back({header.substr(1, end - 1), weak});
    header = trimmed(header.substr(end + 1));
    if (!header.empty() && header.front() != ',') return std::nullopt;
  }
}

bool names_representation(const tag_list& list, std::string_view tag) noexcept {
  return list.any || std::any_of(list.tags.begin(), list.tags.end(), [&](const auto& t) { return t.text == tag; });
}

bool names_state(const tag_list& list, std::string_view tag) noexcept {
  return list.any ||
         std::any_of(list.tags.begin(), list.tags.end(), [&](const auto& t) { return !t.weak && state_of(t.text) == state_of(tag); });
}

std::vector<std::uint64_t> versions_in(const tag_list& list, bool weak) {
  std::vector<std::uint64_t> versions;
  for (const auto& t : list.tags)
    if (const auto version = parse_number(state_of(t.text)); version && (weak || !t.weak)) versions.push_back(*version);
  return versions;
}

}  // namespace crema::http
