// Every system that this binary can run. A new one is one line in systems.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/declaration.hpp"

namespace crema {

/// Their names; the first is the default.
std::vector<std::string> system_names();
/// Throws std::out_of_range for a name that is not in system_names().
system_declaration find_system(std::string_view name);

}  // namespace crema
