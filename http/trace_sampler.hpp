// Whether the spans of a request that brings no trace of its own are kept: a share of them, and no more than so many a second, so
// that tracing costs a busy node no more than an idle one and the ring reaches back for seconds.
//
// Any thread may ask. Randomness and time come in with each question.
#pragma once

#include <atomic>
#include <cstdint>

namespace crema::http {

class trace_sampler {
 public:
  /// `per_second` 0: no limit.
  trace_sampler(std::uint32_t percent, std::uint32_t per_second) : percent_(percent), per_second_(per_second) {}

  /// `dice`: any number, evenly spread. `now_s`: seconds of a clock that does not go back.
  bool take(std::uint64_t dice, std::uint32_t now_s) noexcept;

 private:
  const std::uint32_t percent_, per_second_;
  std::atomic<std::uint64_t> taken_{0};  // a second, and how many in it: 32 bits each
};

}  // namespace crema::http
