// One context's part of the supervision tree: its gate, its partitions, its projector and its notifier, each restarted on its own
// (one_for_one) with a back-off; more failures than the intensity allows are escalated to the root. Starts and stops the context.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "actors/base_actor.hpp"

#include "actors/notifier.hpp"
#include "actors/projector.hpp"
#include "actors/services.hpp"
#include "actors/supervision.hpp"

namespace crema::actors {

/// Start or stop; `done` is called when the context takes messages, or when nothing of it runs any more.
struct switch_request {
  bool running = false;
  std::function<void()> done;
};
class context_supervisor : public base_actor {
 public:
  context_supervisor(caf::actor_config& cfg, services& node, const context_declaration& context, std::shared_ptr<notification_sink> sink,
                     bool running);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.context"; }

 private:
  enum class role : std::uint8_t { gate, partition, projector, notifier };
  struct child {
    role is = role::partition;
    std::uint16_t partition = 0;
    caf::actor handle;
    std::uint64_t restarts = 0;
    std::string last_failure;
  };

  void start_child(child& c);
  void start_context();
  void stop_context();
  void on_down(const caf::down_msg& m);
  void finish_switch();
  handle_slot* slot_of(const child& c);
  std::string name_of(const child& c) const;
  void show(const child& c, std::string_view state);
  void strike(const child& c);

  services& node_;
  const context_declaration& context_;
  std::shared_ptr<notification_sink> sink_;
  std::shared_ptr<projection_failures> projection_failures_ = std::make_shared<projection_failures>();
  restart_policy policy_, view_policy_;
  std::vector<child> children_;
  bool running_;
  std::size_t stopping_ = 0;  // children whose end is awaited
  std::vector<std::function<void()>> switched_;
};

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::switch_request)
