#include "actors/root_supervisor.hpp"

#include <caf/send.hpp>

#include "actors/fault_keeper.hpp"
#include "actors/housekeeper.hpp"
#include "actors/timers.hpp"

namespace crema::actors {

namespace {
constexpr const char *timers = "timers", *keeper_of_house = "housekeeper", *keeper_of_faults = "faults";
}

root_supervisor::root_supervisor(caf::actor_config& cfg, services& node, std::shared_ptr<notification_sink> sink,
                                 std::function<void(const std::string&)> give_up)
    : supervisor(cfg, node, ""), sink_(std::move(sink)), give_up_(std::move(give_up)), wanted_(node.system.contexts.size(), true) {}

// one_for_one: contexts share no memory, and what they owe each other waits in the outbox, so that one's failure is no reason to end
// another. All of them are permanent: none has an end of its own.
caf::behavior root_supervisor::make_behavior() {
  std::vector<child> all;
  for (const auto& c : node_.system.contexts) all.push_back({c.name});
  all.push_back({timers});
  all.push_back({keeper_of_house});
  if (node_.settings.faults_enabled) all.push_back({keeper_of_faults});
  const auto count = all.size();
  supervise(strategy::one_for_one, std::move(all));
  for (std::size_t i = 0; i < count; ++i) start(i);
  return caf::message_handler{[this](context_switch& m) {
                                wanted_[m.context] = m.request.running;
                                const auto& context = children()[m.context].handle;
                                if (context)
                                  send(context, std::move(m.request));
                                else if (m.request.done)
                                  m.request.done();
                              },
                              [this](faults_changed) { tell_of_faults(); }}
      .or_else(supervising());
}

void root_supervisor::on_exit() {
  supervisor::on_exit();
  if (!node_.closing) give_up_("the root supervisor ended");
}

caf::actor root_supervisor::spawn_child(std::size_t i) {
  if (is_context(i)) return spawn<context_supervisor, caf::monitored>(node_, node_.system.contexts[i], sink_, wanted_[i]);
  if (children()[i].name == timers) {
    auto handle = spawn<timer_service, caf::monitored>(node_);
    node_.timer.set(handle);
    return handle;
  }
  if (children()[i].name == keeper_of_house) return spawn<housekeeper, caf::monitored>(node_);
  auto handle = spawn<fault_keeper, caf::monitored>(node_);
  node_.fault_keeper.set(handle);
  return handle;
}

void root_supervisor::let_go(std::size_t i) {
  if (children()[i].name == timers) node_.timer.set({});
  if (children()[i].name == keeper_of_faults) node_.fault_keeper.set({});
}

void root_supervisor::escalate(std::size_t i) {
  give_up_("'" + children()[i].name + "' failed more often than runtime.restartIntensity allows");
}

std::string root_supervisor::fault_target(std::size_t i) const {
  return is_context(i) ? children()[i].name + "/supervisor" : children()[i].name;
}

void root_supervisor::tell_of_faults() {
  if (const auto keeper = node_.fault_keeper.get()) send(keeper, faults_changed{});
  for (std::size_t i = 0; i < children().size(); ++i) {
    strike(i);
    if (is_context(i) && children()[i].handle) send(children()[i].handle, faults_changed{});
  }
  if (node_.faults.at_child("root", node_.time.steady_ms())) quit(caf::exit_reason::kill);
}

}  // namespace crema::actors
