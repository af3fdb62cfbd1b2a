// A whole node in virtual time: its actors and its journal run only when somebody says so, on his own thread. Knows no test framework:
// tests step it by hand (actors/stepped_node.hpp), the simulator by a seed (sim/simulation.hpp).
#pragma once

#include <caf/scheduler/test_coordinator.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/node.hpp"
#include "actors/node_parts.hpp"
#include "behaviors/core/notification_sink.hpp"
#include "storage/faulty/faulty_store.hpp"

namespace crema::testing {

class virtual_clock final : public actors::clock {
 public:
  timestamp wall() const noexcept override { return {now_us_ / 1000 + wall_jump_ms_}; }
  std::int64_t steady_us() const noexcept override { return now_us_; }
  void advance(std::chrono::microseconds d) { now_us_ += d.count(); }
  /// Somebody sets the wall clock, forward or back; steady time goes on as it did.
  void jump(std::chrono::milliseconds d) { wall_jump_ms_ += d.count(); }

 private:
  std::int64_t now_us_ = 1614225600000000;  // 2021-02-25T04:00:00Z
  std::int64_t wall_jump_ms_ = 0;
};

/// Keeps what was delivered; can be told to fail, all or by receiver.
class recording_sink final : public notification_sink {
 public:
  using verdict = delivery_report::verdict;
  struct letter {
    std::string id, to, text;
    trace_context trace;
  };
  std::vector<letter> delivered;
  std::map<std::string, int> tries;  ///< by id
  int failures_left = 0;
  std::function<delivery_report(const outgoing_notification&)> answers;  ///< set: what comes of each try
  std::function<bool(const outgoing_notification&)> hangs;               ///< set: whose tries never end
  int hanging = 0;
  void deliver(outgoing_notification n, std::function<void(delivery_report)> done) override {
    ++tries[n.id];
    if (hangs && hangs(n)) {
      ++hanging;
      return;
    }
    auto report = answers ? answers(n) : delivery_report{failures_left > 0 ? verdict::try_again : verdict::delivered, "not now"};
    if (failures_left > 0) --failures_left;
    if (report.is == verdict::delivered) delivered.push_back({n.id, n.to, n.text, n.trace});
    done(std::move(report));
  }
};

class virtual_node {
 public:
  virtual_node(system_declaration system, actors::runtime_settings settings, std::shared_ptr<storage::store> disk)
      : system_(std::move(system)), settings_(std::move(settings)), disk_(std::move(disk)) {}
  ~virtual_node() { stop(); }
  virtual_node(const virtual_node&) = delete;
  virtual_node& operator=(const virtual_node&) = delete;

  void start() {
    failed_with.clear();
    metrics_ = std::make_unique<telemetry::metrics>();
    traces_ = std::make_unique<telemetry::trace_ring>(trace_settings);
    actors::node_parts parts;
    parts.system = &system_;
    parts.store = disk_.get();
    parts.time = &clock_;
    parts.metrics = metrics_.get();
    parts.traces = traces_.get();
    parts.sink = sink;
    parts.on_failure = [this](const std::string& why) { failed_with = why; };
    parts.by_hand = [](caf::actor_system& all) { dynamic_cast<caf::scheduler::test_coordinator&>(all.scheduler()).run(); };
    if (settings_.faults_enabled) put_faults_before_the_disk(parts);
    node_ = std::make_unique<actors::node>(parts, settings_);
    node_->start();
  }
  /// What was not committed did not happen.
  void stop() {
    if (!node_) return;
    node_->stop();
    node_.reset();
  }
  /// As if the process had been killed: what is not committed is gone.
  void crash() {
    stop();
    start();
  }
  /// The process is gone and another store is found in its place (the same disk behind it).
  void crash_onto(std::shared_ptr<storage::store> disk) {
    stop();
    disk_ = std::move(disk);
    start();
  }

  /// Runs the actors only, as far as they get without the disk.
  void run_actors() { coordinator().run(); }
  bool commit() { return node_->inside().log->pump(); }
  /// Until nothing is left to do at this moment.
  void settle() {
    do run_actors();
    while (commit());
  }
  /// One actor handles one message, or, where no actor has anything to do, one commit happens. False: nothing is left to do.
  bool step() { return coordinator().try_run_once() || commit(); }
  /// Time passes; what comes due waits to be run.
  void pass_time(std::chrono::milliseconds d) {
    clock_.advance(d);
    if (node_) coordinator().advance_time(d);
  }
  /// Time passes for the actors, but the disk stands still.
  void advance_without_disk(std::chrono::milliseconds d) {
    for (auto left = d; left.count() > 0; left -= std::chrono::milliseconds(1)) {
      pass_time(std::chrono::milliseconds(1));
      run_actors();
    }
  }
  /// Time passes, in small steps, and everything that comes due is done.
  void advance(std::chrono::milliseconds d) {
    for (auto left = d; left.count() > 0; left -= std::chrono::milliseconds(1)) {
      pass_time(std::chrono::milliseconds(1));
      settle();
    }
  }

  bool up() const noexcept { return node_ != nullptr; }
  actors::node& node() { return *node_; }
  virtual_clock& clock() { return clock_; }
  std::shared_ptr<storage::store> disk() const { return disk_; }
  const system_declaration& system() const { return system_; }
  actors::services& shared() { return *node_->inside().shared; }
  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(node_->inside().actors->scheduler());
  }

  std::shared_ptr<recording_sink> sink = std::make_shared<recording_sink>();
  std::string failed_with;                                ///< why this life of the node cannot go on; empty: it can
  int killed = 0;                                         ///< how often a fault meant to kill the process
  telemetry::trace_settings trace_settings{16000, 0, 0};  ///< from the next start on

 private:
  // Anew for each life of the node, as a process does.
  void put_faults_before_the_disk(actors::node_parts& parts) {
    const auto plan = std::make_shared<storage::fault_plan>(1, [this](std::chrono::milliseconds d) { clock_.advance(d); });
    faulty_disk_ = storage::make_faulty_store(disk_, plan);
    parts.store = faulty_disk_.get();
    parts.advise_store = [plan](storage::commit_adviser ask) { plan->advise(std::move(ask)); };
    parts.kill_process = [this] { ++killed; };
  }

  system_declaration system_;
  actors::runtime_settings settings_;
  std::shared_ptr<storage::store> disk_;
  std::unique_ptr<storage::store> faulty_disk_;
  virtual_clock clock_;
  std::unique_ptr<telemetry::metrics> metrics_;
  std::unique_ptr<telemetry::trace_ring> traces_;
  std::unique_ptr<actors::node> node_;
};

}  // namespace crema::testing
