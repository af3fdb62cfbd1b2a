#include "actors/entity.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "storage/layout.hpp"
#include "storage/queries.hpp"
#include "storage/rows.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {

struct go_on {};  // entity → itself: a slowed delivery's time has come
constexpr milliseconds look_whether_over_every{100};

bool must_arrive(const delivery& d) noexcept { return d.kind == delivery_kind::message || d.kind == delivery_kind::undo; }

// The rules' own "no" is an answer like another; these say that something is out of order.
bool is_trouble(rejection_kind k) noexcept {
  return k == rejection_kind::failed || k == rejection_kind::timed_out || k == rejection_kind::stopped || k == rejection_kind::overloaded;
}

std::vector<value> concatenated(const std::vector<value>& a, const std::vector<value>& b) {
  auto all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::go_on)

namespace crema::actors {

entity::entity(caf::actor_config& cfg, services& node, identity who, caf::actor supervisor)
    : base_actor(cfg), node_(node), who_(std::move(who)), supervisor_(std::move(supervisor)) {}

caf::behavior entity::make_behavior() {
  return {
      [this](delivery_ptr& d) {
        take(std::move(d));
        show_progress();
      },
      [this](const ask_reply_ptr& r) {
        on_reply(*r);
        show_progress();
      },
      [this](go_on) { go_on_with_slowed(); },
      [this](become_aggregate& m, delivery_ptr& d) {
        become(m);
        take(std::move(d));
        show_progress();
      },
      [this](retire) {
        ending_ = true;
        quit();
      },
  };
}

void entity::on_exit() {
  // A caller whose chain was cut half-way is told so: its partners' steps undo themselves, and asking again might overtake that.
  if (chain_ && chain_->cause && !must_arrive(*chain_->cause))
    node_.refuse(*chain_->cause, {rejection_kind::failed,
                                  "The '" + declaration().name + "' that handled the request was restarted; nothing of it was kept.",
                                  {},
                                  0});
  if (chain_ && chain_->cause) record_handled(*chain_->cause, true, "restarted");
  chain_.reset();
  held_up_.reset();
  if (!ending_) send(supervisor_, gone{who_.id, who_.incarnation});
}

// ---- one message at a time

void entity::take(delivery_ptr d) {
  if (ending_) return;  // goes back to the supervisor
  ++taken_;
  if (!busy_) {
    begin(std::move(d));
    take_next();
  } else if (backlog() < node_.settings.mailbox_max || d->kind == delivery_kind::message || d->kind == delivery_kind::undo) {
    hold_up().backlog.push_back(std::move(d));
  } else {
    node_.refuse(*d, {rejection_kind::overloaded,
                      "Too many requests wait for " + declaration().name + " " + std::to_string(who_.id) + " (runtime.mailboxMax).",
                      {},
                      1000});
  }
}

void entity::take_next() {
  while (!busy_ && !ending_ && backlog() > 0) {
    auto next = std::move(held_up_->backlog.front());
    held_up_->backlog.pop_front();
    if (backlog() == 0) held_up_.reset();
    begin(std::move(next));
  }
}

void entity::become(become_aggregate& next) {
  who_.id = next.id;
  who_.key = std::move(next.key);
  state_ = {};
  version_ = last_sequence_ = 0;
  gone_ = loaded_ = false;
}

void entity::show_progress() {
  if (!busy_ && !ending_ && backlog() == 0) who_.gauge->finished.store(taken_, std::memory_order_release);
}

void entity::load() {
  loaded_ = true;
  state_ = value(*declaration().state, declaration().state->make());
  if (who_.id > node_.contexts[declaration().index].last_recorded.load()) return;  // new: there is nothing to read
  const auto now = node_.store.read();
  const auto read = [&](collection_ref from) {
    const auto bytes = now->get(storage::table::state, storage::row_key(from, who_.id));
    if (!bytes) return false;
    auto row = storage::decode_row(*declaration().state, who_.id, *bytes);
    state_ = std::move(row.row);
    version_ = row.version;
    last_sequence_ = storage::decode_row_header(*bytes).sequence;
    return true;
  };
  if (read({false, declaration().index})) return;
  if (declaration().gone && read(storage::graveyard_of(declaration().index))) gone_ = true;
}

void entity::begin(delivery_ptr d) {
  own_span_ = d->trace;
  own_span_.span_id = node_.new_span_id();
  began_us_ = node_.time.steady_us();
  record_wait(*d);
  if (!loaded_) {
    try {
      load();
    } catch (const std::exception& e) {
      record_handled(*d, true, "its state cannot be read");
      stumble(std::move(d), std::string("its state cannot be read: ") + e.what());
      return;
    }
  }
  if (node_.faults.watching() && struck(d)) return;
  const auto& s = node_.settings_of(declaration().index);
  const bool answers_somebody = d->kind == delivery_kind::request || d->kind == delivery_kind::ask;
  if (answers_somebody && s.slow_max.count() > 0) {
    busy_ = true;
    hold_up().slowed = std::move(d);
    delayed_send(this, milliseconds(node_.random.between(s.slow_min.count(), s.slow_max.count())), go_on{});
    return;
  }
  decide_and_act(std::move(d), nullptr);
}

void entity::go_on_with_slowed() {
  auto& h = hold_up();
  if (h.hung_by != 0 && node_.faults.lasts(h.hung_by, node_.time.steady_ms())) {
    delayed_send(this, look_whether_over_every, go_on{});
    return;
  }
  h.hung_by = 0;
  if (h.slowed) decide_and_act(std::exchange(h.slowed, nullptr), nullptr);
  take_next();
  show_progress();
}

// True: an injected fault has the delivery now.
bool entity::struck(delivery_ptr& d) {
  const auto hit = node_.faults.at_handler(declaration().index, who_.id, node_.time.steady_ms());
  if (!hit) return false;
  node_.mark_fault(*d, own_span_, hit->fault);
  switch (hit->kind) {
    case fault_kind::throws: {
      const auto error = "the injected fault " + std::to_string(hit->fault) + " threw";
      record_handled(*d, true, error);
      stumble(std::move(d), error);
      break;
    }
    case fault_kind::crash:
      // Its supervisor hears of the end before the delivery comes back to it.
      ending_ = true;
      send(supervisor_, gone{who_.id, who_.incarnation});
      quit(caf::exit_reason::kill);
      d.reset();
      break;
    default:
      busy_ = true;
      hold_up().slowed = std::move(d);
      held_up_->hung_by = hit->kind == fault_kind::hang ? hit->fault : 0;
      delayed_send(this, held_up_->hung_by != 0 ? look_whether_over_every : milliseconds(hit->delay_ms), go_on{});
  }
  return true;
}

std::optional<rejection> entity::precondition(const delivery& d) const {
  if (d.deadline_ms != 0 && node_.time.steady_ms() >= d.deadline_ms)
    return rejection{rejection_kind::timed_out, "The '" + declaration().name + "' had no time left to handle the request.", {}, 0};
  if (d.kind != delivery_kind::request) return std::nullopt;
  if (!d.creates && !exists())
    return rejection::not_found("There is no " + declaration().resource->singular + " " + std::to_string(who_.id) + ".");
  if (d.expected_version && *d.expected_version != version_)
    return rejection{rejection_kind::stale,
                     "The " + declaration().resource->singular + " has changed: its version is \"" + std::to_string(version_) +
                         "\". Read it again, then decide.",
                     {},
                     0};
  return std::nullopt;
}

void entity::decide_and_act(delivery_ptr d, std::unique_ptr<chain> so_far) {
  busy_ = false;
  if (!so_far) {
    if (auto why = precondition(*d)) {
      record_handled(*d, is_trouble(why->kind), name_of(why->kind));
      refuse(d, std::move(*why));
      return;
    }
    if (d->kind == delivery_kind::undo && !d->payload) {
      settle_message(d);
      return;
    }
  }
  const auto replies = so_far ? concatenated(so_far->replies, so_far->round) : std::vector<value>{};
  try {
    const auto* handler = declaration().handler_of(d->payload.type());
    if (handler == nullptr) throw std::logic_error("nobody handles " + std::string(d->payload.type().name));
    auto decided =
        handler->decide(state_.data(), d->payload.data(), given{node_.time.wall(), who_.id, exists(), &node_.settings.system, replies});
    if (!decided) {
      record_handled(*d, false, name_of(decided.why().kind));
      refuse(d, std::move(decided.why()));
    } else if (!decided->asks.empty()) {
      if (so_far) so_far->replies = replies;
      send_asks(d, std::move(*decided), so_far ? std::move(so_far) : std::make_unique<chain>());
    } else {
      record(d, *decided, so_far ? so_far->held : tickets{});
      record_handled(*d, false);
    }
  } catch (const std::exception& e) {
    record_handled(*d, true, "it threw");
    // A caller's chain is not tried again: its partners' steps undo themselves, and asking again might overtake that.
    if (so_far && !must_arrive(*d)) d->attempts = node_.settings.poison_attempts;
    stumble(std::move(d), e.what());
  }
}

// ---- chains

void entity::send_asks(delivery_ptr d, outcome o, std::unique_ptr<chain> under_way) {
  auto& c = *under_way;
  const auto now = node_.time.steady_ms();
  c.round.assign(o.asks.size(), {});
  c.waiting.clear();
  c.questions.clear();
  c.open = o.asks.size();
  for (const auto& request : o.asks) {
    const auto* receiver = node_.system.receiver_of(request.command.type());
    if (receiver == nullptr) throw std::logic_error("nobody handles " + std::string(request.command.type().name));
    auto a = std::make_shared<delivery>();
    a->node = &node_;
    a->kind = delivery_kind::ask;
    a->to = {receiver->index, request.to.value_or(who_.id), receiver->key_of ? receiver->key_of(request.command) : std::string()};
    if (receiver->key_of) a->to.id = 0;
    a->from = self();
    a->payload = request.command;
    a->undo_command = request.undo;
    a->causation = d->causation;
    a->correlation = d->correlation;
    a->trace = own_span_;
    a->trace.span_id = node_.new_span_id();
    a->compensating = d->compensating;
    a->deadline_ms = now + node_.settings.ask_time_limit.count();
    if (d->deadline_ms != 0) a->deadline_ms = std::min(a->deadline_ms, d->deadline_ms);
    a->reply_to = this;
    a->ask = ++node_.last_ask;
    c.waiting.push_back(a->ask);
    c.questions.push_back({a->trace.span_id, a->payload.type().name, receiver->index, a->to.id, node_.time.steady_us()});
    if (const auto gate = node_.gate(receiver->index).get())
      send(gate, delivery_ptr(std::move(a)));
    else
      node_.deliver(std::move(a));
  }
  o.asks.clear();
  c.asked = std::move(o);
  c.cause = std::move(d);
  chain_ = std::move(under_way);
  busy_ = true;
}

void entity::on_reply(const ask_reply& r) {
  if (!chain_) return;  // a late success: its ticket undoes it
  const auto at = std::find(chain_->waiting.begin(), chain_->waiting.end(), r.ask);
  if (at == chain_->waiting.end()) return;
  const auto place = static_cast<std::size_t>(at - chain_->waiting.begin());
  record_answered(*chain_->cause, chain_->questions[place], r.refused && is_trouble(r.refused->kind),
                  r.refused ? name_of(r.refused->kind) : std::string_view{});
  *at = 0;
  if (r.refused) {
    const auto failed = std::move(chain_);
    busy_ = false;
    fail_chain(*failed, *r.refused);
    take_next();
    return;
  }
  chain_->round[place] = r.answer;
  if (r.ticket) chain_->held.push_back(r.ticket);
  if (--chain_->open > 0) return;
  auto complete = std::move(chain_);
  auto cause = std::move(complete->cause);
  decide_and_act(std::move(cause), std::move(complete));
  take_next();
}

void entity::fail_chain(chain& c, const rejection& why) {
  c.held.clear();  // what did succeed is undone
  for (std::size_t i = 0; i < c.waiting.size(); ++i)
    if (c.waiting[i] != 0) record_answered(*c.cause, c.questions[i], false, "not waited for");
  record_handled(*c.cause, is_trouble(why.kind), name_of(why.kind));
  // What must arrive is not settled by a partner's trouble: it comes again, and where that does not help, dies as others do. A partner
  // that is switched off or full says nothing about the message.
  const bool out_of_reach = why.kind == rejection_kind::stopped || why.kind == rejection_kind::overloaded;
  if (must_arrive(*c.cause) && (out_of_reach || why.kind == rejection_kind::timed_out || why.kind == rejection_kind::failed)) {
    stumble(std::move(c.cause), why.detail, !out_of_reach);
    return;
  }
  if (c.asked.if_refused.empty()) {
    refuse(c.cause, why);
    return;
  }
  try {
    record_refused_chain(c.cause, c.asked, why);
  } catch (const std::exception& e) {
    if (!must_arrive(*c.cause)) c.cause->attempts = node_.settings.poison_attempts;
    stumble(std::move(c.cause), e.what());
  }
}

// ---- recording

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
  if (d.kind == delivery_kind::message || d.kind == delivery_kind::undo) r.consumed.push_back(d.ref);
  return record;
}

