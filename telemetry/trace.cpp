#include "telemetry/trace.hpp"

#include <algorithm>

namespace crema::telemetry {

namespace {

bool ended_later(const span& a, const span& b) { return a.start_us + a.duration_us > b.start_us + b.duration_us; }

}  // namespace

trace_ring::trace_ring(const trace_settings& s) : settings_(s), shard_spans_max_((s.spans_max + shards - 1) / shards) {}

void trace_ring::record(span s) {
  if (shard_spans_max_ == 0) return;
  s.start_us += settings_.wall_ahead_us;
  auto& to = shards_[shard_of(s.context)];
  const std::lock_guard lock(to.mutex);
  ++to.fresh;
  if (to.spans.size() < shard_spans_max_) {
    to.spans.push_back(std::move(s));
  } else {
    to.spans[to.next] = std::move(s);
    to.next = (to.next + 1) % shard_spans_max_;
  }
}

// Newest first. Its lock is held.
void trace_ring::add_newest(const shard& from, std::size_t limit, std::vector<span>& to) {
  const auto size = from.spans.size();
  for (std::size_t i = 0; i < std::min(limit, size); ++i) to.push_back(from.spans[(from.next + size - 1 - i) % size]);
}

std::vector<span> trace_ring::recent(std::size_t limit, std::string_view trace_id) const {
  std::vector<span> found;
  for (const auto& s : shards_) {
    const std::lock_guard lock(s.mutex);
    add_newest(s, trace_id.empty() ? limit : s.spans.size(), found);
  }
  if (!trace_id.empty()) std::erase_if(found, [&](const span& s) { return trace_id_text(s.context) != trace_id; });
  std::stable_sort(found.begin(), found.end(), ended_later);
  if (found.size() > limit) found.resize(limit);
  if (!trace_id.empty()) std::reverse(found.begin(), found.end());
  return found;
}

trace_ring::taken trace_ring::take_new(std::size_t limit) {
  taken t;
  for (auto& s : shards_) {
    const std::lock_guard lock(s.mutex);
    const auto size = s.spans.size();
    if (s.fresh > size) {
      t.lost += s.fresh - size;
      s.fresh = size;
    }
    // Its oldest first, so that what is left for the next call is the newest.
    for (; s.fresh > 0 && t.spans.size() < limit; --s.fresh) t.spans.push_back(s.spans[(s.next + size - s.fresh) % size]);
  }
  return t;
}

}  // namespace crema::telemetry
