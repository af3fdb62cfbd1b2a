// The durable messages of one lane, in order: from disk after a start or an overflow, then from memory as they come. None is
// lost, none is handed out twice, each sender's stay in their order.
//
// Problem: while a lane reads what is outstanding on disk, new messages keep coming in memory, and some are on disk as well.
// Solution: a barrier in the log. Everything with a sequence up to the barrier is read from disk and ignored when it comes in
// memory; everything beyond waits in memory until the reading is done. If too much waits, it is let go and read behind a new
// barrier. Owned by one actor.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/record.hpp"
#include "storage/store.hpp"

namespace crema::actors {

/// What came lately over a link that repeats, bounded: the second of two is known again.
class recently_heard {
 public:
  using name = std::pair<std::uint64_t, std::uint64_t>;
  bool first_time(name n) {
    if (!names_.insert(n).second) return false;
    order_.push_back(n);
    if (order_.size() > names_max) {
      names_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  static constexpr std::size_t names_max = 10000;
  std::set<name> names_;
  std::deque<name> order_;
};

class inbox {
 public:
  /// `first_sequence`: where this run of the node began. Holds from before it have no asker left and are handed out to be undone.
  inbox(storage::lane where, std::uint64_t first_sequence) : where_(where), first_sequence_(first_sequence) {}

  enum class phase : std::uint8_t { closed, needs_barrier, reading, live };
  phase state() const noexcept { return phase_; }

  void open() noexcept { phase_ = phase::needs_barrier; }
  /// Reads the lane from its beginning again; what the owner still has in hand it recognises itself.
  void open_again() {
    read_up_to_.clear();
    open();
  }
  /// Everything up to `sequence` is on disk now, or consumed.
  void barrier_passed(std::uint64_t sequence) noexcept {
    barrier_ = sequence;
    phase_ = phase::reading;
  }

  /// What to do with a message that came in memory: handle it, keep it until the reading is done, or let it go because it is (or
  /// will be) read from disk.
  enum class verdict : std::uint8_t { now, later, never };
  verdict judge(const storage::outbox_ref& ref) const noexcept {
    if (phase_ == phase::live) return ref.id.sequence > barrier_ ? verdict::now : verdict::never;
    if (phase_ == phase::closed || overflowed_) return verdict::never;
    return phase_ == phase::reading && ref.id.sequence <= barrier_ ? verdict::never : verdict::later;
  }
  /// The owner let go of what it kept: it is read behind a new barrier.
  void overflow() noexcept { overflowed_ = true; }
  /// After the reading: was this kept message read from disk meanwhile?
  bool was_read(const storage::outbox_ref& ref) const noexcept { return ref.id.sequence <= barrier_; }

  struct left_step {
    storage::outbox_ref ref;
    storage::hold held;
  };
  /// Steps of an earlier run that nobody confirmed: to be undone before anybody who could ask for the same is let in.
  std::vector<left_step> left_steps(const storage::snapshot& s, const type_catalog& types) const;
  /// The next messages on disk. Empty: the reading is done, and the inbox is live or needs a further barrier.
  std::vector<storage::stored_message> read(const storage::snapshot& s, const type_catalog& types, std::size_t limit);

 private:
  storage::lane where_;
  std::uint64_t first_sequence_;
  phase phase_ = phase::closed;
  std::uint64_t barrier_ = 0;
  std::string read_up_to_;  // key of the last entry handed out
  bool overflowed_ = false;
};

}  // namespace crema::actors
