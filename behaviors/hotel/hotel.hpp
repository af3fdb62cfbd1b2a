// Hotel booking: a booking and its payment in one synchronous chain; what guest and host are told and see in its own time.
#pragma once

#include "behaviors/core/declaration.hpp"

namespace crema::hotel {

system_declaration hotel();

}  // namespace crema::hotel
