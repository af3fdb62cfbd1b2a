// Smartphone pre-reservation: a reservation and its payment in one synchronous chain; the receipt and the view in their own time.
#pragma once

#include "behaviors/core/declaration.hpp"

namespace crema::preorder {

system_declaration preorder();

}  // namespace crema::preorder
