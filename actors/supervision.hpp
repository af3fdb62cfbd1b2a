// Restart rules, as OTP has them: how many restarts in how long, how long to wait before the next, when to give up and let the
// parent decide. Pure: time and jitter are passed in.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "actors/settings.hpp"

namespace crema::actors {

class restart_policy {
 public:
  restart_policy(std::uint32_t intensity, milliseconds period, milliseconds backoff_min, milliseconds backoff_max)
      : intensity_(intensity), period_ms_(period.count()), backoff_min_(backoff_min), backoff_max_(backoff_max) {}
  explicit restart_policy(const runtime_settings& s)
      : restart_policy(s.restart_intensity, s.restart_period, s.backoff_min, s.backoff_max) {}

  /// A child failed at `now_ms`: the time to wait before its restart, doubled with each failure in the period and spread by
  /// `random`; nothing where the intensity is exceeded and the failure is to be escalated.
  std::optional<milliseconds> on_failure(std::int64_t now_ms, std::uint64_t random) {
    while (!failures_.empty() && now_ms - failures_.front() >= period_ms_) failures_.pop_front();
    failures_.push_back(now_ms);
    if (failures_.size() > intensity_) return std::nullopt;
    return backoff(static_cast<std::uint32_t>(failures_.size()), backoff_min_, backoff_max_, random);
  }

  std::size_t recent() const noexcept { return failures_.size(); }

  /// min · 2^(attempt − 1), at most max, then a random half of it taken off at the most.
  static milliseconds backoff(std::uint32_t attempt, milliseconds min, milliseconds max, std::uint64_t random) {
    const auto doubled = min.count() << std::min<std::uint32_t>(attempt - 1, 20);
    const auto whole = std::max<std::int64_t>(1, std::min<std::int64_t>(max.count(), doubled));
    return milliseconds(whole - static_cast<std::int64_t>(random % static_cast<std::uint64_t>(whole / 2 + 1)));
  }

 private:
  std::uint32_t intensity_;
  std::int64_t period_ms_;
  milliseconds backoff_min_, backoff_max_;
  std::deque<std::int64_t> failures_;
};

}  // namespace crema::actors