// What the events cause elsewhere, by the declaration's policies and notifications, and the timers that the decision asked for.
std::vector<storage::stored_message> entity::messages_of(const delivery& d, const outcome& o, const trace_context& own) const {
  std::vector<storage::stored_message> all;
  const auto add = [&](storage::address to, storage::lane where, value payload) -> storage::stored_message& {
    auto& m = all.emplace_back();
    m.ref.where = where;
    m.to = std::move(to);
    m.from = self();
    m.correlation = d.correlation;
    m.trace = own;
    m.compensating = d.compensating;
    m.payload = std::move(payload);
    return m;
  };
  const event_meta meta{who_.id, 0, node_.time.wall()};
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
  for (const auto& t : o.timers) add(self(), who_.guard.where, t.command).due_ms = node_.time.wall().ms + t.after.count();
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
  const auto consumed = static_cast<std::int64_t>(request.record ? request.record->consumed.size() : 0);
  node_.will_record(self());
  written = node_.log.append(std::move(request));
  if (!written) {
    ending_ = true;
    quit();
    return false;
  }
  who_.gauge->last_appended.store(std::max(last_appended(), written->sequence), std::memory_order_relaxed);
  node_.contexts[declaration().index].outbox -= consumed;
  if (d->kind == delivery_kind::undo) node_.provisional.leave(self());
  if (d->compensating && consumed > 0) --node_.compensations;
  return true;
}

