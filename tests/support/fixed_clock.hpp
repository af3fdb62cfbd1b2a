// A clock that stands still.
#pragma once

#include "actors/clock.hpp"

namespace crema::testing {

class fixed_clock final : public actors::clock {
 public:
  timestamp wall() const noexcept override { return {1614225600000}; }  // 2021-02-25T04:00:00Z
  std::int64_t steady_us() const noexcept override { return 1614225600000000; }
};

}  // namespace crema::testing
