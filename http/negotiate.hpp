// Accept and Content-Type, as far as this server has a choice. Pure.
#pragma once

#include <string_view>

namespace crema::http {

/// How much `accept` wants a media type: the q of the most specific range that matches, and how specific that was.
struct preference {
  double q = 0;
  int specificity = 0;  ///< 0 nothing matched, 1 */*, 2 type/*, 3 exact
  int order = 0;        ///< position in the list
};
preference preference_for(std::string_view accept, std::string_view type, std::string_view subtype);

/// application/json rather than application/hal+json? HAL where the client does not care.
bool prefers_plain_json(std::string_view accept);
/// text/event-stream rather than NDJSON? Only where it is named.
bool prefers_event_stream(std::string_view accept);
/// application/json or anything +json that is a document, in UTF-8; a JSON Patch is a program.
bool is_json(std::string_view content_type);
bool is_json_patch(std::string_view content_type);

/// One member of a list with weights: "gzip;q=0.5". Without one its weight is 1.
struct weighted {
  std::string_view name;
  double q = 1;
};
weighted parse_weighted(std::string_view member);

/// ASCII case-insensitive equality and trimming of spaces and tabs, as header fields need them.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
std::string_view trimmed(std::string_view s) noexcept;
/// Takes the part before `separator` off `rest`, trimmed. A separator between quotes is text (RFC 9110, 5.6.4).
std::string_view take(std::string_view& rest, char separator) noexcept;

}  // namespace crema::http
