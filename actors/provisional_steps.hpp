// Which aggregates have a step that waits for its asker's record, and may yet be taken back.
//
// Problem: an asker that gives up (its actor or its gate died) cannot undo a step that its partner is only about to take. Asked again,
// the partner would find it done, say so without recording anything, and then the undo would come. Solution: while a step waits, nobody
// is told that nothing had to be done. One object a node; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "storage/record.hpp"

namespace crema::actors {

class provisional_steps {
 public:
  void enter(const storage::address& whose) {
    auto& s = shard_of(whose);
    const std::lock_guard lock(s.mutex);
    ++s.steps[{whose.context, whose.id}];
  }
  /// Confirmed, or undone.
  void leave(const storage::address& whose) {
    auto& s = shard_of(whose);
    const std::lock_guard lock(s.mutex);
    const auto at = s.steps.find({whose.context, whose.id});
    if (at != s.steps.end() && --at->second == 0) s.steps.erase(at);
  }
  bool any(const storage::address& whose) {
    auto& s = shard_of(whose);
    const std::lock_guard lock(s.mutex);
    return s.steps.contains({whose.context, whose.id});
  }

 private:
  struct shard {
    std::mutex mutex;
    std::map<std::pair<std::uint16_t, std::uint64_t>, std::uint32_t> steps;
  };
  shard& shard_of(const storage::address& a) noexcept { return shards_[(a.id + a.context) % shards_.size()]; }

  std::array<shard, 64> shards_;  // so that contexts and partitions rarely meet
};

}  // namespace crema::actors
