// Everything that a run leaves to chance, by its seed.
#pragma once

#include <cstdint>
#include <random>

namespace crema::testing {

class chance {
 public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  /// In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace crema::testing