value entity::folded(const outcome& o) const {
  auto next = declaration().state->copy(state_.data());
  storage::fold(declaration(), next.get(), o.events);
  return {*declaration().state, std::move(next)};
}

void entity::record(const delivery_ptr& d, const outcome& o, const tickets& held) {
  if (o.events.empty()) {
    answer_unchanged(d, o);
    return;
  }
  const auto next = folded(o);
  append_request request;
  request.record = make_record(*d);
  auto& r = *request.record;
  r.previous = last_sequence_;
  r.version = version_ + o.events.size();
  r.events = o.events;
  r.messages = messages_of(*d, o, own_span_);
  for (const auto& t : held) {
    r.confirmed.push_back(t->ref());
    r.messages.insert(r.messages.end(), t->messages().begin(), t->messages().end());
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
    return;
  }
  gone_ = declaration().gone && declaration().gone(state_.data());
  last_sequence_ = written->sequence;
  for (const auto& t : held) t->confirm();
  if (d->kind == delivery_kind::ask) {
    node_.provisional.enter(self());
    ask_reply answer;
    answer.answer = o.answer ? o.answer : o.events.front();
    answer.ticket = std::make_shared<hold_ticket>(node_, written);
    node_.reply(*d, std::move(answer));
  } else if (d->kind != delivery_kind::request) {
    node_.settle(*d);
  }
  for (const auto& m : written->messages) node_.dispatch(m);
}

