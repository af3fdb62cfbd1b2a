#include "actors/timers.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "storage/layout.hpp"

namespace crema::actors {

namespace {
constexpr std::int64_t look_again_ms = 60000;  // a jump of the wall clock is noticed after this at the latest
struct look {};
struct timers_on_disk {
  std::uint64_t up_to = 0;
};
}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::look)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::timers_on_disk)

namespace crema::actors {

timer_service::timer_service(caf::actor_config& cfg, services& node) : base_actor(cfg), node_(node) {}

caf::behavior timer_service::make_behavior() {
  // Behind a round of the journal: what a predecessor fired last is gone from disk by then, and what was set is there. In the directory
  // before that round is queued, so that what is set behind it comes as a message.
  const auto self = caf::actor_cast<caf::actor>(this);
  node_.timer.set(self);
  append_request barrier;
  barrier.outputs.push_back([self, this_node = &node_] { caf::anon_send(self, timers_on_disk{this_node->log.durable() - 1}); });
  (void)node_.log.append(std::move(barrier));
  return {
      [this](timers_on_disk m) {
        loaded_ = true;
        read_up_to_ = m.up_to;
        std::erase_if(due_, [&](const auto& entry) { return entry.first.second.sequence <= read_up_to_; });
        load();
        fire_due();
      },
      [this](const stored_message_ptr& m) {
        if (loaded_ && m->ref.id.sequence <= read_up_to_) return;
        add(m);
        if (loaded_) fire_due();
      },
      [this](look) {
        armed_for_ms_ = 0;
        fire_due();
      },
  };
}

void timer_service::load() {
  const auto now = node_.store.read();
  const auto at = now->open(storage::table::timers);
  for (bool there = at->seek({}); there; there = at->next()) {
    wire::reader in(at->value());
    (void)in.byte();
    auto m = std::make_shared<storage::stored_message>(storage::decode_message(in, node_.types));
    if (m->ref.id.sequence <= read_up_to_) add(std::move(m));
  }
}

void timer_service::add(stored_message_ptr m) {
  const auto key = std::make_pair(m->due_ms, m->ref.id);
  due_[key] = std::move(m);
}

void timer_service::fire_due() {
  const auto now = node_.time.wall().ms;
  while (!due_.empty() && due_.begin()->first.first <= now) {
    const auto m = due_.begin()->second;
    due_.erase(due_.begin());
    storage::journal_record r;
    r.partition = m->ref.where.partition;
    r.at = node_.time.wall();
    r.subject = m->to;
    r.causation = m->causation;
    r.correlation = m->correlation;
    r.trace = m->trace;
    r.compensating = m->compensating;
    r.fired.emplace_back(m->due_ms, m->ref.id);
    r.messages.push_back(*m);
    r.messages.back().due_ms = 0;
    append_request request;
    request.record = std::make_shared<storage::journal_record>(std::move(r));
    const auto written = node_.log.append(std::move(request));
    if (!written) return;
    --node_.contexts[m->to.context].outbox;  // dispatch counts it again, under its new name
    if (m->compensating) {
      --node_.compensations;
      node_.undos.leave(m->ref);
    }
    node_.dispatch(written->messages.front());
  }
  arm();
}

void timer_service::arm() {
  if (due_.empty()) return;
  const auto next = due_.begin()->first.first;
  if (armed_for_ms_ != 0 && armed_for_ms_ <= next) return;
  const auto wait = std::clamp<std::int64_t>(next - node_.time.wall().ms, 1, look_again_ms);
  armed_for_ms_ = node_.time.wall().ms + wait;
  delayed_send(this, milliseconds(wait), look{});
}

}  // namespace crema::actors
