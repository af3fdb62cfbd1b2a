#include "http/trace_sampler.hpp"

namespace crema::http {

bool trace_sampler::take(std::uint64_t dice, std::uint32_t now_s) noexcept {
  if (dice % 100 >= percent_) return false;
  if (per_second_ == 0) return true;
  const auto this_second = static_cast<std::uint64_t>(now_s) << 32U;
  auto taken = taken_.load(std::memory_order_relaxed);
  for (;;) {
    const bool begun = taken >> 32U == now_s;
    if (begun && (taken & 0xFFFFFFFFU) >= per_second_) return false;
    if (taken_.compare_exchange_weak(taken, begun ? taken + 1 : this_second + 1, std::memory_order_relaxed)) return true;
  }
}

}  // namespace crema::http
