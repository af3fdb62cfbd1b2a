// Makes a failing run's fault list shorter: what is left is needed for it to fail.
#pragma once

#include <functional>

#include "tests/sim/fault.hpp"

namespace crema::sim {

/// `fails` runs with a list. Halves are left out first, then single faults; the answer fails, and none of it can be left out alone.
fault_list shrink(fault_list faults, const std::function<bool(const fault_list&)>& fails);

}  // namespace crema::sim
