// What every actor of a node shares: the system, the journal, the clock, and the directory of who is where.
//
// One object a node, alive until all actors are gone. Thread-safe.
#pragma once

#include <atomic>
#include <caf/actor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/circuit_breaker.hpp"
#include "actors/clock.hpp"
#include "actors/faults.hpp"
#include "actors/journal.hpp"
#include "actors/message.hpp"
#include "actors/pending_undos.hpp"
#include "actors/provisional_steps.hpp"
#include "actors/settings.hpp"
#include "actors/supervision.hpp"
#include "behaviors/core/declaration.hpp"
#include "storage/store.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace.hpp"

namespace crema::actors {

/// A place in the directory: who takes the messages of a lane now, if anybody.
class handle_slot {
 public:
  caf::actor get() const {
    const std::lock_guard lock(mutex_);
    return handle_;
  }
  void set(caf::actor handle) {
    const std::lock_guard lock(mutex_);
    handle_ = std::move(handle);
  }

 private:
  mutable std::mutex mutex_;
  caf::actor handle_;
};

/// What a gate shows of itself.
struct bulkhead_status {
  std::atomic<circuit_state> state{circuit_state::closed};
  std::atomic<std::uint32_t> calls{0}, window_failed{0}, window_slow{0}, in_flight{0}, queued{0};
  std::atomic<std::uint64_t> passed{0}, refused{0}, timed_out{0}, failed{0};
};

/// The supervision tree as it stands, by path ("payment/partition-3"). Changes when an actor starts, fails or stops: rarely.
class supervision_board {
 public:
  struct entry {
    std::string state;
    std::uint64_t restarts = 0;
    std::string last_failure = {};
    std::string lifetime = {};
    std::int64_t waits_ms = 0;  ///< restarting: the back-off
  };
  /// A supervisor's own: its strategy, and when its children failed lately.
  struct failures {
    strategy how = strategy::one_for_one;
    std::vector<std::int64_t> at_ms = {};
  };
  void show(const std::string& path, entry e) {
    const std::lock_guard lock(mutex_);
    entries_[path] = std::move(e);
  }
  std::map<std::string, entry> all() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }
  /// `path` is that of its children: "" of the root, "payment/" of a context.
  void show_failures(const std::string& path, failures f) {
    const std::lock_guard lock(mutex_);
    failures_[path] = std::move(f);
  }
  failures failures_of(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto at = failures_.find(path);
    return at == failures_.end() ? failures{} : at->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, entry> entries_;
  std::map<std::string, failures> failures_;
};

/// One context's live figures.
struct context_status {
  std::atomic<bool> running{false};
  std::atomic<bool> has_run{false};  ///< in this life of the node: until then it is starting, not stopped
  std::atomic<std::int64_t> awake{0};
  std::vector<std::atomic<std::int64_t>> awake_in;  ///< by partition
  std::atomic<std::int64_t> mailbox{0};             ///< deliveries on their way or waiting
  std::atomic<std::int64_t> outbox{0};              ///< durable messages whose consumption is not on disk yet
  std::atomic<std::uint64_t> restarts{0};
  std::atomic<std::uint64_t> dead_letters{0};
  std::atomic<std::uint64_t> failing_receivers{0};      ///< of notifications: who could not be told lately …
  std::atomic<std::uint64_t> waiting_for_receivers{0};  ///< … and what waits until he is tried again
  std::atomic<int> lanes_closed{0};                     ///< partitions that do not take messages yet
  std::atomic<std::uint64_t> last_id{0};                ///< highest number dealt
  std::atomic<std::uint64_t> last_recorded{0};          ///< no aggregate with a higher number has recorded anything
  bulkhead_status bulkhead;
};

/// A step of a trace that has ended. Times are steady.
struct ended_span {
  std::string_view kind, what;
  std::uint16_t context = 0;  ///< where …
  std::uint64_t id = 0;       ///< … and who
  trace_context own;          ///< a span id of all zero: it has no children, and gets one
  std::array<std::uint8_t, 8> parent{};
  std::int64_t began_us = 0;
  std::int64_t ended_us = 0;  ///< 0: now
  bool failed = false;
  std::string_view note = {};
  std::shared_ptr<const http_exchange> http = {};
};

struct services {
  services(const system_declaration& declared, const runtime_settings& s, const clock& t, storage::store& st, journal& j,
           telemetry::metrics& m, telemetry::trace_ring& r, fault_board& f);

