// Time and randomness come in from here and nowhere else, so that a whole node can run in virtual time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "behaviors/core/field.hpp"

namespace crema::actors {

class clock {
 public:
  virtual ~clock() = default;
  virtual timestamp wall() const noexcept = 0;
  virtual std::int64_t steady_us() const noexcept = 0;  ///< only differences mean something
  std::int64_t steady_ms() const noexcept { return steady_us() / 1000; }
};

class system_clock final : public clock {
 public:
  timestamp wall() const noexcept override {
    return {std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
  }
  std::int64_t steady_us() const noexcept override {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
};

/// Numbers that depend on the seed and the order of the calls only. Thread-safe (splitmix64 over a counter).
class random_source {
 public:
  explicit random_source(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() noexcept {
    auto z = state_.fetch_add(0x9E3779B97F4A7C15ULL, std::memory_order_relaxed) + 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }
  /// In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    return high <= low ? low : low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::atomic<std::uint64_t> state_;
};

}  // namespace crema::actors
