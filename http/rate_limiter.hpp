// A token bucket for each client address. Time comes in with each call; any thread may call.
//
// Bounded: at most `clients_max` buckets. When they are used up and none of them is full again, newcomers share one, so that a
// flood of addresses costs the newcomers and not the memory.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace crema::http {

class rate_limiter {
 public:
  static constexpr std::size_t clients_max = 65536;

  /// `requests_per_s` 0: everything is allowed.
  rate_limiter(double requests_per_s, std::uint32_t burst) : rate_(requests_per_s), burst_(burst < 1 ? 1 : burst) {}

  struct verdict {
    bool allowed = true;
    std::uint32_t limit = 0;  ///< the burst
    std::uint32_t remaining = 0;
    std::int64_t reset_ms = 0;  ///< until the bucket is full again
    std::int64_t retry_after_ms = 0;
  };
  verdict take(std::string_view address, std::int64_t now_ms);
  bool on() const noexcept { return rate_ > 0; }

 private:
  struct bucket {
    double tokens;
    std::int64_t at_ms;
  };
  struct shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, bucket> buckets;
    bucket shared{-1, 0};
    std::int64_t swept_at_ms = -1000;
  };
  static constexpr std::size_t shard_count = 16;

  bucket& find(shard& s, std::uint64_t key, std::int64_t now_ms);
  void refill(bucket& b, std::int64_t now_ms) const;

  double rate_;
  std::uint32_t burst_;
  std::array<shard, shard_count> shards_;
};

}  // namespace crema::http
