// The part of an entity that records what was decided, and lets go of what follows from it: answer, messages, rows. Also of a "no".
#include <algorithm>

#include "actors/entity.hpp"
#include "storage/rows.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

std::shared_ptr<storage::journal_record> entity::make_record(const delivery& d) const {
  auto record = std::make_shared<storage::journal_record>();
  auto& r = *record;
  r.partition = who_.guard.where.partition;
  r.at = node_.time.wall();
  r.subject = self();
  r.version = version_;
  r.causation = d.causation;
  r.correlation = d.correlation;
  r.trace = own_span_;
  r.compensating = d.compensating;
  if (must_arrive(d)) r.consumed.push_back(d.ref);
  if (d.replays != 0) r.revived.push_back(d.replays);
  return record;
}

// What the events cause elsewhere, by the declaration's policies and notifications, and the timers that the decision asked for.
std::vector<storage::stored_message> entity::messages_of(const delivery& d, const outcome& o, timestamp at) const {
  std::vector<storage::stored_message> all;
  const auto add = [&](storage::address to, storage::lane where, value payload) -> storage::stored_message& {
    auto& m = all.emplace_back();
    m.ref.where = where;
    m.to = std::move(to);
    m.from = self();
    m.correlation = d.correlation;
    m.trace = own_span_;
    m.compensating = d.compensating;
    m.payload = std::move(payload);
    return m;
  };
  const event_meta meta{who_.id, 0, at};
  for (const auto& event : o.events) {
    for (const auto& p : node_.system.policies) {
      if (p.event != &event.type()) continue;
      auto command = p.make(event.data(), meta);
      if (!command) continue;
      const auto& receiver = node_.system.contexts[p.receiver];
      storage::address to{p.receiver, who_.id, {}};
      if (receiver.key_of) to = {p.receiver, 0, receiver.key_of(command)};
      if (p.to) to.id = p.to(event.data(), meta).value_or(who_.id);
      const auto where = node_.lane_of(to);
      add(std::move(to), where, std::move(command));
    }
    if (d.compensating) continue;  // nobody is told of a step that never counted
    for (const auto& n : node_.system.notifications)
      if (n.event == &event.type())
        if (auto text = n.make(event.data(), meta))
          add({n.context, who_.id, {}}, {n.context, storage::notification_partition}, value::of(std::move(*text)));
  }
  for (const auto& t : o.timers) add(self(), who_.guard.where, t.command).due_ms = at.ms + t.after.count();
  return all;
}

void entity::add_rows(append_request& request, const value& next, std::uint64_t next_version) const {
  storage::derive_rows(request.derived, {declaration(), who_.id, who_.key, state_, version_, gone_}, next, next_version);
}

// Captures the delivery: where the append is refused, the delivery comes back and is handled by whoever follows.
void entity::release_answer(append_request& request, const delivery_ptr& d) {
  if (d->kind != delivery_kind::request) return;
  request.outputs.push_back([this_node = &node_, d, handling = own_span_, appended_us = node_.time.steady_us(),
                             resource = stored_row{who_.id, version_, state_}] {
    auto own = handling;
    own.span_id = {};
    this_node->record_span({"commit", name_of(*d), d->to.context, d->to.id, own, handling.span_id, appended_us});
    this_node->settle(*d);
    if (d->on_answer) d->on_answer({std::nullopt, resource, false});
  });
}

// Appends; then this actor's own figures and the others follow. False: refused, nothing happened, and this actor is about to end.
bool entity::append(append_request request, const delivery_ptr& d, std::shared_ptr<const storage::journal_record>& written) {
  request.guard = who_.guard;
  request.lingers = d->kind != delivery_kind::request;  // an ask's step waits for its asker's record
  const bool consumes = request.record && !request.record->consumed.empty();
  node_.will_record(self());
  written = node_.log.append(std::move(request));
  if (!written) {
    ending_ = true;
    quit();
    return false;
  }
  who_.gauge->last_appended.store(std::max(last_appended(), written->sequence), std::memory_order_relaxed);
  if (d->kind == delivery_kind::undo) node_.provisional.leave(self());
  if (d->compensating && consumes) node_.compensated(*d);
  return true;
}

value entity::folded(const outcome& o) const {
  auto next = declaration().state->copy(state_.data());
  storage::fold(declaration(), next.get(), o.events);
  return {*declaration().state, std::move(next)};
}

// Only who asks for more can be told to wait: what must arrive is taken, whatever it adds.
std::optional<rejection> entity::no_room(const delivery& d, const std::vector<storage::stored_message>& messages) const {
  if (d.settled || must_arrive(d) || d.compensating) return std::nullopt;
  for (const auto& m : messages)
    if (const auto* full = node_.without_room(m))
      return rejection{rejection_kind::overloaded, "Too many messages wait for '" + full->name + "' (runtime.outboxMax).", {}, 1000};
  return std::nullopt;
}

