#include "http/rate_limiter.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cmath>

#include "http/forwarded.hpp"

namespace crema::http {

namespace {

// An IPv6 client owns a /64, and could use each of its addresses once.
std::uint64_t key_of(std::string_view address) {
  const auto bytes = parse_address(address);
  if (!bytes) return XXH3_64bits(address.data(), address.size());
  const bool v4 =
      (*bytes)[10] == 0xff && (*bytes)[11] == 0xff && std::all_of(bytes->begin(), bytes->begin() + 10, [](auto b) { return b == 0; });
  return XXH3_64bits(bytes->data(), v4 ? bytes->size() : 8);
}

}  // namespace

void rate_limiter::refill(bucket& b, std::int64_t now_ms) const {
  if (b.tokens < 0) b = {static_cast<double>(burst_), now_ms};
  const auto passed_ms = std::max<std::int64_t>(0, now_ms - b.at_ms);
  b.tokens = std::min(static_cast<double>(burst_), b.tokens + rate_ * static_cast<double>(passed_ms) / 1000);
  b.at_ms = std::max(b.at_ms, now_ms);
}

rate_limiter::bucket& rate_limiter::find(shard& s, std::uint64_t key, std::int64_t now_ms) {
  if (const auto at = s.buckets.find(key); at != s.buckets.end()) return at->second;
  if (s.buckets.size() >= clients_max / shard_count) {
    if (now_ms - s.swept_at_ms < 1000) return s.shared;  // a flood must not buy a sweep with each request
    s.swept_at_ms = now_ms;
    for (auto at = s.buckets.begin(); at != s.buckets.end();) {
      refill(at->second, now_ms);
      at = at->second.tokens >= static_cast<double>(burst_) ? s.buckets.erase(at) : std::next(at);
    }
    if (s.buckets.size() >= clients_max / shard_count) return s.shared;
  }
  return s.buckets.emplace(key, bucket{-1, 0}).first->second;
}

rate_limiter::verdict rate_limiter::take(std::string_view address, std::int64_t now_ms) {
  if (!on()) return {};
  const auto key = key_of(address);
  auto& s = shards_[key % shard_count];
  const std::lock_guard lock(s.mutex);
  auto& b = find(s, key, now_ms);
  refill(b, now_ms);
  verdict v;
  v.allowed = b.tokens >= 1;
  if (v.allowed)
    b.tokens -= 1;
  else
    v.retry_after_ms = static_cast<std::int64_t>(std::ceil((1 - b.tokens) / rate_ * 1000));
  v.limit = burst_;
  v.remaining = static_cast<std::uint32_t>(b.tokens);
  v.reset_ms = static_cast<std::int64_t>(std::ceil((burst_ - b.tokens) / rate_ * 1000));
  return v;
}

}  // namespace crema::http
