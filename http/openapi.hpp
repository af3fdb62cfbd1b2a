// OpenAPI 3.1 of a system, from the declaration that its routes are made from. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "behaviors/core/declaration.hpp"
#include "http/settings.hpp"

namespace crema::http {

/// `prefix`: below which the system is served.
nlohmann::json openapi_document(const system_declaration& system, const server_settings& settings, const std::string& prefix);

}  // namespace crema::http
