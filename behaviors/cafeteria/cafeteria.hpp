// The cafeteria: drink orders. Order, payment and sale in one synchronous chain; drink, views and messages in their own time.
#pragma once

#include "behaviors/core/declaration.hpp"

namespace crema::cafeteria {

system_declaration cafeteria();

}  // namespace crema::cafeteria
