// When a partner is doing badly, stop asking it for a while. Pure: time is passed in; one owner, no lock.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>

#include "actors/settings.hpp"

namespace crema::actors {

enum class circuit_state : std::uint8_t { closed, open, half_open };
std::string_view name_of(circuit_state s) noexcept;

enum class call_result : std::uint8_t {
  success,
  failure,
  neutral,  ///< says nothing about the partner's health (it is switched off, or the caller gave up)
};

class circuit_breaker {
 public:
  explicit circuit_breaker(const bulkhead_settings& s) : settings_(s) {}

  /// May a call go through now? In half-open state only so many probes at a time.
  bool admit(std::int64_t now_ms);
  /// Each admitted call reports once.
  void report(std::int64_t now_ms, call_result result, std::int64_t duration_ms);

  circuit_state state() const noexcept { return state_; }
  /// How long it stays open; 0 where it is not.
  std::int64_t open_for_ms(std::int64_t now_ms) const noexcept;

  struct counts {
    std::uint32_t calls = 0, failed = 0, slow = 0;
  };
  counts window() const noexcept { return counts_; }

 private:
  struct call {
    std::int64_t at_ms;
    bool failed;
    bool slow;
  };
  void drop_older_than(std::int64_t ms);
  bool too_many() const noexcept;
  void open(std::int64_t now_ms);
  void close();

  const bulkhead_settings settings_;
  circuit_state state_ = circuit_state::closed;
  std::deque<call> calls_;
  counts counts_;
  std::uint32_t errors_in_a_row_ = 0;
  std::int64_t opened_ms_ = 0, half_opened_ms_ = 0;
  std::uint32_t probes_out_ = 0, probes_good_ = 0;
};

}  // namespace crema::actors
