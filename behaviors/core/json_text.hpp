// JSON text from outside as a document: nothing in it is taken for something else.
//
// Pure; any thread. The parser does not recurse, so the depth bounds memory only.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "behaviors/core/result.hpp"

namespace crema {

/// Refused (malformed): what is not JSON in UTF-8, is nested deeper, or names a member of an object twice, at any depth.
/// A number that is not a whole one of 64 bits is a binary value of its characters, as a double would round it: see number_text().
result<nlohmann::json> parse_json(std::string_view text, std::size_t depth_max);

/// The characters of a number that parse_json kept; empty for anything else.
std::string_view number_text(const nlohmann::json& j);

}  // namespace crema
