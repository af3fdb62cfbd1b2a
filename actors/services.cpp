#include "actors/services.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "actors/fault_keeper.hpp"
#include "storage/format.hpp"
#include "storage/layout.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {

// A delivery comes back once for each receiver that died with it. More than this means that nobody lives long enough.
constexpr std::uint8_t returns_max = 8;

// Whom the events of a context may tell something, directly or by those who are told.
std::vector<std::uint16_t> receivers_behind(const system_declaration& system, std::uint16_t context) {
  std::vector<std::uint16_t> found, look_at{context};
  const auto add = [&](std::uint16_t receiver, bool tells_others) {
    if (std::find(found.begin(), found.end(), receiver) != found.end()) return;
    found.push_back(receiver);
    if (tells_others) look_at.push_back(receiver);
  };
  while (!look_at.empty()) {
    const auto& c = system.contexts[look_at.back()];
    look_at.pop_back();
    for (const auto& p : system.policies)
      if (c.evolver_of(*p.event) != nullptr) add(p.receiver, true);
    for (const auto& n : system.notifications)
      if (c.evolver_of(*n.event) != nullptr) add(n.context, false);
  }
  return found;
}

rejection not_running(const context_declaration& context, const context_status& status) {
  return {rejection_kind::stopped,
          "The context '" + context.name + (status.has_run ? "' is stopped; try again when it runs." : "' is starting; try again soon."),
          {},
          1000};
}

}  // namespace

std::string_view name_of(const delivery& d) noexcept { return d.payload ? d.payload.type().name : std::string_view("undo"); }

delivery::~delivery() {
  if (settled || node == nullptr) return;
  node->take_back(std::move(*this));
}

hold_ticket::~hold_ticket() {
  if (!confirmed_) node_->undo(ref(), *step_->held);
}

void hold_ticket::confirm() {
  confirmed_ = true;
  node_->provisional.leave(step_->held->subject);
}

services::services(const system_declaration& declared, const runtime_settings& s, const clock& t, storage::store& st, journal& j,
                   telemetry::metrics& m, telemetry::trace_ring& r, fault_board& f)
    : system(declared),
      types(declared.catalog()),
      settings(s),
      time(t),
      store(st),
      log(j),
      metrics(m),
      traces(r),
      faults(f),
      random(s.seed),
      first_sequence(j.durable()),
      history(storage::history_of(st)),
      contexts(declared.contexts.size()),
      rejected_messages(m.make_counter("crema_messages_rejected_total", "Durable messages that their receiver's rules refused")),
      undone_steps(m.make_counter("crema_steps_undone_total", "Steps of failed chains that were taken back")),
      partitions_(declared.contexts.size() * s.partitions),
      gates_(declared.contexts.size()),
      notifiers_(declared.contexts.size()) {
  const auto now = st.read();
  for (const auto& c : declared.contexts) {
    auto& status = contexts[c.index];
    status.last_id = storage::read_number(*now, storage::table::meta, storage::counter_key(c.index)).value_or(0);
    status.last_recorded = status.last_id.load();
    status.awake_in = std::vector<std::atomic<std::int64_t>>(s.partitions);
    const auto known = s.contexts.find(c.name);
    context_settings_.push_back(known == s.contexts.end() ? context_settings{} : known->second);
    fed_by_.push_back(receivers_behind(declared, c.index));
  }
}

const context_settings& services::settings_of(std::uint16_t context) const { return context_settings_[context]; }

const context_declaration* services::without_room(const storage::stored_message& m) const noexcept {
  if (!has_room(m.to.context)) return &system.contexts[m.to.context];
  if (m.ref.where.partition == storage::notification_partition) return nullptr;
  for (const auto context : fed_by_[m.to.context])
    if (!has_room(context)) return &system.contexts[context];
  return nullptr;
}

void services::clear_directory() {
  for (auto* all : {&partitions_, &gates_, &notifiers_})
    for (auto& slot : *all) slot.set({});
  timer.set({});
  fault_keeper.set({});
}

