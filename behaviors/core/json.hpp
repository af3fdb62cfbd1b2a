// The JSON form of a record: at the edge only.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviors/core/result.hpp"
#include "behaviors/core/value.hpp"

namespace crema {

/// 0000-01-01T00:00:00.000Z … 9999-12-31T23:59:59.999Z: what a four-digit year can say. Input beyond is refused; a stored time
/// beyond (only damaged data has one) is written as the nearest that can be.
inline constexpr std::int64_t first_timestamp_ms = -62167219200000, last_timestamp_ms = 253402300799999;

/// "2021-02-25T04:28:24.716+0000" (UTC, milliseconds).
std::string to_iso_text(timestamp t);
/// "20210119130159" (UTC): how the event feed writes times.
std::string to_compact_text(timestamp t);
/// "202102" (UTC): the accounting month.
std::string to_month_text(timestamp t);
/// Reads what to_iso_text writes, also with "Z", a ±hh:mm offset, or no milliseconds. False if it is not such a text.
bool parse_iso_text(std::string_view text, timestamp& out);

/// Appends a JSON string, quoted and escaped. `text` is UTF-8.
void append_json_text(std::string& out, std::string_view text);

/// Appends `"orderId":1,"status":"Made"` — the visible fields in order, without braces; nothing for a type without fields.
void append_json_fields(std::string& out, const record_type& type, const void* object);

/// A record from a JSON object, checked against the field list: unknown and misspelt fields (invalid, with the nearest known name),
/// wrong types (malformed), limits (invalid), required fields (invalid). A number sent as a text is a number.
/// `ignored` are names that may be there and mean nothing here (the status of a PATCH that chose the command).
/// `shown`: the aggregate as the sender reads it. What it shows and the command cannot change may be sent back: null means nothing, and
/// what else was sent is in `as_read`.
result<value> from_json(const record_type& type, const nlohmann::json& object, const std::vector<std::string_view>& ignored = {});
result<std::pair<value, as_read>> from_json(const record_type& type, const record_type& shown, const nlohmann::json& object,
                                            const std::vector<std::string_view>& ignored);

/// A scalar from a query parameter or any other text, as field `f` wants it. The result may view `text`.
/// Checks the form and what a key can carry (longest length, no control characters), not the field's other limits: a search for
/// a value that cannot be there finds nothing.
result<scalar> from_text(const field_spec& f, std::string_view text);

/// The known name nearest to `name` (small edit distance), or empty: for "did you mean".
std::string_view nearest(std::string_view name, const std::vector<std::string_view>& known);

/// JSON Schema (2020-12) of the record's visible fields.
nlohmann::json json_schema(const record_type& type);

}  // namespace crema
