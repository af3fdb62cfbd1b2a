#include "tests/sim/shrink.hpp"

#include <algorithm>

namespace crema::sim {

fault_list shrink(fault_list faults, const std::function<bool(const fault_list&)>& fails) {
  for (std::size_t size = std::max<std::size_t>(1, (faults.size() + 1) / 2); !faults.empty();) {
    bool shorter = false;
    for (std::size_t from = 0; from < faults.size();) {
      auto fewer = faults;
      const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(from);
      fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, fewer.size() - from)));
      if (fails(fewer)) {
        faults = std::move(fewer);
        shorter = true;
      } else {
        from += size;
      }
    }
    if (!shorter && size == 1) break;
    size = std::max<std::size_t>(1, size / 2);
  }
  return faults;
}

}  // namespace crema::sim
