// Entity tags and the conditions on them. A resource's tag is its version in quotes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crema::http {

std::string to_etag(std::uint64_t version);

struct tag_condition {
  bool any = false;                     ///< "*"
  std::vector<std::uint64_t> versions;  ///< those that could be one of ours
};
/// `weak`: W/"1" matches as well (If-None-Match), else it never does (If-Match). Nothing where the header is not a list of tags.
std::optional<tag_condition> parse_tags(std::string_view header, bool weak);

bool matches(const tag_condition& condition, std::uint64_t version) noexcept;

}  // namespace crema::http
