#include "actors/context_supervisor.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "actors/bulkhead.hpp"
#include "actors/partition_supervisor.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {
struct look_whether_open {};
constexpr milliseconds look_every{2};
constexpr std::size_t gate_child = 0;
}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::look_whether_open)

namespace crema::actors {

context_supervisor::context_supervisor(caf::actor_config& cfg, services& node, const context_declaration& context,
                                       std::shared_ptr<notification_sink> sink, bool running)
    : supervisor(cfg, node, context.name + "/"), context_(context), sink_(std::move(sink)), running_(running) {}

// one_for_one: each partition writes under its own fence and wakes from disk, the gate answers its callers as it ends, projector and
// notifier read on from where they had come. None holds anything that another would have to forget with it.
caf::behavior context_supervisor::make_behavior() {
  supervise(strategy::one_for_one, children_of_context());
  start(gate_child);
  if (running_) start_context();
  return caf::message_handler{[this](const switch_request& r) { switch_to(r); },
                              [this](look_whether_open) {
                                if (!running_ || is_stopping()) return;
                                if (node_.contexts[context_.index].lanes_closed.load() > 0)
                                  delayed_send(this, look_every, look_whether_open{});
                                else
                                  finish_switch();
                              }}
      .or_else(supervising());
}

std::vector<supervisor::child> context_supervisor::children_of_context() {
  std::vector<child> all;
  const auto add = [&](role is, std::uint16_t partition, std::string name) {
    parts_.push_back({is, partition});
    all.push_back({std::move(name)});
  };
  const auto owned = [&](const auto& d) { return d.context == context_.index; };
  add(role::gate, 0, "bulkhead");
  if (context_.state != nullptr)
    for (std::uint16_t p = 0; p < node_.settings.partitions; ++p) add(role::partition, p, "partition-" + std::to_string(p));
  if (std::any_of(node_.system.views.begin(), node_.system.views.end(), owned)) add(role::projector, storage::view_partition, "projector");
  if (std::any_of(node_.system.notifications.begin(), node_.system.notifications.end(), owned))
    add(role::notifier, storage::notification_partition, "notifier");
  return all;
}

void context_supervisor::on_exit() {
  node_.contexts[context_.index].running = false;
  for (std::size_t i = 0; i < parts_.size(); ++i) fence_off(i);
  supervisor::on_exit();
  finish_switch();
}

// Whoever is left of it can write no more; what is under way comes back and is refused or waits on disk.
void context_supervisor::fence_off(std::size_t i) {
  let_go(i);
  if (parts_[i].is != role::gate) node_.log.set_epoch({context_.index, parts_[i].partition}, node_.random.next());
}

handle_slot* context_supervisor::slot_of(std::size_t i) {
  switch (parts_[i].is) {
    case role::gate: return &node_.gate(context_.index);
    case role::partition: return &node_.partition({context_.index, parts_[i].partition});
    case role::notifier: return &node_.notifier(context_.index);
    case role::projector: return nullptr;
  }
  return nullptr;
}

void context_supervisor::let_go(std::size_t i) {
  if (auto* slot = slot_of(i)) slot->set({});
}

caf::actor context_supervisor::spawn_child(std::size_t i) {
  const fence guard{{context_.index, parts_[i].partition}, node_.random.next()};
  if (parts_[i].is != role::gate) node_.log.set_epoch(guard.where, guard.epoch);
  caf::actor handle;
  switch (parts_[i].is) {
    case role::gate: handle = spawn<bulkhead, caf::monitored>(node_, context_); break;
    case role::partition: handle = spawn<partition_supervisor, caf::monitored>(node_, context_, guard); break;
    case role::projector: handle = spawn<projector, caf::monitored>(node_, context_, guard.epoch, projection_failures_); break;
    case role::notifier: handle = spawn<notifier, caf::monitored>(node_, context_, guard.epoch, sink_); break;
  }
  if (auto* slot = slot_of(i)) slot->set(handle);
  return handle;
}

// A view that throws is the view's matter: tried poison_attempts times for each event, and never the end of its context.
ending context_supervisor::judge(std::size_t i, const caf::error& reason) const {
  if (parts_[i].is == role::projector && reason == caf::sec::runtime_error) return ending::isolated;
  return supervisor::judge(i, reason);
}

// ---- starting and stopping the context

void context_supervisor::switch_to(const switch_request& r) {
  switched_.push_back(r.done);
  if (r.running == running_ && !is_stopping()) {
    finish_switch();
    return;
  }
  running_ = r.running;
  if (is_stopping()) return;  // its children are on their way out already
  if (running_)
    start_context();
  else
    stop_context();
}

void context_supervisor::start_context() {
  for (std::size_t i = 0; i < children().size(); ++i)
    if (!children()[i].handle) start(i);
  node_.contexts[context_.index].running = node_.contexts[context_.index].has_run = true;
  telemetry::log(telemetry::level::info, "a context started", {{"context", context_.name}});
  delayed_send(this, look_every, look_whether_open{});
}

// In reverse order of their start; the gate stays and refuses at once.
void context_supervisor::stop_context() {
  node_.contexts[context_.index].running = false;
  for (auto i = children().size(); i-- > 0;) {
    if (i == gate_child) continue;
    fence_off(i);
    stop(i);
  }
  if (!is_stopping()) finish_switch();
}

void context_supervisor::all_stopped() {
  telemetry::log(telemetry::level::info, "a context stopped", {{"context", context_.name}});
  if (running_)
    start_context();
  else
    finish_switch();
}

void context_supervisor::finish_switch() {
  auto waiting = std::move(switched_);
  switched_.clear();
  for (const auto& tell : waiting)
    if (tell) tell();
}

}  // namespace crema::actors
