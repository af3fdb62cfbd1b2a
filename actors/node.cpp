#include "actors/node.hpp"

#include <algorithm>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/send.hpp>
#include <filesystem>

#include "actors/node_parts.hpp"
#include "actors/root_supervisor.hpp"
#include "actors/taking_turns.hpp"
#include "storage/format.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"
#include "storage/queries.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

// ---- idempotency keys under way

namespace {

rejection key_used_otherwise() {
  return rejection::invalid("Idempotency-Key", "This Idempotency-Key was used with another request; use a new key for a new request.");
}

}  // namespace

idempotency_desk::entry idempotency_desk::enter(const idempotency_key& key, answer_handler& on_answer) {
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = under_way_.try_emplace(key.key, waiting{key.fingerprint, {}});
  if (fresh) return entry::first;
  if (at->second.fingerprint != key.fingerprint) {
    at->second.also.push_back([tell = std::move(on_answer)](const command_answer&) { tell({key_used_otherwise(), {}, false}); });
    return entry::other_request;
  }
  at->second.also.push_back(std::move(on_answer));
  return entry::joined;
}

bool idempotency_desk::enter_alone(const idempotency_key& key) {
  const std::lock_guard lock(mutex_);
  return under_way_.try_emplace(key.key, waiting{key.fingerprint, {}}).second;
}

std::vector<answer_handler> idempotency_desk::leave(const idempotency_key& key) {
  const std::lock_guard lock(mutex_);
  const auto at = under_way_.find(key.key);
  if (at == under_way_.end()) return {};
  auto also = std::move(at->second.also);
  under_way_.erase(at);
  return also;
}

// ---- start and stop

node::parts::parts(node_parts p, runtime_settings s) : given(std::move(p)), settings(std::move(s)) {
  if (given.by_hand)
    config.set("scheduler.policy", caf::atom("testing"));
  else
    share_in_turns(config, settings.threads > 0 ? settings.threads : std::max(1U, std::thread::hardware_concurrency()));
}

node::node(node_parts given, runtime_settings settings) : parts_(std::make_unique<parts>(std::move(given), std::move(settings))) {}

node::~node() { stop(); }

void node::start() {
  auto& p = *parts_;
  if (p.settings.faults_enabled) p.prepare_faults();
  storage::prepare(*p.given.store, *p.given.system, p.settings.partitions, random_source(p.settings.seed).next());
  p.log = std::make_unique<journal>(*p.given.store, p.given.system->contexts.size(), p.settings, *p.given.time, *p.given.metrics);
  p.log->on_failure([&p](const std::string& why) { p.give_up(why); });
  p.actors = std::make_unique<caf::actor_system>(p.config);
  p.shared = std::make_unique<services>(*p.given.system, p.settings, *p.given.time, *p.given.store, *p.log, *p.given.metrics,
                                        *p.given.traces, p.faults);
  p.count_outstanding();
  p.log->add_listener([&s = *p.shared](const committed_batch_ptr& b) { s.count_consumed(*b); });
  if (!p.given.by_hand) p.log->start();
  p.root = p.actors->spawn<root_supervisor>(*p.shared, p.given.sink, [&p](const std::string& why) { p.give_up(why); });
  p.show_metrics();
  p.started = true;
  telemetry::log(telemetry::level::info, "the node recovered",
                 {{"system", p.given.system->name},
                  {"next_offset", std::to_string(p.log->durable())},
                  {"chains_to_settle", std::to_string(p.shared->compensations.load())}});
}

void node::stop() {
  auto& p = *parts_;
  *p.alive = false;
  if (!p.started || p.stopped.exchange(true)) return;
  p.given.metrics->remove_refresh(p.metrics_refresh);
  cancel_backups();
  {
    const std::lock_guard lock(p.helpers_mutex);
    for (auto& t : p.helpers) t.join();
    p.helpers.clear();
  }
  // The journal first writes what it has and releases it; then nobody can append, and the actors end.
  p.shared->closing = true;
  if (!p.given.by_hand) p.log->stop();  // by hand, what was not stepped did not happen
  if (p.root) caf::anon_send_exit(p.root, caf::exit_reason::kill);
  p.root = nullptr;
  p.shared->clear_directory();
  if (p.given.by_hand) p.given.by_hand(*p.actors);
  p.actors->await_all_actors_done();
  p.shared->clear_directory();  // of who entered it in his last moment: no handle outlives the actor system
  p.actors.reset();
  p.log->drop_queue();
  if (p.given.advise_store) p.given.advise_store({});
}

