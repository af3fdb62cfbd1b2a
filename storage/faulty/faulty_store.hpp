// A store that fails on purpose: wraps any other and does what a fault_plan says. Behind the fault injection of a running node,
// and behind tests that run a scenario once for every operation that could fail.
//
// It fails as a disk does. After a failed put or erase its transaction cannot be committed; after `io` at a commit the wrapped commit
// may have happened or not, and the store takes no more writes until it is wrapped anew (a node that restarts on the same disk).
// Threads: a plan from any thread at any time; the store as storage/store.hpp says.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include "storage/commit_fault.hpp"
#include "storage/store.hpp"

namespace crema::storage {

enum class write_operation : std::uint8_t { put, erase, commit };

/// What is on the disk after a commit that failed with `io`: both happen in life. Any other failure leaves the old state.
enum class failed_commit : std::uint8_t { lost, kept, by_seed };

class fault_plan {
 public:
  using sleeper = std::function<void(std::chrono::milliseconds)>;

  /// The seed decides by_seed and the delays; `sleep` (by default the thread sleeps) lets them pass in virtual time.
  explicit fault_plan(std::uint64_t seed = 1, sleeper sleep = {});

  /// The nth operation of this kind from now on fails, once; 1 is the next one.
  void fail_nth(write_operation op, std::uint64_t nth, storage_errc code, failed_commit after = failed_commit::lost);
  /// The same, counted over all kinds: with nth = 1 … operations() of a good run, every place is tried.
  void fail_nth(std::uint64_t nth, storage_errc code, failed_commit after = failed_commit::lost);
  /// Every operation fails until clear(): a full disk, a disk that is gone, a process that is as good as dead.
  void fail_all(storage_errc code);
  /// Each commit takes this much longer, evenly spread.
  void delay_commits(std::chrono::milliseconds shortest, std::chrono::milliseconds longest);
  /// No: the disk has room for what is under way only (store::short_of).
  void leave_room(bool yes);
  bool leaves_room() const noexcept;
  /// Asked at each commit, on the writer's thread; what it says comes on top of the plan's own faults. {} ends it.
  void advise(commit_adviser ask);
  /// Called as a torn commit begins, and returns: soon after, the process is dead. Without it, a torn commit fails with `io` and is
  /// lost or kept by the seed, which is what a process finds that died in the middle of one.
  void on_torn(std::function<void()> die);
  /// No more faults and delays. The counts go on.
  void clear();

  std::uint64_t operations() const;
  std::uint64_t operations(write_operation op) const;

  // ---- what the store asks
  struct verdict {
    std::optional<storage_errc> failure;
    bool kept = false;
  };
  /// Counts the operation, lets its delay pass and says what becomes of it.
  verdict next(write_operation op);

 private:
  struct fault {
    std::optional<write_operation> op;  // nullopt: any
    std::uint64_t left;                 // operations until it strikes; 0: it has
    storage_errc code;
    failed_commit after;
  };

  verdict strike(write_operation op);
  std::chrono::milliseconds delay_of(write_operation op);
  std::chrono::milliseconds follow(const commit_fault& a, verdict& v);

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  sleeper sleep_;
  std::vector<fault> faults_;
  std::optional<storage_errc> all_;
  std::chrono::milliseconds shortest_{0}, longest_{0};
  std::array<std::uint64_t, 3> counts_{};
  commit_adviser ask_;
  std::function<void()> die_;
  std::atomic<bool> room_{true};
};

/// `inner` is shared, so that it outlives the node that wrote to it, and can be wrapped again by the next one.
std::unique_ptr<store> make_faulty_store(std::shared_ptr<store> inner, std::shared_ptr<fault_plan> plan);

}  // namespace crema::storage
