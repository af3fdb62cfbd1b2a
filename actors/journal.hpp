// The journal: gathers what the actors append, writes it in one transaction, then releases what waited for it.
//
// append() is called by actors (any thread): it gives the step its place in the one log order and queues it, so whatever the
// caller sends afterwards is behind it. Two threads do the rest: while one commits a batch and runs its outputs, the other puts the
// next one together. In virtual time a test does both by hand, with pump().
// A failed write stops the journal for good: nothing of the batch is released, `on_failure` is told, the node must restart.
// A sync is never tried again.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "actors/clock.hpp"
#include "actors/settings.hpp"
#include "storage/log.hpp"
#include "storage/record.hpp"
#include "telemetry/metrics.hpp"

namespace crema::actors {

/// Who appends: a lane's actors carry the epoch in which they were started. Any other epoch is refused, so that what is left of a
/// stopped partition cannot write beside its successor.
struct fence {
  storage::lane where;
  std::uint64_t epoch = 0;
};

using output = std::function<void()>;

struct append_request {
  std::optional<fence> guard;
  std::shared_ptr<storage::journal_record> record;  ///< may be null
  storage::commit_item derived;                     ///< rows, indexes and meta; record and body are filled in here
  std::vector<output> outputs;                      ///< run on the committing thread once all of this is durable; must not block
  bool lingers = false;  ///< nobody waits for it: it may wait a little for a commit that somebody waits for; its outputs run last
};

/// What one commit made durable: the records in log order. `previous` is the sequence up to which (exclusive) the commits
/// before reached, so a reader notices a gap.
struct committed_batch {
  std::uint64_t previous = 0, next = 0;
  std::vector<std::shared_ptr<const storage::journal_record>> records;
};
using committed_batch_ptr = std::shared_ptr<const committed_batch>;

class journal {
 public:
  journal(storage::store& store, std::size_t contexts, const runtime_settings& settings, const clock& time, telemetry::metrics& metrics);
  ~journal();

  /// The appended record with its sequence; null where it was refused (older epoch, or the journal has failed or stopped) and
  /// nothing of it will happen. Without a record: an object with the sequence of the last record before it.
  std::shared_ptr<const storage::journal_record> append(append_request request);

  /// From now on `where` accepts this epoch only.
  void set_epoch(storage::lane where, std::uint64_t epoch);

  std::uint64_t durable() const noexcept { return durable_.load(std::memory_order_acquire); }  ///< next sequence not yet durable
  std::size_t depth() const noexcept { return depth_.load(std::memory_order_relaxed); }
  bool failed() const noexcept { return failed_.load(); }
  bool running() const noexcept { return running_.load(); }

  using listener = std::function<void(const committed_batch_ptr&)>;
  int add_listener(listener l);
  void remove_listener(int id);

  /// Told once, on a thread of the journal.
  void on_failure(std::function<void(const std::string&)> f) { on_failure_ = std::move(f); }

  void start();
  /// Writes what is queued, then ends the threads. Later appends are refused.
  void stop();
  /// Writes one batch. False: there was nothing.
  bool pump();
  /// Lets go of what is queued: it never happened.
  void drop_queue();

 private:
  struct queued {
    storage::commit_item item;
    std::vector<output> outputs;
    bool lingers;
  };
  // Steps that go into one commit, and what follows from it.
  struct batch {
    storage::log_writer::batch changes;
    bool changes_disk = false;
    std::vector<std::shared_ptr<const storage::journal_record>> records;
    std::vector<output> answers, unhurried;
    std::size_t steps = 0;
  };
  void gather_batches();
  void commit_batches();
  // Under the lock: how many steps more a batch takes, and how many must wait so that it is worth while to go on with it.
  std::size_t room_in(const batch& open) const noexcept;
  std::size_t enough_for(const batch& open) const noexcept;
  void take_queue(std::vector<queued>& into, const batch& open);
  bool gather(std::vector<queued>& taken, batch& into);
  void commit(batch& b);
  void publish(batch& b);
  void fail(const std::string& why);

  const runtime_settings& settings_;
  const clock& time_;
  storage::log_writer log_;
  std::mutex mutex_;
  std::condition_variable gatherer_wakes_, committer_wakes_;
  std::vector<queued> queue_;
  batch open_;                // the next one
  bool gathering_ = false;    // a thread works on the open batch, or on what goes in front of it
  bool committing_ = false;   // a batch is closed, and not committed yet
  std::vector<batch> spent_;  // written; the gathering thread lets go of what they hold
  bool committer_sleeps_ = false, committed_all_ = false;
  bool waits_ = false, hurries_ = false;                // steps for the next batch; one that does not linger, or many
  std::chrono::steady_clock::time_point linger_until_;  // where none hurries
  std::size_t gatherer_wakes_at_ = 0;                   // steps in the queue
  std::map<storage::lane, std::uint64_t> epochs_;
  std::uint64_t next_sequence_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> durable_;
  std::atomic<std::size_t> depth_{0};
  std::atomic<bool> failed_{false}, running_{false};
  std::function<void(const std::string&)> on_failure_;
  std::mutex listeners_mutex_;
  std::map<int, listener> listeners_;
  int next_listener_ = 0;
  std::thread gatherer_, committer_;
  telemetry::histogram batch_records_, commit_seconds_;
};

}  // namespace crema::actors
