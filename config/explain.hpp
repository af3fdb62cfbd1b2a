// What `crema config explain` prints: every setting with its meaning, bounds, default, present value and where that came from.
// A secret's value is never shown.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/load.hpp"

namespace crema::config {

/// For people: a paragraph a setting, in sections. Ends with a newline.
std::string explain_text(const values& v);

/// For programs: [{name, type, meaning, default, bounds, min, max, unit, choices, value, origin, environment, secret, restart}].
nlohmann::json explain_json(const values& v);

}  // namespace crema::config
