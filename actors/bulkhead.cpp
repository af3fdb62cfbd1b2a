#include "actors/bulkhead.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "telemetry/log.hpp"

namespace crema::actors {

namespace {
struct sweep_deadlines {};

ask_reply_ptr failure(std::uint64_t ask, rejection why) {
  auto r = std::make_shared<ask_reply>();
  r->ask = ask;
  r->refused = std::move(why);
  return r;
}
}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::sweep_deadlines)

namespace crema::actors {

bulkhead::bulkhead(caf::actor_config& cfg, services& node, const context_declaration& context)
    : base_actor(cfg),
      node_(node),
      context_(context),
      settings_(node.settings_of(context.index).bulkhead),
      breaker_(settings_),
      status_(node.contexts[context.index].bulkhead) {
  auto& m = node.metrics;
  const auto counted = [&](const char* result) {
    return m.make_counter("crema_bulkhead_calls_total", "Asks by how they ended", {{"context", context.name}, {"result", result}});
  };
  passed_counter_ = counted("answered");
  refused_counter_ = counted("refused");
  timed_out_counter_ = counted("timed_out");
  failed_counter_ = counted("failed");
}

caf::behavior bulkhead::make_behavior() {
  publish();  // what a predecessor showed last is over
  return {
      [this](delivery_ptr& d) { take(std::move(d)); },
      [this](const ask_reply_ptr& r) { on_reply(*r); },
      [this](sweep_deadlines) {
        armed_for_ms_.reset();
        sweep();
      },
  };
}

void bulkhead::on_exit() {
  for (auto& [number, c] : calls_)
    anon_send(c.asker, failure(c.ask, {rejection_kind::failed, "The gate of '" + context_.name + "' was restarted.", {}, 0}));
  calls_.clear();
  for (auto& d : waiting_) refuse(*d, "The gate of '" + context_.name + "' was restarted.", 1000);
  waiting_.clear();
}

void bulkhead::take(delivery_ptr d) {
  if (d->kind != delivery_kind::ask) {
    node_.deliver(std::move(d));
    return;
  }
  const auto now = node_.time.steady_ms();
  if (calls_.size() >= settings_.concurrent_max) {
    if (waiting_.size() >= settings_.queued_max) {
      refuse(*d, "Too many requests wait for '" + context_.name + "'.", 1000);
      return;
    }
    d->deadline_ms = std::min(d->deadline_ms, now + settings_.call_timeout.count());
    deadlines_.emplace(d->deadline_ms, 0);
    waiting_.push_back(std::move(d));
    publish();
    arm();
    return;
  }
  pass(std::move(d), now);
}

void bulkhead::pass(delivery_ptr d, std::int64_t now) {
  if (!breaker_.admit(now)) {
    refuse(*d, "The circuit of '" + context_.name + "' is open: it failed too often lately.",
           std::max<std::int64_t>(breaker_.open_for_ms(now), 1));
    return;
  }
  const auto number = ++numbers_;
  call c{d->reply_to, d->ask, now, std::min(d->deadline_ms, now + settings_.call_timeout.count())};
  d->deadline_ms = c.deadline_ms;
  d->ask = number;
  d->reply_to = this;
  deadlines_.emplace(c.deadline_ms, number);
  calls_.emplace(number, std::move(c));
  ++status_.passed;
  publish();
  arm();
  node_.deliver(std::move(d));
}

void bulkhead::on_reply(ask_reply& r) {
  const auto at = calls_.find(r.ask);
  if (at == calls_.end()) return;  // timed out meanwhile; a success is undone by its ticket
  auto result = call_result::success;
  if (r.refused) {
    const auto kind = r.refused->kind;
    if (kind == rejection_kind::failed || kind == rejection_kind::timed_out)
      result = call_result::failure;
    else if (kind == rejection_kind::stopped || kind == rejection_kind::overloaded)
      result = call_result::neutral;
  }
  if (result == call_result::failure) {
    ++status_.failed;
    failed_counter_.add();
  } else {
    passed_counter_.add();
  }
  auto c = std::move(at->second);
  auto forwarded = std::make_shared<ask_reply>(std::move(r));
  forwarded->ask = c.ask;
  send(c.asker, ask_reply_ptr(std::move(forwarded)));
  settle(at->first, std::move(c), result);
}

void bulkhead::settle(std::uint64_t number, call c, call_result result) {
  const auto now = node_.time.steady_ms();
  deadlines_.erase({c.deadline_ms, number});
  calls_.erase(number);
  breaker_.report(now, result, now - c.began_ms);
  publish();
  pass_waiting();
}

void bulkhead::pass_waiting() {
  const auto now = node_.time.steady_ms();
  while (!waiting_.empty() && calls_.size() < settings_.concurrent_max) {
    auto d = std::move(waiting_.front());
    waiting_.pop_front();
    if (d->deadline_ms > now)
      pass(std::move(d), now);
    else
      node_.refuse(*d, {rejection_kind::timed_out, "'" + context_.name + "' had no place in time.", {}, 0});
  }
  publish();
}

void bulkhead::sweep() {
  const auto now = node_.time.steady_ms();
  bool a_waiting_one_is_late = false;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto number = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    if (number == 0) a_waiting_one_is_late = true;
    const auto at = calls_.find(number);
    if (at == calls_.end()) continue;
    auto c = std::move(at->second);
    ++status_.timed_out;
    timed_out_counter_.add();
    send(c.asker, failure(c.ask, {rejection_kind::timed_out, "'" + context_.name + "' did not answer in time.", {}, 0}));
    settle(number, std::move(c), call_result::failure);
  }
  if (a_waiting_one_is_late) {
    std::erase_if(waiting_, [&](const delivery_ptr& d) {
      if (d->deadline_ms > now) return false;
      node_.refuse(*d, {rejection_kind::timed_out, "'" + context_.name + "' had no place in time.", {}, 0});
      return true;
    });
    publish();
  }
  arm();
}

// One timer, for the earliest deadline. A later one than needed is left to run out: it finds nothing, or what is next.
void bulkhead::arm() {
  if (deadlines_.empty()) return;
  const auto next = deadlines_.begin()->first;
  if (armed_for_ms_ && *armed_for_ms_ <= next) return;
  armed_for_ms_ = next;
  delayed_send(this, milliseconds(std::max<std::int64_t>(next - node_.time.steady_ms(), 1)), sweep_deadlines{});
}

void bulkhead::refuse(delivery& d, const std::string& why, std::int64_t retry_after_ms) {
  ++status_.refused;
  refused_counter_.add();
  node_.refuse(d, {rejection_kind::overloaded, why, {}, retry_after_ms});
}

// For people who look from outside: health, metrics, /actuator/circuitbreakers.
void bulkhead::publish() {
  const auto window = breaker_.window();
  status_.state = breaker_.state();
  status_.calls = window.calls;
  status_.window_failed = window.failed;
  status_.window_slow = window.slow;
  status_.in_flight = static_cast<std::uint32_t>(calls_.size());
  status_.queued = static_cast<std::uint32_t>(waiting_.size());
  if (breaker_.state() == seen_) return;
  seen_ = breaker_.state();
  telemetry::log(telemetry::level::warn, "a circuit changed its state",
                 {{"context", context_.name}, {"state", std::string(name_of(seen_))}});
}

}  // namespace crema::actors
