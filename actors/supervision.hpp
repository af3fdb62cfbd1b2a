// What a supervisor does about the end of a child, as OTP has it: whom it starts again, whom it ends first, how long it waits, and when
// it gives up and lets its own supervisor decide. Pure: time and jitter are passed in. actors/supervisor.* carries it out.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/settings.hpp"

namespace crema::actors {

/// How many restarts in how long, and how long to wait before the next.
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
  /// When each of those in the period was, as counted last.
  const std::deque<std::int64_t>& times_ms() const noexcept { return failures_; }

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

/// Who is restarted with a child that failed.
enum class strategy : std::uint8_t {
  one_for_one,   ///< it alone
  one_for_all,   ///< all of them
  rest_for_one,  ///< it, and those that were started after it
};
std::string_view name_of(strategy s) noexcept;

/// Whether a child that ended is started again (OTP's "restart").
enum class lifetime : std::uint8_t {
  permanent,  ///< always
  transient,  ///< after a failure, not after an end of its own
  temporary,  ///< never, also not with others
};
std::string_view name_of(lifetime l) noexcept;

enum class ending : std::uint8_t {
  normal,
  failure,
  isolated,  ///< a failure that is nobody else's matter: it alone is restarted, and it counts for nobody's intensity
};

/// Children by their number, in the order in which they are started.
struct restart_plan {
  bool escalate = false;           ///< the intensity is exceeded: end all, in reverse order, then oneself
  std::vector<std::size_t> stop;   ///< these first, in this order
  std::vector<std::size_t> start;  ///< then, after `wait`, these, in this order
  milliseconds wait{0};
};

class restart_strategy {
 public:
  restart_strategy(strategy how, std::vector<lifetime> children, restart_policy limit, restart_policy isolated)
      : how_(how), children_(std::move(children)), limit_(std::move(limit)), isolated_(std::move(isolated)) {}

  /// `running`: whether each child runs now; the one that ended does not.
  restart_plan on_end(std::size_t ended, ending why, const std::vector<bool>& running, std::int64_t now_ms, std::uint64_t random);

  strategy how() const noexcept { return how_; }
  const std::deque<std::int64_t>& failures_ms() const noexcept { return limit_.times_ms(); }

 private:
  strategy how_;
  std::vector<lifetime> children_;
  restart_policy limit_, isolated_;
};

}  // namespace crema::actors
