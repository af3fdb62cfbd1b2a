// One node: a system's actors on a store, behind the front-door port. Start here to see how the parts come together.
//
// start() recovers and returns; ready() turns true when half-finished chains are settled and every running context takes messages.
// stop() lets nothing more in, writes what is queued and ends all actors. Used by main.cpp and by tests.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <functional>
#include <memory>
#include <string>

#include "actors/clock.hpp"
#include "actors/settings.hpp"
#include "behaviors/core/front_door.hpp"
#include "behaviors/core/notification_sink.hpp"
#include "storage/commit_fault.hpp"
#include "storage/store.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace.hpp"

namespace crema::actors {

/// What a node is made of; all of it outlives the node.
struct node_parts {
  const system_declaration* system = nullptr;
  storage::store* store = nullptr;
  const clock* time = nullptr;
  telemetry::metrics* metrics = nullptr;
  telemetry::trace_ring* traces = nullptr;
  std::shared_ptr<notification_sink> sink;
  /// Told once, from any thread, when the node cannot go on (a failed write, the root's restart intensity).
  std::function<void(const std::string& why)> on_failure;
  /// Where faults are enabled: tells `store` whom to ask before a commit ({}: nobody), and kills this process.
  std::function<void(storage::commit_adviser)> advise_store;
  std::function<void()> kill_process;
  /// Set: virtual time. Actors and journal have no threads of their own; this runs every actor that can run.
  std::function<void(caf::actor_system&)> by_hand;
};

class node final : public front_door {
 public:
  node(node_parts parts, runtime_settings settings);
  ~node() override;

  /// Checks the format, recovers, starts the actors. Throws storage::storage_error.
  void start();
  void stop();
  /// Backups under way end soon, refused, and leave nothing: before a stop waits for what is under way.
  void cancel_backups();

  // front_door
  const system_declaration& system() const noexcept override;
  void ask(command_request request, answer_handler on_answer) override;
  std::optional<stored_row> get(collection_ref from, std::uint64_t id) const override;
  result<page> list(collection_ref from, const page_request& request) const override;
  result<page> find(collection_ref from, const finder_declaration& finder, const std::vector<scalar>& arguments,
                    const page_request& request) const override;
  event_page events(const event_query& query) const override;
  std::string_view history() const noexcept override;
  std::uint64_t next_offset() const override;
  std::unique_ptr<subscription> subscribe(std::function<void()> wake) override;
  bool ready() const noexcept override;
  bool live() const noexcept override;
  nlohmann::json health() const override;
  nlohmann::json circuit_breakers() const override;
  nlohmann::json supervisors() const override;
  nlohmann::json traces(std::string_view trace_id) const override;
  nlohmann::json causal_tree(std::uint16_t context, std::uint64_t id) const override;
  std::string metrics() const override;
  nlohmann::json contexts() const override;
  void switch_context(std::string_view name, bool running, std::function<void(std::optional<rejection>)> done) override;
  nlohmann::json dead_letters() const override;
  void settle_dead_letter(std::uint64_t id, bool replay, std::function<void(std::optional<rejection>)> done) override;
  nlohmann::json faults() const override;
  result<nlohmann::json> add_fault(const nlohmann::json& fields) override;
  std::size_t remove_faults(std::optional<std::uint64_t> id) override;
  void backup(const std::string& directory, std::function<void(std::optional<rejection>)> done) override;

  /// For tests that step by hand.
  struct parts;
  parts& inside() noexcept { return *parts_; }

 private:
  std::unique_ptr<parts> parts_;
};

}  // namespace crema::actors
