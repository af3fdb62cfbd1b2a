// How many files and connections the process may have open.
#pragma once

#include <cstdint>

namespace crema::process {

/// Raises the soft limit to the hard one, and tells how many descriptors there may be.
std::uint64_t raise_descriptor_limit();

}  // namespace crema::process
