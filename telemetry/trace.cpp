#include "telemetry/trace.hpp"

#include <algorithm>

namespace crema::telemetry {

void trace_ring::record(const span& s) {
  if (spans_max_ == 0) return;
  const std::lock_guard lock(mutex_);
  if (spans_.size() < spans_max_) {
    spans_.push_back(s);
  } else {
    spans_[next_] = s;
    next_ = (next_ + 1) % spans_max_;
  }
}

std::vector<span> trace_ring::recent(std::size_t limit, std::string_view trace_id) const {
  std::vector<span> found;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < spans_.size() && found.size() < limit; ++i) {
    const auto& s = spans_[(next_ + spans_.size() - 1 - i) % spans_.size()];
    if (trace_id.empty() || trace_id_text(s.context) == trace_id) found.push_back(s);
  }
  if (!trace_id.empty()) std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace crema::telemetry
