// One context's part of the supervision tree: its gate, its partitions, its projector and its notifier. Starts and stops the context.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/notifier.hpp"
#include "actors/projector.hpp"
#include "actors/supervisor.hpp"

namespace crema::actors {

/// Start or stop; `done` is called when the context takes messages, or when nothing of it runs any more.
struct switch_request {
  bool running = false;
  std::function<void()> done;
};

class context_supervisor : public supervisor {
 public:
  context_supervisor(caf::actor_config& cfg, services& node, const context_declaration& context, std::shared_ptr<notification_sink> sink,
                     bool running);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.context"; }

 private:
  enum class role : std::uint8_t { gate, partition, projector, notifier };
  struct part {
    role is = role::partition;
    std::uint16_t partition = 0;
  };

  std::vector<child> children_of_context();
  caf::actor spawn_child(std::size_t i) override;
  void let_go(std::size_t i) override;
  bool may_start(std::size_t i) const override { return parts_[i].is == role::gate || (running_ && !is_stopping()); }
  ending judge(std::size_t i, const caf::error& reason) const override;
  void count_failure(std::size_t) override { ++node_.contexts[context_.index].restarts; }
  void all_stopped() override;

  void switch_to(const switch_request& r);
  void start_context();
  void stop_context();
  void finish_switch();
  void fence_off(std::size_t i);
  handle_slot* slot_of(std::size_t i);

  const context_declaration& context_;
  std::shared_ptr<notification_sink> sink_;
  std::shared_ptr<projection_failures> projection_failures_ = std::make_shared<projection_failures>();
  std::vector<part> parts_;  // by child
  bool running_;
  std::vector<std::function<void()>> switched_;
};

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::switch_request)
