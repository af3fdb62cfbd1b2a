#include "actors/root_supervisor.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "actors/fault_keeper.hpp"
#include "actors/housekeeper.hpp"
#include "actors/timers.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {
struct restart_context {
  std::size_t index = 0;
};
}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::restart_context)

namespace crema::actors {

root_supervisor::root_supervisor(caf::actor_config& cfg, services& node, std::shared_ptr<notification_sink> sink,
                                 std::function<void(const std::string&)> give_up)
    : base_actor(cfg), node_(node), sink_(std::move(sink)), give_up_(std::move(give_up)), policy_(node.settings) {}

caf::behavior root_supervisor::make_behavior() {
  set_down_handler([this](caf::down_msg& m) { on_down(m); });
  for (const auto& c : node_.system.contexts) children_.push_back({c.name, {}, true, 0});
  children_.push_back({"timers", {}, true, 0});
  children_.push_back({"housekeeper", {}, true, 0});
  if (node_.settings.faults_enabled) children_.push_back({"faults", {}, true, 0});
  for (std::size_t i = 0; i < children_.size(); ++i) start_child(i);
  return {
      [this](context_switch& m) {
        auto& c = children_[m.context];
        c.wanted = m.request.running;
        if (c.handle)
          send(c.handle, std::move(m.request));
        else if (m.request.done)
          m.request.done();
      },
      [this](restart_context m) {
        if (!children_[m.index].handle) start_child(m.index);
      },
      [this](faults_changed) { on_faults_changed(); },
  };
}

void root_supervisor::on_exit() {
  node_.timer.set({});
  for (auto c = children_.rbegin(); c != children_.rend(); ++c)
    if (c->handle) anon_send_exit(c->handle, caf::exit_reason::kill);
  children_.clear();
  if (!node_.closing) give_up_("the root supervisor ended");
}

void root_supervisor::start_child(std::size_t index) {
  auto& c = children_[index];
  if (index < node_.system.contexts.size()) {
    c.handle = spawn<context_supervisor, caf::monitored>(node_, node_.system.contexts[index], sink_, c.wanted);
  } else if (index == node_.system.contexts.size()) {
    c.handle = spawn<timer_service, caf::monitored>(node_);
    node_.timer.set(c.handle);
  } else if (index == node_.system.contexts.size() + 1) {
    c.handle = spawn<housekeeper, caf::monitored>(node_);
  } else {
    c.handle = spawn<fault_keeper, caf::monitored>(node_);
    node_.fault_keeper.set(c.handle);
  }
  node_.board.show(c.name, {"running", c.restarts, {}});
  strike(c);
}

// An injected crash kills whom it names now, and again whenever it runs, as often as it may.
void root_supervisor::strike(const child& c) {
  if (!node_.faults.watching() || !c.handle) return;
  const bool is_context = node_.system.find_context(c.name) != nullptr;
  if (node_.faults.at_child(is_context ? c.name + "/supervisor" : c.name, node_.time.steady_ms()))
    anon_send_exit(c.handle, caf::exit_reason::kill);
}

void root_supervisor::on_faults_changed() {
  if (const auto keeper = node_.fault_keeper.get()) send(keeper, faults_changed{});
  for (const auto& c : children_) strike(c);
  for (std::size_t i = 0; i < node_.system.contexts.size(); ++i)
    if (children_[i].handle) send(children_[i].handle, faults_changed{});
  if (node_.faults.at_child("root", node_.time.steady_ms())) quit(caf::exit_reason::kill);
}

void root_supervisor::on_down(const caf::down_msg& m) {
  if (node_.closing) return;
  const auto at =
      std::find_if(children_.begin(), children_.end(), [&](const child& c) { return c.handle && c.handle.address() == m.source; });
  if (at == children_.end()) return;
  at->handle = nullptr;
  ++at->restarts;
  node_.board.show(at->name, {"restarting", at->restarts, to_string(m.reason)});
  const auto wait = policy_.on_failure(node_.time.steady_ms(), node_.random.next());
  if (!wait) {
    give_up_("'" + at->name + "' failed more often than runtime.restartIntensity allows");
    return;
  }
  telemetry::log(telemetry::level::warn, "a context is restarted as a whole", {{"context", at->name}, {"reason", to_string(m.reason)}});
  delayed_send(this, *wait, restart_context{static_cast<std::size_t>(at - children_.begin())});
}

}  // namespace crema::actors
