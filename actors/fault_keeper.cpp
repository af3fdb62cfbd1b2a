#include "actors/fault_keeper.hpp"

#include <caf/send.hpp>

namespace crema::actors {

namespace {
struct look_around {};
constexpr std::int64_t send_again_after_ms = 200;
constexpr milliseconds tick_busy{5}, tick_idle{100};

delivery_ptr copy_of(const delivery& d) {
  auto c = std::make_shared<delivery>();
  c->node = d.node;
  c->kind = d.kind;
  c->to = d.to;
  c->from = d.from;
  c->payload = d.payload;
  c->causation = d.causation;
  c->correlation = d.correlation;
  c->trace = d.trace;
  c->compensating = d.compensating;
  c->deadline_ms = d.deadline_ms;
  c->sent_us = d.sent_us;
  c->ask = d.ask;
  c->reply_to = d.reply_to;
  c->undo_command = d.undo_command;
  c->ref = d.ref;
  return c;
}
}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::look_around)

namespace crema::actors {

fault_keeper::fault_keeper(caf::actor_config& cfg, services& node) : base_actor(cfg), node_(node) {}

caf::behavior fault_keeper::make_behavior() {
  tick();
  return {
      [this](detoured& d) { take(std::move(d)); },
      [this](faults_changed) { look(); },
      [this](look_around) {
        ticking_ = false;
        look();
      },
  };
}

// From here on nothing takes the detour, and what is on it comes back, each pair's in its order.
void fault_keeper::on_exit() {
  node_.fault_keeper.set({});
  for (auto& [key, at] : lines_) {
    at.first = {};
    while (!at.behind.empty()) at.behind.pop_front();
  }
  lines_.clear();
  lost_.clear();
}

fault_keeper::pair_key fault_keeper::key_of(const delivery& d) {
  return {d.from.context, d.from.id, d.from.key, d.to.context, d.to.id, d.to.key};
}

void fault_keeper::take(detoured d) {
  const auto key = key_of(*d.what);
  if (const auto at = lines_.find(key); at != lines_.end()) {
    at->second.behind.push_back(std::move(d));
    return;
  }
  if (const auto slow_one = to_be_overtaken_.find(link_of(*d.what)); slow_one != to_be_overtaken_.end()) {
    const auto overtaken = lines_.find(slow_one->second);
    to_be_overtaken_.erase(slow_one);
    pass(std::move(d));
    if (overtaken != lines_.end()) go_on(overtaken);
    return;
  }
  line at;
  if (!held_up(d, at)) return;
  at.first = std::move(d);
  lines_.emplace(key, std::move(at));
  tick();
}

// Asks the board. False: it was passed on, or is lost.
bool fault_keeper::held_up(detoured& d, line& at) {
  const auto now = node_.time.steady_ms();
  const auto hit = node_.faults.at_link(d.what->from.context, d.what->to.context, now);
  if (!hit) {
    pass(std::move(d));
    return false;
  }
  node_.mark_fault(*d.what, d.what->trace, hit->fault);
  at.fault = hit->fault;
  at.dropped = false;
  at.due_ms = now + hit->delay_ms;
  switch (hit->kind) {
    case fault_kind::repeat: pass_twice(std::move(d)); return false;
    case fault_kind::drop:
      if (d.what->kind == delivery_kind::ask) {
        const auto deadline = d.what->deadline_ms;
        lost_.emplace(deadline, std::move(d));
        tick();
        return false;
      }
      at.dropped = true;
      at.due_ms = now + send_again_after_ms;
      return true;
    case fault_kind::reorder: to_be_overtaken_[link_of(*d.what)] = key_of(*d.what); return true;
    default: return true;
  }
}

// The first of a line goes on, and those behind it as far as nothing holds them up.
void fault_keeper::go_on(lines::iterator at) {
  auto& l = at->second;
  bool judged = !l.dropped;
  for (;;) {
    auto d = std::move(l.first);
    if (judged) {
      pass(std::move(d));
    } else if (held_up(d, l)) {
      l.first = std::move(d);
      return;
    }
    judged = false;
    if (l.behind.empty()) break;
    l.first = std::move(l.behind.front());
    l.behind.pop_front();
  }
  lines_.erase(at);
}

// The watch ends after the delivery is in its receiver's mailbox: who sends past the detour from then on is behind it.
void fault_keeper::pass(detoured d) { node_.hand_over(std::move(d.what)); }

void fault_keeper::pass_twice(detoured d) {
  auto again = copy_of(*d.what);
  ++node_.contexts[again->to.context].mailbox;
  d.what->may_come_twice = again->may_come_twice = true;
  node_.hand_over(std::move(d.what));
  node_.hand_over(std::move(again));
}

void fault_keeper::look() {
  const auto now = node_.time.steady_ms();
  node_.faults.expire(now);
  for (auto at = lines_.begin(); at != lines_.end();) {
    const auto next = std::next(at);
    const auto& l = at->second;
    if (l.due_ms <= now || !node_.faults.lasts(l.fault, now)) {
      const auto overtaken = to_be_overtaken_.find(link_of(*l.first.what));
      if (overtaken != to_be_overtaken_.end() && overtaken->second == at->first) to_be_overtaken_.erase(overtaken);
      go_on(at);
    }
    at = next;
  }
  while (!lost_.empty() && lost_.begin()->first <= now) {
    auto d = std::move(lost_.begin()->second);
    lost_.erase(lost_.begin());
    node_.refuse(*d.what,
                 {rejection_kind::timed_out, "The request to '" + node_.system.contexts[d.what->to.context].name + "' was lost.", {}, 0});
  }
  tick();
}

void fault_keeper::tick() {
  const bool busy = !lines_.empty() || !lost_.empty();
  if (ticking_ || (!busy && !node_.faults.next_end_ms())) return;
  ticking_ = true;
  delayed_send(this, busy ? tick_busy : tick_idle, look_around{});
}

}  // namespace crema::actors
