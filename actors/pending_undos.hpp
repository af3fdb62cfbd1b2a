// What takes the steps of failed chains back and has not come to its end: undos, and the messages that they cause.
//
// Problem: until such a delivery is consumed, something of a refused request stands. Solution: it is never given up. Tried in vain as
// often as any message, it waits aside, while its aggregate goes on, and is tried again with a growing back-off; here stands which these
// are. Entered when it is sent, left when the record that consumes it is appended. One object a node; thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/record.hpp"

namespace crema::actors {

class pending_undos {
 public:
  struct entry {
    storage::outbox_ref ref;
    storage::address subject;
    std::string command;
    std::uint32_t tries = 0;  ///< in vain, in this run of the node
    std::string last_error = {};
    std::int64_t next_try_ms = 0;  ///< steady; 0: it is on its way
  };

  void enter(entry e) {
    const std::lock_guard lock(mutex_);
    const auto ref = e.ref;
    entries_.try_emplace(ref, std::move(e));
  }
  void failed(const storage::outbox_ref& ref, const std::string& error) {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(ref);
    if (at == entries_.end()) return;
    ++at->second.tries;
    at->second.last_error = error;
  }
  /// From its first wait on it counts as stuck, also while it is tried.
  void waits_until(const storage::outbox_ref& ref, std::int64_t next_try_ms) {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(ref);
    if (at == entries_.end()) return;
    at->second.next_try_ms = next_try_ms;
    stuck_.insert(ref);
    stuck_count_ = stuck_.size();
  }
  void leave(const storage::outbox_ref& ref) {
    const std::lock_guard lock(mutex_);
    entries_.erase(ref);
    if (stuck_.erase(ref) > 0) stuck_count_ = stuck_.size();
  }

  std::size_t stuck() const noexcept { return stuck_count_.load(); }
  std::optional<entry> find(const storage::outbox_ref& ref) const {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(ref);
    return at == entries_.end() ? std::nullopt : std::optional(at->second);
  }
  /// Those whose last try failed, oldest first.
  std::vector<entry> failing(std::size_t limit) const {
    const std::lock_guard lock(mutex_);
    std::vector<entry> all;
    for (const auto& [ref, e] : entries_)
      if (e.tries > 0) all.push_back(e);
    std::sort(all.begin(), all.end(), [](const entry& a, const entry& b) { return a.ref.id < b.ref.id; });
    if (all.size() > limit) all.resize(limit);
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::map<storage::outbox_ref, entry> entries_;
  std::set<storage::outbox_ref> stuck_;
  std::atomic<std::size_t> stuck_count_{0};
};

}  // namespace crema::actors