std::array<std::uint8_t, 8> services::new_span_id() noexcept {
  std::array<std::uint8_t, 8> id;
  const auto n = random.next() | 1U;  // all zero is not a span id
  for (std::size_t i = 0; i < 8; ++i) id[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return id;
}

void services::deliver(delivery_ptr d) {
  if (d->sent_us == 0) {
    d->sent_us = time.steady_us();
    ++contexts[d->to.context].mailbox;
  }
  if (faults.watching() && struck_on_its_way(d)) return;
  hand_over(std::move(d));
}

// True: refused, or on the detour. Requests come from nowhere and an undo from the node itself: no link carries them.
bool services::struck_on_its_way(delivery_ptr& d) {
  if (d->epoch != 0) return false;  // it had arrived, and comes back from its receiver
  const bool answers_somebody = d->kind == delivery_kind::request || d->kind == delivery_kind::ask;
  if (answers_somebody) {
    if (const auto hit = faults.at_mailbox(d->to.context, d->to.id, time.steady_ms())) {
      mark_fault(*d, d->trace, hit->fault);
      refuse(*d, {rejection_kind::overloaded,
                  "Too many requests wait for " + system.contexts[d->to.context].name + " (runtime.mailboxMax).",
                  {},
                  1000});
      return true;
    }
  }
  if (d->kind == delivery_kind::request || d->kind == delivery_kind::undo || !faults.watching_links()) return false;
  const auto keeper = fault_keeper.get();
  if (!keeper) return false;
  caf::anon_send(keeper, detoured{std::move(d), faults.keep_watching_links()});
  return true;
}

void services::hand_over(delivery_ptr d) {
  if (const auto handle = partition(lane_of(d->to)).get()) {
    caf::anon_send(handle, std::move(d));
    return;
  }
  switch (d->kind) {
    case delivery_kind::request:
    case delivery_kind::ask: refuse(*d, not_running(system.contexts[d->to.context], contexts[d->to.context])); break;
    case delivery_kind::message: settle(*d); break;  // on disk: the lane reads it when it starts
    case delivery_kind::undo: park(std::move(d)); break;
  }
}

delivery_ptr services::delivery_of(const storage::stored_message& m) {
  auto d = std::make_shared<delivery>();
  d->node = this;
  d->to = m.to;
  d->from = m.from;
  d->payload = m.payload;
  d->causation = m.causation;
  d->correlation = m.correlation;
  d->trace = m.trace;
  d->compensating = m.compensating;
  d->ref = m.ref;
  return d;
}

void services::dispatch(const storage::stored_message& m) {
  ++contexts[m.to.context].outbox;
  if (m.compensating) {
    ++compensations;
    undos.enter({m.ref, m.to, std::string(m.payload.type().name)});
  }
  if (m.due_ms > 0) {
    if (const auto handle = timer.get()) caf::anon_send(handle, stored_message_ptr(std::make_shared<storage::stored_message>(m)));
  } else if (m.ref.where.partition == storage::notification_partition) {
    if (const auto handle = notifier(m.to.context).get())
      caf::anon_send(handle, stored_message_ptr(std::make_shared<storage::stored_message>(m)));
  } else {
    deliver(delivery_of(m));
  }
}

void services::compensated(const delivery& d) {
  --compensations;
  undos.leave(d.ref);
}

void services::count_consumed(const committed_batch& done) noexcept {
  for (const auto& r : done.records)
    if (!r->consumed.empty()) contexts[r->subject.context].outbox -= static_cast<std::int64_t>(r->consumed.size());
}

delivery_ptr services::delivery_of(const storage::outbox_ref& ref, const storage::hold& step) {
  auto d = std::make_shared<delivery>();
  d->node = this;
  d->kind = delivery_kind::undo;
  d->to = d->from = step.subject;
  d->payload = step.undo;
  d->causation = ref.id.sequence;
  d->correlation = step.correlation;
  d->trace = step.trace;
  d->compensating = true;
  d->ref = ref;
  return d;
}

void services::undo(const storage::outbox_ref& ref, const storage::hold& step) {
  if (closing || log.failed()) return;  // the hold is on disk: the next start undoes it
  undone_steps.add();
  ++contexts[step.subject.context].outbox;
  ++compensations;
  undos.enter({ref, step.subject, step.undo ? std::string(step.undo.type().name) : "undo"});
  // Through the gate, like the asks: what undoes an ask arrives before the same ask comes again.
  auto d = delivery_of(ref, step);
  if (const auto handle = gate(step.subject.context).get())
    caf::anon_send(handle, std::move(d));
  else
    deliver(std::move(d));
}

void services::settle(delivery& d) noexcept {
  if (d.settled) return;
  d.settled = true;
  if (d.sent_us != 0) --contexts[d.to.context].mailbox;
}

void services::refuse(delivery& d, rejection why) {
  if (d.settled) return;
  settle(d);
  if (d.kind == delivery_kind::request) {
    if (d.on_answer) refuse_when_durable(d, std::move(why));
  } else if (d.kind == delivery_kind::ask) {
    ask_reply r;
    r.ask = d.ask;
    r.rests_on = d.rests_on;
    r.refused = std::move(why);
    caf::anon_send(d.reply_to, std::make_shared<ask_reply>(std::move(r)));
  }
}

void services::refuse_when_durable(delivery& d, rejection why) {
  if (d.rests_on < log.durable()) {
    d.on_answer({std::move(why), {}, false});
    return;
  }
  // Stands in for the delivery: where the journal lets go of it, it comes back and its caller is told that the node stops.
  auto waiting = std::make_shared<delivery>();
  waiting->node = this;
  waiting->kind = delivery_kind::request;
  waiting->to = d.to;
  waiting->on_answer = std::move(d.on_answer);
  append_request barrier;
  barrier.outputs.push_back([waiting = std::move(waiting), no = std::move(why)] {
    waiting->settled = true;
    waiting->on_answer({no, {}, false});
  });
  (void)log.append(std::move(barrier));
}

void services::reply(delivery& d, ask_reply answer) {
  if (d.settled) return;
  settle(d);
  answer.ask = d.ask;
  answer.rests_on = d.rests_on;
  caf::anon_send(d.reply_to, std::make_shared<ask_reply>(std::move(answer)));
}

void services::take_back(delivery&& d) {
  d.settled = true;
  auto again = std::make_shared<delivery>(std::move(d));
  again->settled = false;
  if (closing || log.failed()) {
    again->rests_on = 0;  // that it stops rests on nothing
    if (closing) refuse(*again, {rejection_kind::stopped, "The node is stopping.", {}, 1000});
    again->settled = true;
    return;
  }
  if (++again->returns <= returns_max) {
    deliver(std::move(again));
    return;
  }
  switch (again->kind) {
    case delivery_kind::request:
    case delivery_kind::ask: refuse(*again, {rejection_kind::failed, "The request could not be handled.", {}, 0}); break;
    case delivery_kind::message:
    case delivery_kind::undo:  // its lane takes it up again a little later
      again->returns = 0;
      park(std::move(again));
      break;
  }
}

void services::park(delivery_ptr d) {
  const std::lock_guard lock(parked_mutex_);
  parked_[lane_of(d->to)].push_back(std::move(d));
}

std::vector<delivery_ptr> services::unpark(storage::lane where) {
  const std::lock_guard lock(parked_mutex_);
  const auto at = parked_.find(where);
  if (at == parked_.end()) return {};
  auto found = std::move(at->second);
  parked_.erase(at);
  return found;
}

void services::record_span(const ended_span& ended) {
  const auto took = (ended.ended_us != 0 ? ended.ended_us : time.steady_us()) - ended.began_us;
  if (!traces.wants(ended.own.sampled, ended.failed, took)) return;
  telemetry::span s;
  s.context = ended.own;
  if (s.context.span_id == std::array<std::uint8_t, 8>{}) s.context.span_id = new_span_id();
  s.parent = ended.parent;
  s.kind = ended.kind;
  s.what = ended.what;
  s.where = system.contexts[ended.context].name;
  s.id = ended.id;
  s.start_us = ended.began_us;
  s.duration_us = took;
  s.failed = ended.failed;
  s.note = ended.note;
  s.http = ended.http;
  traces.record(std::move(s));
}

void services::mark_fault(const delivery& d, const trace_context& at, std::uint64_t fault) {
  telemetry::span s;
  s.context = at;
  s.context.span_id = new_span_id();
  s.parent = at.span_id;
  s.kind = "mark";
  s.what = name_of(d);
  s.where = system.contexts[d.to.context].name;
  s.id = d.to.id;
  s.start_us = time.steady_us();
  s.note = "fault=" + std::to_string(fault);
  traces.record(std::move(s));
}

}  // namespace crema::actors
