// Trace and span ids from a generator that its owner seeds (one per connection: no thread shares it). Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "behaviors/core/front_door.hpp"

namespace crema::http {

/// splitmix64, advancing `state`.
inline std::uint64_t next_random(std::uint64_t& state) noexcept {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

template <std::size_t N>
void fill_id(std::array<std::uint8_t, N>& bytes, std::uint64_t& state) noexcept {
  for (std::size_t i = 0; i < N; i += 8) {
    auto random = next_random(state) | 1;  // all zero is not a valid id
    for (std::size_t k = i; k < std::min(N, i + 8); ++k, random >>= 8) bytes[k] = static_cast<std::uint8_t>(random);
  }
}

inline trace_context new_trace(std::uint64_t& state) noexcept {
  trace_context t;
  fill_id(t.trace_id, state);
  fill_id(t.span_id, state);
  return t;
}

}  // namespace crema::http