void node::parts::count_outstanding() {
  const auto now = given.store->read();
  for (const auto t : {storage::table::outbox, storage::table::timers}) {
    const auto at = now->open(t);
    for (bool there = at->seek({}); there; there = at->next()) {
      wire::reader in(at->value());
      const bool is_hold = in.byte() != 0;
      std::uint16_t receiver = 0;
      bool compensating = is_hold;
      if (t == storage::table::outbox) {
        const auto ref = storage::parse_outbox_key(at->key());
        receiver = ref.where.context;
        if (is_hold) {
          const auto step = storage::decode_hold(in.rest(), shared->types);
          shared->provisional.enter(step.subject);
          shared->undos.enter({ref, step.subject, step.undo ? std::string(step.undo.type().name) : "undo"});
        } else {
          const auto m = storage::decode_message(in, shared->types);
          compensating = m.compensating;
          if (compensating) shared->undos.enter({ref, m.to, std::string(m.payload.type().name)});
        }
      } else {
        receiver = storage::decode_message(in, shared->types).to.context;
      }
      ++shared->contexts[receiver].outbox;
      if (compensating) ++shared->compensations;
    }
  }
}

void node::parts::give_up(const std::string& why) {
  if (given.on_failure) given.on_failure(why);
}

bool node::ready() const noexcept {
  auto& p = *parts_;
  if (!p.started || p.stopped || p.log->failed() || !p.given.store->has_room()) return false;
  if (p.shared->undos.stuck() > 0) return false;  // something stands that its caller was told does not
  if (p.settled) return true;
  if (p.shared->compensations.load() > 0) return false;
  for (const auto& c : p.shared->contexts)
    if (!c.running) return false;
  p.settled = true;  // from now on, what is stopped is stopped on purpose
  return true;
}

bool node::live() const noexcept {
  return parts_->started && !parts_->log->failed() && !parts_->faults.zombie(parts_->given.time->steady_ms());
}

// ---- ask

const system_declaration& node::system() const noexcept { return *parts_->given.system; }

void node::ask(command_request request, answer_handler on_answer) {
  auto& p = *parts_;
  if (!request.idempotency) {
    p.send(std::move(request), std::move(on_answer));
    return;
  }
  const auto key = *request.idempotency;
  switch (p.desk.enter(key, on_answer)) {
    case idempotency_desk::entry::joined:
    case idempotency_desk::entry::other_request: return;
    case idempotency_desk::entry::first: break;
  }
  auto settle = [&p, key, first = std::move(on_answer)](command_answer a) {
    for (const auto& also : p.desk.leave(key)) {
      auto copy = a;
      copy.replayed = !copy.refused;
      also(std::move(copy));
    }
    first(std::move(a));
  };
  // Looked up only now that no other request with this key is under way.
  if (auto before = p.answered_before(request))
    settle(std::move(*before));
  else
    p.send(std::move(request), std::move(settle));
}

// An answer that cannot be read is not taken for none: the request may have been carried out.
std::optional<command_answer> node::parts::answered_before(const command_request& r) const try {
  const auto now = given.store->read();
  const auto bytes =
      now->get(storage::table::idempotency, {reinterpret_cast<const char*>(r.idempotency->key.data()), r.idempotency->key.size()});
  if (!bytes) return std::nullopt;
  const auto entry = storage::decode_idempotency(*bytes);
  if (given.time->wall().ms - entry.at.ms > settings.idempotency_ttl.count()) return std::nullopt;
  if (entry.fingerprint != r.idempotency->fingerprint) return command_answer{key_used_otherwise(), {}, false};
  command_answer a;
  a.resource = storage::decode_row(*given.system->contexts[entry.context].state, entry.id, entry.row_bytes);
  a.replayed = true;
  return a;
} catch (const std::exception& e) {
  telemetry::log(telemetry::level::error, "an answer kept under an idempotency key cannot be read", {{"error", e.what()}});
  return command_answer{
      rejection{rejection_kind::failed, "What was answered under this Idempotency-Key before cannot be read, so nothing was done.", {}, 0},
      {},
      false};
}