bool entity::record(const delivery_ptr& d, const outcome& o, const tickets& held) {
  if (o.events.empty()) {
    answer_unchanged(d, o);
    return true;
  }
  const auto next = folded(o);
  append_request request;
  request.record = make_record(*d);
  auto& r = *request.record;
  r.previous = last_sequence_;
  r.version = version_ + o.events.size();
  r.events = o.events;
  r.messages = messages_of(*d, o, r.at);
  for (const auto& t : held) {
    r.confirmed.push_back(t->ref());
    r.messages.insert(r.messages.end(), t->messages().begin(), t->messages().end());
  }
  if (auto why = no_room(*d, r.messages)) {
    refuse(d, std::move(*why));
    return false;
  }
  if (d->kind == delivery_kind::ask) {
    // The asker has not recorded its part: ours, and all that it causes, waits for that.
    r.held = storage::hold{self(), d->correlation, own_span_, d->undo_command, std::move(r.messages)};
    r.messages.clear();
  }
  r.idempotency = d->idempotency;
  add_rows(request, next, r.version);

  const auto before = std::make_tuple(state_, version_);
  state_ = next;
  version_ = r.version;
  release_answer(request, d);
  std::shared_ptr<const storage::journal_record> written;
  if (!append(std::move(request), d, written)) {
    std::tie(state_, version_) = before;
    return true;
  }
  gone_ = declaration().gone && declaration().gone(state_.data());
  last_sequence_ = written->sequence;
  for (const auto& t : held) t->confirm();
  if (d->kind == delivery_kind::ask) {
    node_.provisional.enter(self());
    rest_on_own_records(*d);
    ask_reply answer;
    answer.answer = o.answer ? o.answer : o.events.front();
    answer.ticket = std::make_shared<hold_ticket>(node_, written);
    node_.reply(*d, std::move(answer));
  } else if (d->kind != delivery_kind::request) {
    node_.settle(*d);
  }
  for (const auto& m : written->messages) node_.dispatch(m);
  return true;
}

// A chain that failed but is part of the aggregate's history all the same: recorded for nobody's answer.
void entity::record_refused_chain(const delivery_ptr& d, const outcome& asked, rejection why) {
  outcome o;
  o.events = asked.if_refused;
  if (must_arrive(*d)) {
    (void)record(d, o, {});
    return;
  }
  auto history = std::make_shared<delivery>();  // settled: it stands in for a caller who gets the refusal instead
  history->settled = true;
  history->kind = delivery_kind::request;
  history->to = d->to;
  history->causation = d->causation;
  history->correlation = d->correlation;
  history->trace = d->trace;
  (void)record(history, o, {});
  refuse(d, std::move(why));
}

// Success without a change: a command that came twice. A message is consumed by it, a caller's key is kept with the answer.
void entity::answer_unchanged(const delivery_ptr& d, const outcome& o) {
  const bool answers_somebody = d->kind == delivery_kind::request || d->kind == delivery_kind::ask;
  if (answers_somebody && node_.provisional.any(self())) {
    refuse(d, {rejection_kind::overloaded,
               "The last step of " + declaration().name + " " + std::to_string(who_.id) + " may still be taken back; ask again.",
               {},
               1000});
    return;
  }
  if (d->kind == delivery_kind::ask) {
    rest_on_own_records(*d);
    ask_reply answer;
    answer.answer = o.answer;
    node_.reply(*d, std::move(answer));
    return;
  }
  append_request request;
  const bool keep_answer = d->idempotency && exists();
  if (d->kind != delivery_kind::request || keep_answer || d->replays != 0) request.record = make_record(*d);
  if (keep_answer) {
    request.record->idempotency = d->idempotency;
    request.record->previous = last_sequence_;
    storage::derive_same_row(request.derived, {declaration(), who_.id, who_.key, state_, version_, gone_});
  }
  release_answer(request, d);
  std::shared_ptr<const storage::journal_record> written;
  if (!append(std::move(request), d, written)) return;
  if (keep_answer) last_sequence_ = written->sequence;
  if (d->kind != delivery_kind::request) node_.settle(*d);
}

void entity::settle_message(const delivery_ptr& d) { answer_unchanged(d, {}); }

void entity::refuse(const delivery_ptr& d, rejection why) {
  if (must_arrive(*d)) {
    node_.rejected_messages.add();
    telemetry::log(telemetry::level::warn, "a message was refused by its receiver's rules and is settled",
                   {{"receiver", declaration().name + "/" + std::to_string(who_.id)},
                    {"message", std::string(d->payload.type().name)},
                    {"reason", why.detail}});
    settle_message(d);
    return;
  }
  rest_on_own_records(*d);
  node_.refuse(*d, std::move(why));
}

// What this aggregate says may come from a state that is not on disk yet.
void entity::rest_on_own_records(delivery& d) const noexcept { d.rests_on = std::max(d.rests_on, last_appended()); }

}  // namespace crema::actors
