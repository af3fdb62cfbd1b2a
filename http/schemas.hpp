// JSON Schemas (2020-12) of what is answered and of what is accepted, from the field lists. Pure.
//
// A request may say more than it has to: a number as a text, a text as a number, null for what is not sent, and what was read with the
// resource. The schemas say so too, because they forbid everything else.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "behaviors/core/declaration.hpp"

namespace crema::http {

/// A resource as it is answered. Every field is there; what no command takes is read-only. `_links` and `id` are there or not.
nlohmann::json row_schema(const resource_declaration& resource);

/// The body of one command; a transition's carries the status that chooses it.
nlohmann::json body_schema(const resource_declaration& resource, const verb_declaration& verb);

/// The value of a finder's parameter.
nlohmann::json parameter_schema(const field_spec& field);

/// A body that would be accepted by its form, made of the fields' examples. Null where a required field has none.
nlohmann::json example_body(const verb_declaration& verb);

}  // namespace crema::http