std::optional<rejection> node::parts::overload(const command_request& r) const {
  const auto refused = [](std::string why) { return rejection{rejection_kind::overloaded, std::move(why), {}, 1000}; };
  if (stopped || !started || log->failed()) return rejection{rejection_kind::stopped, "The node is stopping.", {}, 1000};
  if (shared->in_flight.load() >= static_cast<std::int64_t>(settings.in_flight_max))
    return refused("Too many requests are being handled (runtime.inFlightMax).");
  if (log->depth() >= settings.journal_queue_max) return refused("The disk is behind (journal.queueMax).");
  switch (given.store->short_of()) {
    case storage::shortage::none: break;
    case storage::shortage::disk: return refused("The disk has no room for more (data.reserveBytes).");
    case storage::shortage::limit: return refused("The data file may hardly grow any more (data.mapBytesMax).");
  }
  (void)r;
  return std::nullopt;
}

void node::parts::send(command_request r, answer_handler on_answer) {
  if (auto why = overload(r)) {
    on_answer({std::move(*why), {}, false});
    return;
  }
  auto d = std::make_shared<delivery>();
  d->node = shared.get();
  d->kind = delivery_kind::request;
  d->creates = !r.id;
  d->to = {r.context, r.id ? *r.id : 0, {}};
  const auto& context = given.system->contexts[r.context];
  if (context.key_of && d->creates)
    d->to.key = context.key_of(r.command);
  else if (d->creates)
    d->to.id = shared->deal_id(r.context);
  d->payload = std::move(r.command);
  d->expected_version = r.expected_version;
  d->read_only = std::move(r.read_only);
  d->idempotency = r.idempotency;
  d->trace = r.trace;
  d->correlation = d->to;
  submit(std::move(d), r.time_limit, std::move(on_answer));
}

void node::parts::submit(delivery_ptr d, milliseconds time_limit, answer_handler on_answer) {
  ++shared->in_flight;
  d->deadline_ms = given.time->steady_ms() + time_limit.count();
  d->on_answer = [count = &shared->in_flight, tell = std::move(on_answer)](command_answer a) {
    --*count;
    tell(std::move(a));
  };
  shared->deliver(std::move(d));
}

// ---- query

namespace {
const resource_declaration& resource_of(const system_declaration& s, collection_ref c) {
  return c.view ? s.views[c.index].resource : *s.contexts[c.index].resource;
}
}  // namespace

std::optional<stored_row> node::get(collection_ref from, std::uint64_t id) const {
  return storage::read_row(*parts_->given.store->read(), *resource_of(system(), from).row, from, id);
}

result<page> node::list(collection_ref from, const page_request& request) const {
  return storage::list_rows(*parts_->given.store->read(), resource_of(system(), from), from, request, parts_->settings.sort_rows_max);
}

result<page> node::find(collection_ref from, const finder_declaration& finder, const std::vector<scalar>& arguments,
                        const page_request& request) const {
  return storage::find_rows(*parts_->given.store->read(), resource_of(system(), from), from, finder, arguments, request,
                            parts_->settings.sort_rows_max);
}

event_page node::events(const event_query& query) const {
  return storage::read_events(*parts_->given.store->read(), parts_->shared->types, query);
}

namespace {

class journal_subscription final : public subscription {
 public:
  journal_subscription(journal& log, std::shared_ptr<std::atomic<bool>> alive, std::function<void()> wake)
      : log_(log), alive_(std::move(alive)), id_(log.add_listener([tell = std::move(wake)](const committed_batch_ptr&) { tell(); })) {}
  ~journal_subscription() override {
    if (*alive_) log_.remove_listener(id_);
  }

 private:
  journal& log_;
  std::shared_ptr<std::atomic<bool>> alive_;
  int id_;
};

}  // namespace

std::unique_ptr<subscription> node::subscribe(std::function<void()> wake) {
  return std::make_unique<journal_subscription>(*parts_->log, parts_->alive, std::move(wake));
}

std::string_view node::history() const noexcept { return parts_->shared ? std::string_view(parts_->shared->history) : std::string_view(); }

// From the same place as the events themselves: whoever has seen one is behind it.
std::uint64_t node::next_offset() const { return storage::next_sequence(*parts_->given.store->read()); }

std::string node::metrics() const { return parts_->given.metrics->text(); }

}  // namespace crema::actors
