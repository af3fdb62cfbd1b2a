#include "actors/timers.hpp"

#include <algorithm>

#include "storage/layout.hpp"

namespace crema::actors {

namespace {
constexpr std::int64_t look_again_ms = 60000;  // a jump of the wall clock is noticed after this at the latest
struct look {};
}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::look)

namespace crema::actors {

timer_service::timer_service(caf::actor_config& cfg, services& node) : base_actor(cfg), node_(node) {}

caf::behavior timer_service::make_behavior() {
  load();
  fire_due();
  return {
      [this](const stored_message_ptr& m) {
        add(m);
        fire_due();
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
    add(std::make_shared<storage::stored_message>(storage::decode_message(in, node_.types)));
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
    request.record = std::move(r);
    const auto written = node_.log.append(std::move(request));
    if (!written) return;
    --node_.contexts[m->to.context].outbox;  // dispatch counts it again, under its new name
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
