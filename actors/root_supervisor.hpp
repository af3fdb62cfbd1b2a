// The root of the tree: one supervisor a context, the timers and the housekeeper. What exceeds its intensity ends the node, which then
// recovers from what is on disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>
#include "actors/base_actor.hpp"

#include "actors/context_supervisor.hpp"
#include "actors/services.hpp"

namespace crema::actors {

/// Start or stop one context.
struct context_switch {
  std::uint16_t context = 0;
  switch_request request;
};

class root_supervisor : public base_actor {
 public:
  root_supervisor(caf::actor_config& cfg, services& node, std::shared_ptr<notification_sink> sink,
                  std::function<void(const std::string&)> give_up);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "crema.root"; }

 private:
  struct child {
    std::string name;
    caf::actor handle;
    bool wanted = true;  // a context: is it to run after a restart?
    std::uint64_t restarts = 0;
  };
  void start_child(std::size_t index);
  void on_down(const caf::down_msg& m);
  void strike(const child& c);
  void on_faults_changed();

  services& node_;
  std::shared_ptr<notification_sink> sink_;
  std::function<void(const std::string&)> give_up_;
  restart_policy policy_;
  std::vector<child> children_;  // contexts by index, then the timers and the housekeeper
};

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::context_switch)