  const system_declaration& system;
  const type_catalog types;
  const runtime_settings& settings;
  const clock& time;
  storage::store& store;
  journal& log;
  telemetry::metrics& metrics;
  telemetry::trace_ring& traces;
  fault_board& faults;
  random_source random;
  const std::uint64_t first_sequence;  ///< where this run of the node began in the log
  const std::string history;           ///< id of the history that the log continues

  std::vector<context_status> contexts;
  supervision_board board;
  provisional_steps provisional;
  pending_undos undos;
  std::atomic<bool> closing{false};
  std::atomic<std::int64_t> awake{0};
  std::atomic<std::int64_t> in_flight{0};      ///< requests of the front door
  std::atomic<std::int64_t> compensations{0};  ///< compensating messages under way
  std::atomic<std::uint64_t> last_ask{0};

  telemetry::counter rejected_messages, undone_steps;

  // ---- directory
  handle_slot& partition(storage::lane where) { return partitions_[where.context * settings.partitions + where.partition]; }
  handle_slot& gate(std::uint16_t context) { return gates_[context]; }
  handle_slot& notifier(std::uint16_t context) { return notifiers_[context]; }
  handle_slot timer, fault_keeper;
  void clear_directory();

  storage::lane lane_of(const storage::address& a) const noexcept { return {a.context, storage::partition_of(a, settings.partitions)}; }
  const context_settings& settings_of(std::uint16_t context) const;
  std::uint64_t deal_id(std::uint16_t context) noexcept { return ++contexts[context].last_id; }
  /// Before the first record of an aggregate is appended: whoever wakes it later looks for its row.
  void will_record(const storage::address& a) noexcept {
    auto& last = contexts[a.context].last_recorded;
    for (auto seen = last.load(); seen < a.id && !last.compare_exchange_weak(seen, a.id);) {}
  }
  std::array<std::uint8_t, 8> new_span_id() noexcept;
  /// The first context without room in its outbox (runtime.outboxMax) that `m`, or what may follow from it, would add to.
  const context_declaration* without_room(const storage::stored_message& m) const noexcept;
  bool has_room(std::uint16_t context) const noexcept {
    return contexts[context].outbox.load(std::memory_order_relaxed) < static_cast<std::int64_t>(settings.outbox_max);
  }

  // ---- sending
  /// To the partition of its receiver, or refused where that is not running; by a detour where a link has a fault.
  void deliver(delivery_ptr d);
  /// The same, past all faults.
  void hand_over(delivery_ptr d);
  /// A durable message whose record was appended: to whoever handles it.
  void dispatch(const storage::stored_message& m);
  /// Takes back a step that will not be confirmed.
  void undo(const storage::outbox_ref& ref, const storage::hold& step);
  /// Its consumption is appended: it compensates no longer.
  void compensated(const delivery& d);
  /// These are on disk now: what they consumed waits no longer. The journal's.
  void count_consumed(const committed_batch& done) noexcept;
  delivery_ptr delivery_of(const storage::stored_message& m);
  delivery_ptr delivery_of(const storage::outbox_ref& ref, const storage::hold& step);

  // ---- answering. A delivery is settled by exactly one of these. None leaves the node before what it rests on is durable: a request's
  // answer waits here for the delivery's position, a reply takes that position along
  void refuse(delivery& d, rejection why);
  void reply(delivery& d, ask_reply answer);
  void settle(delivery& d) noexcept;
  /// A delivery that nobody handled (its destructor calls this).
  void take_back(delivery&& d);

  /// For a lane that does not run, or whose receivers die too fast: taken up when it starts, and now and then.
  void park(delivery_ptr d);
  std::vector<delivery_ptr> unpark(storage::lane where);

  void record_span(const ended_span& s);
  /// An injected fault struck `d`, in the span `at`. Always kept.
  void mark_fault(const delivery& d, const trace_context& at, std::uint64_t fault);

 private:
  bool struck_on_its_way(delivery_ptr& d);
  void refuse_when_durable(delivery& d, rejection why);

  std::vector<handle_slot> partitions_, gates_, notifiers_;
  std::vector<context_settings> context_settings_;
  std::vector<std::vector<std::uint16_t>> fed_by_;  // by context: whose outboxes its events may add to, and theirs, and so on
  std::mutex parked_mutex_;
  std::map<storage::lane, std::vector<delivery_ptr>> parked_;
};

}  // namespace crema::actors
