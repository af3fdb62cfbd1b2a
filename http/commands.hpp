// Requests that change something, as commands: which verb, which command, under which conditions. Reads nothing but the
// present version (through the front door), and only where If-Match leaves a choice or If-None-Match was sent.
#pragma once

#include <optional>
#include <variant>

#include "http/message.hpp"
#include "http/problem.hpp"
#include "http/routes.hpp"
#include "http/settings.hpp"

namespace crema::http {

using command_or_problem = std::variant<command_request, problem>;

/// `id` is absent for a POST to the collection. The method decides on the verb; 405 where the resource does not offer it.
command_or_problem to_command(const server_settings& settings, const front_door& door, const resource_entry& entry, const request& r,
                              std::optional<std::uint64_t> id);

/// The body as a JSON object: content type, depth, UTF-8 and form are checked. `discarded` JSON is never returned.
std::variant<nlohmann::json, problem> parse_body(const request& r, std::size_t depth_max);

/// The header lines Allow and, where PATCH is among `allow` ("GET, HEAD, OPTIONS, PATCH"), Accept-Patch.
std::string allow_lines(std::string_view allow);
bool allows(std::string_view allow, std::string_view name) noexcept;

/// 405 with Allow.
problem method_not_allowed(const request& r, std::string_view allow);

}  // namespace crema::http
