// Who could not be told lately, and what waits for him. Pure: time is passed in.
//
// Problem: a receiver that takes nothing must hold up no other, however many notifications he has and for however long. Solution: he
// rests for a while that grows with each failure; one of his notifications is tried then, and the others wait behind it. What waits is
// known by its place in the outbox only, so that there is room for as many as the outbox may hold.
//
// Owned by one notifier.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/record.hpp"

namespace crema::actors {

class failing_receivers {
 public:
  struct letter {
    storage::outbox_ref ref;
    std::uint32_t tries = 0;
    std::optional<std::int64_t> recorded_ms = {};  ///< steady; not looked up yet
  };

  bool rests(const std::string& to) const { return all_.contains(to); }
  /// Waits behind what waits already. `to` rests.
  void add(const std::string& to, letter l) {
    all_.at(to).waiting.push_back(std::move(l));
    ++waiting_;
  }
  /// A try to tell `to` failed: for how many rests in a row now. What was on its way together fails together, and counts once.
  std::uint32_t count_failure(const std::string& to) {
    auto& r = all_[to];
    if (!r.due_ms) ++r.failures;
    return r.failures;
  }
  /// `failed` is to be tried again; none where that was given up.
  void rest(const std::string& to, std::optional<letter> failed, std::int64_t until_ms) {
    auto& r = all_[to];
    if (failed) {
      const auto later = [&](const letter& l) { return failed->ref < l.ref; };
      r.waiting.insert(std::find_if(r.waiting.begin(), r.waiting.end(), later), std::move(*failed));
      ++waiting_;
    }
    if (r.waiting.empty()) return forget(to);
    if (r.due_ms) {
      until_ms = std::max(until_ms, *r.due_ms);
      due_.erase({*r.due_ms, to});
    }
    r.due_ms = until_ms;
    due_.emplace(until_ms, to);
  }
  /// The next receiver who has rested, and what to try; he rests until the outcome is known.
  std::optional<std::pair<std::string, letter>> take_due(std::int64_t now_ms) {
    if (due_.empty() || due_.begin()->first > now_ms) return std::nullopt;
    const auto to = due_.begin()->second;
    due_.erase(due_.begin());
    auto& r = all_.at(to);
    r.due_ms.reset();
    auto next = std::move(r.waiting.front());
    r.waiting.pop_front();
    --waiting_;
    return std::pair(to, std::move(next));
  }
  /// He was told something, or said a final "no": he rests no more. What waited for him, in order.
  std::deque<letter> recovered(const std::string& to) {
    const auto at = all_.find(to);
    if (at == all_.end()) return {};
    auto waiting = std::move(at->second.waiting);
    waiting_ -= waiting.size();
    forget(to);
    return waiting;
  }
  /// When the next has rested; steady ms.
  std::optional<std::int64_t> next_due_ms() const { return due_.empty() ? std::nullopt : std::optional(due_.begin()->first); }
  std::size_t count() const noexcept { return all_.size(); }
  std::size_t waiting() const noexcept { return waiting_; }

 private:
  struct receiver {
    std::uint32_t failures = 0;
    std::optional<std::int64_t> due_ms;  // none: one of his is being tried
    std::deque<letter> waiting;
  };
  void forget(const std::string& to) {
    const auto at = all_.find(to);
    if (at->second.due_ms) due_.erase({*at->second.due_ms, to});
    all_.erase(at);
  }

  std::map<std::string, receiver> all_;
  std::set<std::pair<std::int64_t, std::string>> due_;
  std::size_t waiting_ = 0;
};

}  // namespace crema::actors
