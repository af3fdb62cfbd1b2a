#include "actors/circuit_breaker.hpp"

#include <algorithm>

namespace crema::actors {

namespace {
constexpr std::size_t window_calls_max = 10000;  // by count as well as by time, so that a burst does not grow it
}

std::string_view name_of(circuit_state s) noexcept {
  switch (s) {
    case circuit_state::closed: return "CLOSED";
    case circuit_state::open: return "OPEN";
    case circuit_state::half_open: return "HALF_OPEN";
  }
  return "";
}

bool circuit_breaker::admit(std::int64_t now_ms) {
  if (state_ == circuit_state::open && now_ms - opened_ms_ >= settings_.open_time.count()) {
    state_ = circuit_state::half_open;
    half_opened_ms_ = now_ms;
    probes_out_ = probes_good_ = 0;
  }
  if (state_ == circuit_state::closed) return true;
  if (state_ == circuit_state::open || probes_out_ >= settings_.half_open_probes) return false;
  ++probes_out_;
  return true;
}

void circuit_breaker::report(std::int64_t now_ms, call_result result, std::int64_t duration_ms) {
  if (state_ == circuit_state::open) return;                                                 // a call from before it opened
  if (state_ == circuit_state::half_open && now_ms - duration_ms < half_opened_ms_) return;  // likewise: no probe
  if (result == call_result::neutral) {
    if (state_ == circuit_state::half_open && probes_out_ > 0) --probes_out_;
    return;
  }
  const bool failed = result == call_result::failure;
  const bool slow = duration_ms >= settings_.slow_call.count();
  if (state_ == circuit_state::half_open) {
    if (failed || slow)
      open(now_ms);
    else if (++probes_good_ >= settings_.half_open_probes)
      close();
    return;
  }
  errors_in_a_row_ = failed ? errors_in_a_row_ + 1 : 0;
  calls_.push_back({now_ms, failed, slow});
  ++counts_.calls;
  counts_.failed += failed ? 1U : 0U;
  counts_.slow += slow ? 1U : 0U;
  drop_older_than(now_ms - settings_.window.count());
  if (too_many()) open(now_ms);
}

std::int64_t circuit_breaker::open_for_ms(std::int64_t now_ms) const noexcept {
  return state_ == circuit_state::open ? std::max<std::int64_t>(0, opened_ms_ + settings_.open_time.count() - now_ms) : 0;
}

void circuit_breaker::drop_older_than(std::int64_t ms) {
  while (!calls_.empty() && (calls_.front().at_ms <= ms || calls_.size() > window_calls_max)) {
    --counts_.calls;
    counts_.failed -= calls_.front().failed ? 1U : 0U;
    counts_.slow -= calls_.front().slow ? 1U : 0U;
    calls_.pop_front();
  }
}

bool circuit_breaker::too_many() const noexcept {
  if (settings_.consecutive_errors > 0 && errors_in_a_row_ >= settings_.consecutive_errors) return true;
  if (counts_.calls < settings_.window_calls_min) return false;
  return counts_.failed * 100 >= settings_.failure_rate_percent * counts_.calls ||
         (counts_.slow > 0 && counts_.slow * 100 >= settings_.slow_rate_percent * counts_.calls);
}

void circuit_breaker::open(std::int64_t now_ms) {
  close();
  state_ = circuit_state::open;
  opened_ms_ = now_ms;
}

void circuit_breaker::close() {
  state_ = circuit_state::closed;
  calls_.clear();
  counts_ = {};
  errors_in_a_row_ = 0;
}

}  // namespace crema::actors
