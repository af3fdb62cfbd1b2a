#include "actors/context_supervisor.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <limits>

#include "actors/bulkhead.hpp"
#include "actors/fault_keeper.hpp"
#include "actors/partition_supervisor.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {
struct restart_child {
  std::size_t index = 0;
};
struct look_whether_open {};
constexpr milliseconds look_every{2};
}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::restart_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::look_whether_open)

namespace crema::actors {

context_supervisor::context_supervisor(caf::actor_config& cfg, services& node, const context_declaration& context,
                                       std::shared_ptr<notification_sink> sink, bool running)
    : base_actor(cfg),
      node_(node),
      context_(context),
      sink_(std::move(sink)),
      policy_(node.settings),
      view_policy_(std::numeric_limits<std::uint32_t>::max(), node.settings.restart_period, node.settings.backoff_min,
                   node.settings.backoff_max),
      running_(running) {}

caf::behavior context_supervisor::make_behavior() {
  children_.push_back({role::gate, 0, {}, 0, {}});
  if (context_.state != nullptr)
    for (std::uint16_t p = 0; p < node_.settings.partitions; ++p) children_.push_back({role::partition, p, {}, 0, {}});
  const auto owned = [&](const auto& d) { return d.context == context_.index; };
  if (std::any_of(node_.system.views.begin(), node_.system.views.end(), owned))
    children_.push_back({role::projector, storage::view_partition, {}, 0, {}});
  if (std::any_of(node_.system.notifications.begin(), node_.system.notifications.end(), owned))
    children_.push_back({role::notifier, storage::notification_partition, {}, 0, {}});

  set_down_handler([this](caf::down_msg& m) { on_down(m); });
  start_child(children_.front());
  if (running_) start_context();
  return {
      [this](const switch_request& r) {
        switched_.push_back(r.done);
        if (r.running == running_ && stopping_ == 0) {
          finish_switch();
          return;
        }
        running_ = r.running;
        if (r.running && stopping_ == 0) start_context();
        if (!r.running && stopping_ == 0) stop_context();  // else its children are on their way out already
      },
      [this](restart_child m) {
        auto& c = children_[m.index];
        if (!c.handle && ((running_ && stopping_ == 0) || c.is == role::gate)) start_child(c);
      },
      [this](look_whether_open) {
        if (!running_ || stopping_ > 0) return;
        if (node_.contexts[context_.index].lanes_closed.load() > 0)
          delayed_send(this, look_every, look_whether_open{});
        else
          finish_switch();
      },
      [this](faults_changed) {
        for (const auto& c : children_) strike(c);
      },
  };
}

// As the root does with its own.
void context_supervisor::strike(const child& c) {
  if (!node_.faults.watching() || !c.handle) return;
  if (node_.faults.at_child(context_.name + "/" + name_of(c), node_.time.steady_ms())) anon_send_exit(c.handle, caf::exit_reason::kill);
}

void context_supervisor::on_exit() {
  node_.contexts[context_.index].running = false;
  for (auto& c : children_) {
    if (auto* slot = slot_of(c)) slot->set({});
    if (c.handle) anon_send_exit(c.handle, caf::exit_reason::kill);
    // Whoever is left of them can write no more.
    if (c.is != role::gate) node_.log.set_epoch({context_.index, c.partition}, node_.random.next());
  }
  children_.clear();
  finish_switch();
}

handle_slot* context_supervisor::slot_of(const child& c) {
  switch (c.is) {
    case role::gate: return &node_.gate(context_.index);
    case role::partition: return &node_.partition({context_.index, c.partition});
    case role::notifier: return &node_.notifier(context_.index);
    case role::projector: return nullptr;
  }
  return nullptr;
}

std::string context_supervisor::name_of(const child& c) const {
  switch (c.is) {
    case role::gate: return "bulkhead";
    case role::partition: return "partition-" + std::to_string(c.partition);
    case role::projector: return "projector";
    case role::notifier: return "notifier";
  }
  return {};
}

void context_supervisor::start_child(child& c) {
  const fence guard{{context_.index, c.partition}, node_.random.next()};
  if (c.is != role::gate) node_.log.set_epoch(guard.where, guard.epoch);
  switch (c.is) {
    case role::gate: c.handle = spawn<bulkhead, caf::monitored>(node_, context_); break;
    case role::partition: c.handle = spawn<partition_supervisor, caf::monitored>(node_, context_, guard); break;
    case role::projector: c.handle = spawn<projector, caf::monitored>(node_, context_, guard.epoch, projection_failures_); break;
    case role::notifier: c.handle = spawn<notifier, caf::monitored>(node_, context_, guard.epoch, sink_); break;
  }
  if (auto* slot = slot_of(c)) slot->set(c.handle);
  show(c, "running");
  strike(c);
}

void context_supervisor::show(const child& c, std::string_view state) {
  node_.board.show(context_.name + "/" + name_of(c), {std::string(state), c.restarts, c.last_failure});
}

void context_supervisor::start_context() {
  auto& status = node_.contexts[context_.index];
  for (auto& c : children_)
    if (!c.handle) start_child(c);
  status.running = true;
  telemetry::log(telemetry::level::info, "a context started", {{"context", context_.name}});
  delayed_send(this, look_every, look_whether_open{});
}

// In reverse order of their start; the gate stays and refuses at once.
void context_supervisor::stop_context() {
  node_.contexts[context_.index].running = false;
  for (auto c = children_.rbegin(); c != children_.rend(); ++c) {
    if (c->is == role::gate) continue;
    if (auto* slot = slot_of(*c)) slot->set({});
    // From here on nothing of it is recorded; what is under way comes back and is refused or waits on disk.
    node_.log.set_epoch({context_.index, c->partition}, node_.random.next());
    show(*c, "stopped");
    if (!c->handle) continue;
    ++stopping_;
    anon_send_exit(c->handle, caf::exit_reason::user_shutdown);
  }
  if (stopping_ == 0) finish_switch();
}

void context_supervisor::on_down(const caf::down_msg& m) {
  if (node_.closing) return;
  const auto at =
      std::find_if(children_.begin(), children_.end(), [&](const child& c) { return c.handle && c.handle.address() == m.source; });
  if (at == children_.end()) return;
  if (auto* slot = slot_of(*at)) slot->set({});
  at->handle = nullptr;
  if (stopping_ > 0 && at->is != role::gate) {
    if (--stopping_ > 0) return;
    telemetry::log(telemetry::level::info, "a context stopped", {{"context", context_.name}});
    if (running_)
      start_context();
    else
      finish_switch();
    return;
  }
  ++at->restarts;
  ++node_.contexts[context_.index].restarts;
  at->last_failure = to_string(m.reason);
  show(*at, "restarting");
  telemetry::log(telemetry::level::warn, "a supervised actor ended and is restarted",
                 {{"context", context_.name}, {"child", name_of(*at)}, {"reason", at->last_failure}});
  // A view that throws is the view's matter: tried poison_attempts times for each event, and never the end of its context.
  const bool view_failed = at->is == role::projector && m.reason == caf::sec::runtime_error;
  const auto wait = view_failed ? view_policy_.on_failure(node_.time.steady_ms(), node_.random.next())
                                : policy_.on_failure(node_.time.steady_ms(), node_.random.next());
  if (!wait) {
    telemetry::log(telemetry::level::error, "too many restarts; the failure goes up the tree", {{"context", context_.name}});
    quit(caf::exit_reason::unhandled_exception);
    return;
  }
  delayed_send(this, *wait, restart_child{static_cast<std::size_t>(at - children_.begin())});
}

void context_supervisor::finish_switch() {
  auto waiting = std::move(switched_);
  switched_.clear();
  for (const auto& tell : waiting)
    if (tell) tell();
}

}  // namespace crema::actors
