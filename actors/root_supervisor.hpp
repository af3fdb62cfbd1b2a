// The root of the tree: one supervisor a context, the timers, the housekeeper and, where faults are enabled, their keeper. What exceeds
// its intensity ends the node, which then recovers from what is on disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/context_supervisor.hpp"
#include "actors/supervisor.hpp"

namespace crema::actors {

/// Start or stop one context.
struct context_switch {
  std::uint16_t context = 0;
  switch_request request;
};

class root_supervisor : public supervisor {
 public:
  root_supervisor(caf::actor_config& cfg, services& node, std::shared_ptr<notification_sink> sink,
                  std::function<void(const std::string&)> give_up);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.root"; }

 private:
  caf::actor spawn_child(std::size_t i) override;
  void let_go(std::size_t i) override;
  void escalate(std::size_t i) override;
  std::string fault_target(std::size_t i) const override;
  bool is_context(std::size_t i) const { return i < node_.system.contexts.size(); }
  void tell_of_faults();

  std::shared_ptr<notification_sink> sink_;
  std::function<void(const std::string&)> give_up_;
  std::vector<bool> wanted_;  // contexts: is it to run after a restart?
};

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::context_switch)