// A chain that failed but is part of the aggregate's history all the same: recorded for nobody's answer.
void entity::record_refused_chain(const delivery_ptr& d, const outcome& asked, rejection why) {
  outcome o;
  o.events = asked.if_refused;
  if (must_arrive(*d)) {
    record(d, o, {});
    return;
  }
  auto history = std::make_shared<delivery>();  // settled: it stands in for a caller who gets the refusal instead
  history->settled = true;
  history->kind = delivery_kind::request;
  history->to = d->to;
  history->causation = d->causation;
  history->correlation = d->correlation;
  history->trace = d->trace;
  record(history, o, {});
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
    ask_reply answer;
    answer.answer = o.answer;
    node_.reply(*d, std::move(answer));
    return;
  }
  append_request request;
  const bool keep_answer = d->idempotency && exists();
  if (d->kind != delivery_kind::request || keep_answer) request.record = make_record(*d);
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
  if (d->kind == delivery_kind::message || d->kind == delivery_kind::undo) {
    node_.rejected_messages.add();
    telemetry::log(telemetry::level::warn, "a message was refused by its receiver's rules and is settled",
                   {{"receiver", declaration().name + "/" + std::to_string(who_.id)},
                    {"message", std::string(d->payload.type().name)},
                    {"reason", why.detail}});
    settle_message(d);
    return;
  }
  if (d->kind == delivery_kind::ask || last_appended() < node_.log.durable()) {
    node_.refuse(*d, std::move(why));
    return;
  }
  // The "no" may rest on something that is not on disk yet: it leaves the node after that.
  append_request request;
  request.outputs.push_back([this_node = &node_, d, why = std::move(why)] { this_node->refuse(*d, why); });
  std::shared_ptr<const storage::journal_record> written;
  (void)append(std::move(request), d, written);
}

// ---- spans

// What came back from a predecessor that failed has told of its wait already.
void entity::record_wait(const delivery& d) {
  if (d.attempts > 0 || d.returns > 0) return;
  auto own = d.trace;
  own.span_id = {};
  node_.record_span({"wait", name_of(d), declaration().index, who_.id, own, d.trace.span_id, d.sent_us, began_us_});
}

void entity::record_handled(const delivery& d, bool failed, std::string_view note) {
  node_.record_span({"handle", name_of(d), declaration().index, who_.id, own_span_, d.trace.span_id, began_us_, 0, failed, note});
}

void entity::record_answered(const delivery& asker, const question& q, bool failed, std::string_view note) {
  auto own = asker.trace;
  own.span_id = q.span_id;
  node_.record_span({"ask", q.what, q.context, q.id, own, own_span_.span_id, q.began_us, 0, failed, note});
}

void entity::stumble(delivery_ptr d, const std::string& error, bool counts) {
  ending_ = true;
  send(supervisor_, stumbled{who_.id, who_.incarnation, std::move(d), error, counts});
  quit(caf::sec::runtime_error);
}

}  // namespace crema::actors
