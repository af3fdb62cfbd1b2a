// Entity tags and the lists of them that conditions are made of. Pure.
//
// A tag is `"<version>-<hash>"`, where an aggregate is shown, and `"<hash>"` elsewhere; `-gzip` or `-zstd` follows where the body is sent
// so. The hash is of media type and body, so each representation has a tag of its own, and a restored or rebuilt row that has its old
// version again has not its old tag. The version is what If-Match means: whichever representation was read, it was of that state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crema::http {

/// Without quotes.
std::string make_tag(std::optional<std::uint64_t> version, std::string_view media_type, std::string_view body);

struct listed_tag {
  std::string_view text;  ///< without quotes
  bool weak = false;
};
struct tag_list {
  bool any = false;  ///< "*"
  std::vector<listed_tag> tags;
};
/// Points into the header. Nothing where that is not a list of tags; empty members are ignored.
std::optional<tag_list> parse_tags(std::string_view header);

/// For If-None-Match: one of them is this tag, W/ or not (weak comparison, RFC 9110, 8.8.3.2).
bool names_representation(const tag_list& list, std::string_view tag) noexcept;
/// For If-Match: one of them, not a weak one, begins as this tag does: with its version, or its hash where it has none.
bool names_state(const tag_list& list, std::string_view tag) noexcept;
/// Those versions that the list names. `weak`: a W/ counts too.
std::vector<std::uint64_t> versions_in(const tag_list& list, bool weak);

}  // namespace crema::http
