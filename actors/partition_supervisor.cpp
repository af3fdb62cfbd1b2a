#include "actors/partition_supervisor.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "actors/supervision.hpp"
#include "storage/layout.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {

constexpr std::size_t read_chunk = 256;  // entries handed out between two looks at the mailbox
constexpr std::size_t kept_max = 10000;  // messages kept in memory while the lane is read from disk
constexpr std::size_t resting_max = 32;  // entities kept for the next aggregates
constexpr milliseconds sweep_every{500};

struct barrier_passed {
  std::uint64_t sequence = 0;
};
struct read_more {};
struct sweep_now {};
struct restart_now {
  std::uint64_t id = 0;
};
struct undo_again {
  storage::outbox_ref ref;
};

}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::barrier_passed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::read_more)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::sweep_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::restart_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::undo_again)

namespace crema::actors {

partition_supervisor::partition_supervisor(caf::actor_config& cfg, services& node, const context_declaration& context, fence guard)
    : base_actor(cfg), node_(node), context_(context), guard_(guard), inbox_(guard.where, node.first_sequence) {
  ++node_.contexts[context_.index].lanes_closed;
}

caf::behavior partition_supervisor::make_behavior() {
  // In the directory before the barrier is queued: a message behind the barrier that found nobody would be lost until the next start.
  node_.partition(guard_.where).set(caf::actor_cast<caf::actor>(this));
  open();
  delayed_send(this, sweep_every, sweep_now{});
  return {
      [this](delivery_ptr& d) { take(std::move(d)); },
      [this](stumbled& m) { on_stumbled(m); },
      [this](const gone& m) { on_gone(m); },
      [this](barrier_passed m) {
        inbox_.barrier_passed(m.sequence);
        if (let_callers_in()) read_on();
      },
      [this](read_more) { read_on(); },
      [this](restart_now m) {
        const auto at = slots_.find(m.id);
        if (at != slots_.end() && at->second->state == slot_state::restarting) start(*at->second);
      },
      [this](const undo_again& m) {
        const auto at = aside_.find(m.ref);
        if (at != aside_.end()) forward(std::move(aside_.extract(at).mapped()));
      },
      [this](sweep_now) {
        sweep();
        delayed_send(this, sweep_every, sweep_now{});
      },
  };
}

void partition_supervisor::on_exit() {
  if (counted_closed_) --node_.contexts[context_.index].lanes_closed;
  for (auto& s : by_use_)
    if (s.by.handle) anon_send_exit(s.by.handle, caf::exit_reason::kill);
  for (auto& r : resting_) anon_send_exit(r.handle, caf::exit_reason::kill);
  resting_.clear();
  count_awake(-static_cast<std::int64_t>(slots_.size()));
  slots_.clear();
  by_use_.clear();
  kept_.clear();
  aside_.clear();
}

// ---- the lane

void partition_supervisor::open() {
  inbox_.open();
  append_request barrier;
  barrier.guard = guard_;
  const auto self = caf::actor_cast<caf::actor>(this);
  // The sequence is known only once it is queued; everything queued before is durable when the output runs, so "now durable" is it.
  barrier.outputs.push_back([self, this_node = &node_] { caf::anon_send(self, barrier_passed{this_node->log.durable() - 1}); });
  (void)node_.log.append(std::move(barrier));
}

void partition_supervisor::read_on() {
  if (inbox_.state() != inbox::phase::reading) return;
  std::vector<storage::stored_message> messages;
  try {
    messages = inbox_.read(*node_.store.read(), node_.types, read_chunk);
  } catch (const std::exception& e) { return cannot_read(e.what()); }
  for (const auto& m : messages) forward_from_disk(node_.delivery_of(m));
  if (!messages.empty()) {
    // One round of the journal between two chunks: the aggregates keep up, memory stays bounded.
    append_request pause;
    const auto self = caf::actor_cast<caf::actor>(this);
    pause.outputs.push_back([self] { caf::anon_send(self, read_more{}); });
    (void)node_.log.append(std::move(pause));
  } else if (inbox_.state() == inbox::phase::needs_barrier) {
    open();
  } else {
    go_live();
  }
}

void partition_supervisor::cannot_read(const std::string& why) {
  telemetry::log(telemetry::level::error, "a lane could not be read", {{"context", context_.name}, {"error", why}});
  quit(caf::sec::runtime_error);
}

void partition_supervisor::forward_from_disk(delivery_ptr d) {
  d->sent_us = node_.time.steady_us();
  ++node_.contexts[context_.index].mailbox;
  forward(std::move(d));
}

void partition_supervisor::go_live() {
  auto kept = std::move(kept_);
  kept_.clear();
  for (auto& d : kept) {
    if (d->kind == delivery_kind::message && inbox_.was_read(d->ref))
      node_.settle(*d);
    else
      forward(std::move(d));
  }
  take_parked();
  if (counted_closed_) {
    counted_closed_ = false;
    --node_.contexts[context_.index].lanes_closed;
  }
}

// What a predecessor appended last is on disk now: only from here on do aggregates wake with the state that it left. Steps that nobody
// confirmed are undone first: a caller would take such a step for one that stands. False: the lane cannot be read.
bool partition_supervisor::let_callers_in() {
  if (callers_let_in_) return true;
  std::vector<inbox::left_step> left;
  try {
    left = inbox_.left_steps(*node_.store.read(), node_.types);
  } catch (const std::exception& e) {
    cannot_read(e.what());
    return false;
  }
  for (const auto& step : left) forward_from_disk(node_.delivery_of(step.ref, step.held));
  callers_let_in_ = true;
  take_parked();
  let_in({delivery_kind::undo});
  let_in({delivery_kind::request, delivery_kind::ask});
  return true;
}

// Of what was kept, in its order.
void partition_supervisor::let_in(std::initializer_list<delivery_kind> kinds) {
  auto kept = std::move(kept_);
  kept_.clear();
  for (auto& d : kept) {
    if (std::find(kinds.begin(), kinds.end(), d->kind) != kinds.end())
      forward(std::move(d));
    else
      kept_.push_back(std::move(d));
  }
}

void partition_supervisor::take_parked() {
  for (auto& d : node_.unpark(guard_.where)) take(std::move(d));
}

// Asks are told apart by who waits for the answer and its number; messages by their name for ever.
bool partition_supervisor::came_before(const delivery& d) {
  if (d.kind == delivery_kind::ask) return !heard_asks_.first_time({d.reply_to.id(), d.ask});
  return !heard_messages_.first_time({d.ref.id.sequence, d.ref.id.index});
}

void partition_supervisor::take(delivery_ptr d) {
  if (d->may_come_twice && d->epoch == 0 && came_before(*d)) {
    node_.settle(*d);
    return;
  }
  const bool returned_from_here = d->epoch == guard_.epoch;
  if (d->kind == delivery_kind::undo && !returned_from_here && d->ref.id.sequence < node_.first_sequence) {
    node_.settle(*d);  // a predecessor read it from disk and so does this one: an earlier run's step is in nobody's memory
    return;
  }
  if (d->kind != delivery_kind::message && !callers_let_in_) {
    kept_.push_back(std::move(d));
  } else if (d->kind != delivery_kind::message || returned_from_here) {
    forward(std::move(d));
  } else {
    switch (inbox_.judge(d->ref)) {
      case inbox::verdict::now: forward(std::move(d)); break;
      case inbox::verdict::never: node_.settle(*d); break;
      case inbox::verdict::later:
        kept_.push_back(std::move(d));
        if (kept_.size() <= kept_max) break;
        inbox_.overflow();
        std::erase_if(kept_, [&](const delivery_ptr& k) {
          if (k->kind != delivery_kind::message) return false;
          node_.settle(*k);
          return true;
        });
    }
  }
}

// ---- the aggregates

void partition_supervisor::forward(delivery_ptr d) {
  std::uint64_t id = 0;
  try {
    id = resolve(d->to);
  } catch (const std::exception& e) {
    // Not "there is none": a second aggregate under the key would be made. Asking again would find the same.
    ++d->attempts;
    return give_up(std::move(d), std::string("who has the key cannot be read: ") + e.what());
  }
  const auto limit = static_cast<std::int64_t>(node_.settings.awake_max);
  if (d->kind == delivery_kind::request && node_.awake.load() > limit + limit / 2 && !slots_.contains(id)) {
    node_.refuse(*d, {rejection_kind::overloaded, "Too many aggregates are awake (runtime.awakeMax).", {}, 1000});
    return;
  }
  d->to.id = id;
  d->epoch = guard_.epoch;
  // It has reached its lane: were it parked for its receiver's deaths, later messages would overtake it.
  if (d->kind == delivery_kind::message || d->kind == delivery_kind::undo) d->returns = std::min<std::uint8_t>(d->returns, 1);
  const auto at = wake(id, d->to.key);
  touch(at);
  auto& s = *at;
  if (s.state == slot_state::awake) {
    give(s, std::move(d));
    return;
  }
  // Messages that come back from a failed aggregate and newer ones meet here: by their place in the log, each sender's order holds.
  const auto comes_after_it = [&](const delivery_ptr& other) {
    return d->kind == delivery_kind::message && other->kind == delivery_kind::message && d->ref.id < other->ref.id;
  };
  auto& waiting = s.waiting_list();
  waiting.insert(std::find_if(waiting.begin(), waiting.end(), comes_after_it), std::move(d));
}

std::uint64_t partition_supervisor::resolve(const storage::address& to) {
  if (to.key.empty()) return to.id;
  const auto known = ids_by_key_.find(to.key);
  if (known != ids_by_key_.end()) return known->second;
  const auto key = storage::unique_key(context_.index, to.key);
  std::optional<std::uint64_t> stored;
  if (node_.store.may_have(storage::table::index, key)) stored = storage::read_number(*node_.store.read(), storage::table::index, key);
  const auto id = stored ? *stored : node_.deal_id(context_.index);
  ids_by_key_.emplace(to.key, id);
  return id;
}

partition_supervisor::place partition_supervisor::wake(std::uint64_t id, const std::string& key) {
  const auto [at, fresh] = slots_.try_emplace(id);
  if (!fresh) return at->second;
  const auto p = at->second = by_use_.emplace(by_use_.end());
  p->id = id;
  p->key = key;
  count_awake(1);
  make_room();
  start(*p);
  return p;
}

void partition_supervisor::start(slot& s) {
  s.state = slot_state::awake;
  if (resting_.empty()) {
    s.by = {nullptr, ++incarnations_, std::make_shared<entity_gauge>(), 0, true};
    s.by.handle = home_system().spawn<entity, caf::lazy_init + caf::hidden>(
        node_, entity::identity{s.id, s.key, s.by.incarnation, guard_, s.by.gauge}, caf::actor_cast<caf::actor>(this));
  } else {
    s.by = std::move(resting_.back());
    resting_.pop_back();
    s.by.knows_aggregate = false;
  }
  if (const auto waiting = std::exchange(s.waiting, nullptr))
    for (auto& d : *waiting) give(s, std::move(d));
}

void partition_supervisor::give(slot& s, delivery_ptr d) {
  ++s.by.sent;
  if (std::exchange(s.by.knows_aggregate, true))
    send(s.by.handle, std::move(d));
  else
    send(s.by.handle, become_aggregate{s.id, s.key}, std::move(d));
}

void partition_supervisor::touch(place p) {
  const auto now = node_.time.steady_ms();
  if (now - p->used_ms > node_.settings.restart_period.count()) p->failures = 0;
  p->used_ms = now;
  to_the_back(p);
}

void partition_supervisor::forget(place p) {
  if (!p->key.empty()) ids_by_key_.erase(p->key);
  slots_.erase(p->id);
  by_use_.erase(p);
  count_awake(-1);
}

void partition_supervisor::count_awake(std::int64_t more) {
  node_.awake += more;
  node_.contexts[context_.index].awake += more;
  node_.contexts[context_.index].awake_in[guard_.where.partition] += more;
}

// ---- falling asleep

bool partition_supervisor::too_many_awake() const {
  return node_.awake.load() > static_cast<std::int64_t>(std::min(node_.settings.kept_awake_max, node_.settings.awake_max));
}

// Nothing is on its way to it, under way or waiting there, and what it recorded is on disk, from where it wakes again.
bool partition_supervisor::is_idle(const slot& s) const {
  if (s.state != slot_state::awake || !s.by.handle || s.by.gauge->finished.load(std::memory_order_acquire) != s.by.sent) return false;
  const auto last = s.by.gauge->last_appended.load(std::memory_order_relaxed);
  return last == 0 || last < node_.log.durable();
}

void partition_supervisor::put_to_sleep(place p) {
  if (resting_.size() < resting_max)
    resting_.push_back(std::move(p->by));
  else
    send(p->by.handle, retire{});
  forget(p);
}

// The front of by_use_ is the longest unused; who cannot sleep yet goes to the back.
void partition_supervisor::sweep() {
  if (inbox_.state() == inbox::phase::live) take_parked();
  const auto now = node_.time.steady_ms();
  while (!by_use_.empty()) {
    const auto longest_unused = by_use_.begin();
    const auto may_stay = too_many_awake() ? sweep_every : node_.settings.idle;
    if (longest_unused->state != slot_state::awake || longest_unused->used_ms > now - may_stay.count()) return;
    if (is_idle(*longest_unused))
      put_to_sleep(longest_unused);
    else
      touch(longest_unused);
  }
}

// Two for each that wakes: the number shrinks even if some cannot.
void partition_supervisor::make_room() {
  if (!too_many_awake()) return;
  for (int looked = 0; looked < 2 && by_use_.size() > 1; ++looked) {
    const auto longest_unused = by_use_.begin();
    if (is_idle(*longest_unused))
      put_to_sleep(longest_unused);
    else
      touch(longest_unused);
  }
}

// ---- failing

void partition_supervisor::on_stumbled(stumbled& m) {
  const auto at = slots_.find(m.id);
  if (at == slots_.end() || at->second->by.incarnation != m.incarnation) return;
  auto& s = *at->second;
  auto& d = *m.with;
  telemetry::log(telemetry::level::warn, "a handler failed",
                 {{"aggregate", context_.name + "/" + std::to_string(m.id)},
                  {"message", d.payload ? std::string(d.payload.type().name) : "undo"},
                  {"error", m.error},
                  {"attempt", std::to_string(d.attempts + 1)}});
  if (m.counts) ++d.attempts;
  if (d.attempts < node_.settings.poison_attempts) {
    if (d.compensating) node_.undos.failed(d.ref, m.error);
    s.waiting_list().push_front(std::move(m.with));
  } else {
    give_up(std::move(m.with), m.error);
  }
  restart_later(at->second);
}

void partition_supervisor::give_up(delivery_ptr d, const std::string& error) {
  if (d->compensating && must_arrive(*d))
    set_aside(std::move(d), error);
  else
    bury(*d, error);
}

// Until it is done something of a refused request stands, so it is tried for ever; its aggregate goes on meanwhile.
void partition_supervisor::set_aside(delivery_ptr d, const std::string& error) {
  const auto& s = node_.settings;
  node_.undos.failed(d->ref, error);
  const auto tries_aside = 1 + (d->attempts > s.poison_attempts ? d->attempts - s.poison_attempts : 0);
  const auto wait = restart_policy::backoff(tries_aside, s.undo_retry_min, s.undo_retry_max, node_.random.next());
  node_.undos.waits_until(d->ref, node_.time.steady_ms() + wait.count());
  telemetry::log(telemetry::level::error, "an undo fails and is tried again later; see: crema supervisors",
                 {{"aggregate", context_.name + "/" + std::to_string(d->to.id)},
                  {"undo", std::string(name_of(*d))},
                  {"attempts", std::to_string(d->attempts)},
                  {"wait_ms", std::to_string(wait.count())}});
  delayed_send(this, wait, undo_again{d->ref});
  aside_.emplace(d->ref, std::move(d));
}

void partition_supervisor::on_gone(const gone& m) {
  const auto is_it = [&](const worker& w) { return w.incarnation == m.incarnation; };
  auto at = slots_.find(m.id);
  if (at == slots_.end() || !is_it(at->second->by)) {  // it ended while it rested, or before it learnt what it has become
    if (std::erase_if(resting_, is_it) > 0) return;
    at = std::find_if(slots_.begin(), slots_.end(), [&](const auto& entry) { return is_it(entry.second->by); });
  }
  if (at != slots_.end()) restart_later(at->second);
}

void partition_supervisor::restart_later(place p) {
  ++node_.contexts[context_.index].restarts;
  p->state = slot_state::restarting;
  p->by = {};
  to_the_back(p);
  ++p->failures;
  const auto wait = restart_policy::backoff(p->failures, node_.settings.backoff_min, node_.settings.backoff_max, node_.random.next());
  // Its last record may not be durable yet, and it wakes from what is: behind a round of the journal.
  append_request barrier;
  const auto self = caf::actor_cast<caf::actor>(this);
  barrier.outputs.push_back([self, wait, id = p->id] { caf::delayed_anon_send(self, wait, restart_now{id}); });
  (void)node_.log.append(std::move(barrier));
}

// The message is settled and kept for people to see; its asker gets an answer.
void partition_supervisor::bury(delivery& d, const std::string& error) {
  ++node_.contexts[context_.index].dead_letters;
  append_request request;
  request.guard = guard_;
  storage::journal_record r;
  r.partition = guard_.where.partition;
  r.at = node_.time.wall();
  r.subject = d.to;
  r.causation = d.causation;
  r.correlation = d.correlation;
  r.trace = d.trace;
  storage::dead_letter letter;
  letter.message.ref.where = guard_.where;
  letter.message.to = d.to;
  letter.message.from = d.from;
  letter.message.causation = d.causation;
  letter.message.correlation = d.correlation;
  letter.message.trace = d.trace;
  letter.message.compensating = d.compensating;
  letter.message.payload = d.payload;
  letter.error = error;
  letter.attempts = d.attempts;
  letter.at = r.at;
  letter.was = d.kind == delivery_kind::request ? storage::letter_kind::request
               : d.kind == delivery_kind::ask   ? storage::letter_kind::ask
                                                : storage::letter_kind::message;
  if (d.kind == delivery_kind::request) {
    letter.creates = d.creates;
    letter.expected_version = d.expected_version;
    letter.idempotency = d.idempotency;
  }
  if (d.replays != 0) r.revived.push_back(d.replays);
  r.died = std::move(letter);
  if (d.kind == delivery_kind::message) r.consumed.push_back(d.ref);
  request.record = std::make_shared<storage::journal_record>(std::move(r));
  const auto written = node_.log.append(std::move(request));
  telemetry::log(telemetry::level::error, "a message failed too often and went to the dead letters; see: crema deadletters list",
                 {{"aggregate", context_.name + "/" + std::to_string(d.to.id)},
                  {"error", error},
                  {"id", std::to_string(written ? written->sequence : 0)}});
  if (!written) return;
  if (d.kind == delivery_kind::message) {
    node_.settle(d);
  } else {
    d.rests_on = std::max(d.rests_on, written->sequence);
    node_.refuse(d, {rejection_kind::failed, "The '" + context_.name + "' failed to handle the request.", {}, 0});
  }
}

}  // namespace crema::actors
