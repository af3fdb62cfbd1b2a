// Breakfast delivery: an order, its customer, its stock and its payment in one synchronous chain; the delivery in its own time.
#pragma once

#include "behaviors/core/declaration.hpp"

namespace crema::breakfast {

system_declaration breakfast();

}  // namespace crema::breakfast
