// A whole node in virtual time: its actors and its journal run only when a test says so, on the test's own thread.
#pragma once

#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/node.hpp"
#include "actors/node_parts.hpp"
#include "behaviors/core/notification_sink.hpp"
#include "storage/faulty/faulty_store.hpp"
#include "storage/memory/memory_store.hpp"

namespace crema::testing {

class virtual_clock final : public actors::clock {
 public:
  timestamp wall() const noexcept override { return {now_us_ / 1000}; }
  std::int64_t steady_us() const noexcept override { return now_us_; }
  void advance(std::chrono::microseconds d) { now_us_ += d.count(); }

 private:
  std::int64_t now_us_ = 1614225600000000;  // 2021-02-25T04:00:00Z
};

/// Keeps what was delivered; can be told to fail.
class recording_sink final : public notification_sink {
 public:
  struct letter {
    std::string id, to, text;
  };
  std::vector<letter> delivered;
  int failures_left = 0;
  void deliver(const std::string& id, const notification& n, std::function<void(bool)> done) override {
    if (failures_left > 0) {
      --failures_left;
      done(false);
      return;
    }
    delivered.push_back({id, n.to, n.text});
    done(true);
  }
};

class stepped_node {
 public:
  explicit stepped_node(system_declaration system, actors::runtime_settings settings = {}, std::shared_ptr<storage::store> disk = nullptr)
      : system_(std::move(system)),
        settings_(std::move(settings)),
        disk_(disk ? std::move(disk) : std::shared_ptr<storage::store>(storage::make_memory_store())) {
    start();
  }
  ~stepped_node() { stop(); }

  void start() {
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
    node_ = std::make_unique<actors::node>(parts, settings_);
    node_->start();
  }
  void stop() {
    if (!node_) return;
    node_->stop();
    node_.reset();
  }
  /// As if the process had been killed: what is not committed is gone.
  void crash() {
    stop();
    failed_with.clear();
    start();
  }

  actors::node& node() { return *node_; }
  virtual_clock& clock() { return clock_; }

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
  /// Time passes for the actors, but the disk stands still.
  void advance_without_disk(std::chrono::milliseconds d) {
    for (auto left = d; left.count() > 0; left -= std::chrono::milliseconds(1)) {
      clock_.advance(std::chrono::milliseconds(1));
      coordinator().advance_time(std::chrono::milliseconds(1));
      run_actors();
    }
  }
  /// The process is gone and another store is found in its place (the same disk behind it).
  void crash_onto(std::shared_ptr<storage::store> disk) {
    stop();
    disk_ = std::move(disk);
    failed_with.clear();
    start();
  }
  /// Time passes, in small steps, and everything that comes due is done.
  void advance(std::chrono::milliseconds d) {
    for (auto left = d; left.count() > 0; left -= std::chrono::milliseconds(1)) {
      clock_.advance(std::chrono::milliseconds(1));
      coordinator().advance_time(std::chrono::milliseconds(1));
      settle();
    }
  }

  struct pending {
    std::optional<command_answer> answer;  // the first one
    int answers = 0;                       // checked by whoever waits: nothing may be thrown from within an answer
    bool done() const { return answer.has_value(); }
    bool ok() const { return done() && !answer->refused; }
  };
  /// Sends without stepping.
  template <record Command>
  std::shared_ptr<pending> send(std::string_view context, std::optional<std::uint64_t> id, Command c,
                                std::optional<idempotency_key> key = {}, std::optional<std::uint64_t> version = {},
                                std::chrono::milliseconds time_limit = std::chrono::milliseconds(5000)) {
    auto p = std::make_shared<pending>();
    command_request r;
    r.context = system_.context_named(context).index;
    r.id = id;
    r.command = value::of(std::move(c));
    r.idempotency = key;
    r.expected_version = version;
    r.time_limit = time_limit;
    node_->ask(std::move(r), [p](command_answer a) {
      if (++p->answers == 1) p->answer = std::move(a);
    });
    return p;
  }
  /// Sends and settles; the answer must be there.
  template <record Command>
  command_answer ask(std::string_view context, std::optional<std::uint64_t> id, Command c, std::optional<idempotency_key> key = {}) {
    const auto p = send(context, id, std::move(c), key);
    settle();
    REQUIRE(p->answers == 1);
    return *p->answer;
  }

  template <record Row>
  std::optional<Row> row(std::string_view context, std::uint64_t id) {
    const auto found = node_->get({false, system_.context_named(context).index}, id);
    return found ? std::optional<Row>(*found->row.as<Row>()) : std::nullopt;
  }
  template <record Row>
  std::optional<Row> view_row(std::uint16_t view, std::uint64_t id) {
    const auto found = node_->get({true, view}, id);
    return found ? std::optional<Row>(*found->row.as<Row>()) : std::nullopt;
  }
  std::vector<std::string> event_names() {
    std::vector<std::string> names;
    event_query q;
    q.limit = 10000;
    for (const auto& e : node_->events(q).events) names.emplace_back(e.event.type().name);
    return names;
  }
  void switch_context(std::string_view name, bool running) {
    const auto switched = std::make_shared<bool>(false);  // told later than this call lasts, where a test fails
    node_->switch_context(name, running, [switched](std::optional<rejection> why) { *switched = !why; });
    settle();
    for (int i = 0; i < 100 && !*switched; ++i) advance(std::chrono::milliseconds(1));
    REQUIRE(*switched);
  }
  std::uint64_t rows_in(storage::table t) { return disk_->read()->count(t); }

  std::shared_ptr<storage::store> disk() const { return disk_; }
  const system_declaration& system() const { return system_; }
  actors::services& shared() { return *node_->inside().shared; }
  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(node_->inside().actors->scheduler());
  }

  std::shared_ptr<recording_sink> sink = std::make_shared<recording_sink>();
  std::string failed_with;
  telemetry::trace_settings trace_settings{16000, 0, 0};  ///< from the next start on

 private:
  system_declaration system_;
  actors::runtime_settings settings_;
  std::shared_ptr<storage::store> disk_;
  virtual_clock clock_;
  std::unique_ptr<telemetry::metrics> metrics_;
  std::unique_ptr<telemetry::trace_ring> traces_;
  std::unique_ptr<actors::node> node_;
};

}  // namespace crema::testing
