#include "actors/notifier.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "actors/supervision.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {

constexpr std::size_t read_chunk = 1000;
constexpr std::size_t waiting_max = 10000;  // beyond it, notifications are let go from memory and read from disk later

struct lane_open {
  std::uint64_t sequence = 0;
};
struct posted {
  std::uint64_t number = 0;
  bool delivered = false;
};
struct try_again {
  std::uint64_t number = 0;
};
struct settled {};
struct on_disk_now {};

}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::lane_open)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::posted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::try_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::settled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::on_disk_now)

namespace crema::actors {

void log_sink::deliver(const std::string& id, const notification& n, std::function<void(bool)> done) {
  telemetry::log_notification(id, n.to, n.text);
  done(true);
}

notifier::notifier(caf::actor_config& cfg, services& node, const context_declaration& context, std::uint64_t epoch,
                   std::shared_ptr<notification_sink> sink)
    : base_actor(cfg),
      node_(node),
      context_(context),
      guard_{{context.index, storage::notification_partition}, epoch},
      sink_(std::move(sink)),
      inbox_(guard_.where, node.first_sequence),
      delivered_counter_(node.metrics.make_counter("crema_notifications_total", "Notifications by how a try ended",
                                                   {{"context", context.name}, {"result", "delivered"}})),
      failed_counter_(node.metrics.make_counter("crema_notifications_total", "Notifications by how a try ended",
                                                {{"context", context.name}, {"result", "failed"}})) {}

caf::behavior notifier::make_behavior() {
  node_.notifier(context_.index)
      .set(caf::actor_cast<caf::actor>(this));  // before the barrier is queued: what comes behind it finds somebody
  inbox_.open();
  pass_barrier();
  return {
      [this](const stored_message_ptr& m) { take(m); },
      [this](lane_open m) {
        inbox_.barrier_passed(m.sequence);
        read_on();
      },
      [this](posted m) { on_done(m.number, m.delivered); },
      [this](try_again m) {
        const auto at = in_flight_.find(m.number);
        if (at == in_flight_.end()) return;
        auto l = std::move(at->second);
        in_flight_.erase(at);
        post(std::move(l));
      },
      [this](settled) {
        settling_.clear();
        settle();
      },
      [this](on_disk_now) {
        waits_for_disk_ = false;
        send_waiting();
      },
  };
}

void notifier::on_exit() {
  kept_.clear();
  waiting_.clear();
  in_flight_.clear();
}

bool notifier::in_hand(const storage::outbox_ref& ref) const {
  const auto is_in = [&](const std::vector<storage::outbox_ref>& refs) { return std::find(refs.begin(), refs.end(), ref) != refs.end(); };
  return is_in(delivered_) || is_in(settling_) ||
         std::any_of(in_flight_.begin(), in_flight_.end(), [&](const auto& entry) { return entry.second.message->ref == ref; });
}

void notifier::pass_barrier() {
  append_request barrier;
  barrier.guard = guard_;
  const auto self = caf::actor_cast<caf::actor>(this);
  barrier.outputs.push_back([self, this_node = &node_] { caf::anon_send(self, lane_open{this_node->log.durable() - 1}); });
  (void)node_.log.append(std::move(barrier));
}

// Reads while there is room; what is delivered makes room for more.
void notifier::read_on() {
  while (inbox_.state() == inbox::phase::reading && waiting_.size() < read_chunk) {
    auto messages = inbox_.read(*node_.store.read(), node_.types, read_chunk);
    for (auto& m : messages)
      if (!in_hand(m.ref)) waiting_.push_back({std::make_shared<storage::stored_message>(std::move(m))});
    if (!messages.empty()) continue;
    if (inbox_.state() == inbox::phase::needs_barrier) {
      pass_barrier();
    } else {
      for (auto& m : kept_)
        if (!inbox_.was_read(m->ref)) waiting_.push_back({std::move(m)});
      kept_.clear();
    }
  }
  send_waiting();
}

void notifier::take(const stored_message_ptr& m) {
  if (inbox_.state() == inbox::phase::live && waiting_.size() >= waiting_max) {  // too far behind: back to reading from disk
    waiting_.clear();
    inbox_.open_again();
    pass_barrier();
  }
  switch (inbox_.judge(m->ref)) {
    case inbox::verdict::now: waiting_.push_back({m}); break;
    case inbox::verdict::never: return;
    case inbox::verdict::later:
      kept_.push_back(m);
      if (kept_.size() > waiting_max) {
        inbox_.overflow();
        kept_.clear();
      }
      return;
  }
  send_waiting();
}

void notifier::send_waiting() {
  while (!waiting_.empty() && in_flight_.size() < node_.settings.notify_concurrent_max) {
    if (waiting_.front().message->ref.id.sequence >= node_.log.durable()) {
      wait_for_disk();
      return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    post(std::move(next));
  }
}

// Nobody is told of what a crash could still undo.
void notifier::wait_for_disk() {
  if (waits_for_disk_) return;
  append_request barrier;
  barrier.lingers = true;
  barrier.guard = guard_;
  const auto self = caf::actor_cast<caf::actor>(this);
  barrier.outputs.push_back([self] { caf::anon_send(self, on_disk_now{}); });
  waits_for_disk_ = node_.log.append(std::move(barrier)) != nullptr;
}

void notifier::post(letter l) {
  const auto number = ++numbers_;
  const auto& id = l.message->ref.id;
  const auto* n = l.message->payload.as<notification>();
  l.began_us = node_.time.steady_us();
  in_flight_.emplace(number, l);
  const auto self = caf::actor_cast<caf::actor>(this);
  sink_->deliver(std::to_string(id.sequence) + "-" + std::to_string(id.index), *n, [self, number](bool delivered) {
    caf::anon_send(self, posted{number, delivered});
  });
}

void notifier::on_done(std::uint64_t number, bool delivered) {
  const auto at = in_flight_.find(number);
  if (at == in_flight_.end()) return;
  const auto& m = *at->second.message;
  auto own = m.trace;
  own.span_id = {};
  node_.record_span({"notify", m.payload.type().name, m.to.context, m.to.id, own, m.trace.span_id, at->second.began_us, 0, !delivered});
  if (delivered) {
    delivered_counter_.add();
    delivered_.push_back(at->second.message->ref);
    in_flight_.erase(at);
    settle();
    if (inbox_.state() == inbox::phase::reading) read_on();
    send_waiting();
    return;
  }
  failed_counter_.add();
  const auto wait =
      restart_policy::backoff(++at->second.tries, node_.settings.notify_retry_min, node_.settings.notify_retry_max, node_.random.next());
  delayed_send(this, wait, try_again{number});
}

// One record consumes all that were delivered since the last.
void notifier::settle() {
  if (!settling_.empty() || delivered_.empty()) return;
  storage::journal_record r;
  r.at = node_.time.wall();
  r.subject = {context_.index, 0, {}};
  r.consumed = settling_ = std::move(delivered_);
  delivered_.clear();
  append_request request;
  request.guard = guard_;
  request.record = std::make_shared<storage::journal_record>(std::move(r));
  request.lingers = true;
  const auto self = caf::actor_cast<caf::actor>(this);
  request.outputs.push_back([self] { caf::anon_send(self, settled{}); });
  if (!node_.log.append(std::move(request))) quit();
}

}  // namespace crema::actors
