#include "actors/notifier.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <mutex>

#include "actors/supervision.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"
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
  delivery_report report;
};
struct read_further {};
struct try_again {
  std::int64_t due_ms = 0;
};
struct settled {
  std::vector<storage::outbox_ref> refs;
  bool delivered = true;
};
struct on_disk_now {};

}  // namespace

}  // namespace crema::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::lane_open)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::posted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::read_further)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::try_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::settled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(crema::actors::on_disk_now)

namespace crema::actors {

// A try may end when the notifier, and all actors with it, are gone: then nobody is told.
class notifier::return_address {
 public:
  explicit return_address(caf::actor to) : to_(std::move(to)) {}
  void close() {
    const std::lock_guard lock(mutex_);
    to_ = nullptr;
  }
  void tell(posted outcome) {
    const std::lock_guard lock(mutex_);
    if (to_) caf::anon_send(to_, std::move(outcome));
  }

 private:
  std::mutex mutex_;
  caf::actor to_;
};

notifier::notifier(caf::actor_config& cfg, services& node, const context_declaration& context, std::uint64_t epoch,
                   std::shared_ptr<notification_sink> sink)
    : base_actor(cfg),
      node_(node),
      context_(context),
      guard_{{context.index, storage::notification_partition}, epoch},
      sink_(std::move(sink)),
      inbox_(guard_.where, node.first_sequence) {
  const auto counter = [&](const char* result) {
    return node.metrics.make_counter("crema_notifications_total", "Notifications by how a try ended",
                                     {{"context", context.name}, {"result", result}});
  };
  delivered_counter_ = counter("delivered");
  failed_counter_ = counter("failed");
  dead_counter_ = counter("dead_lettered");
}

caf::behavior notifier::make_behavior() {
  node_.notifier(context_.index)
      .set(caf::actor_cast<caf::actor>(this));  // before the barrier is queued: what comes behind it finds somebody
  home_ = std::make_shared<return_address>(caf::actor_cast<caf::actor>(this));
  inbox_.open();
  pass_barrier();
  return {
      [this](const stored_message_ptr& m) { take(m); },
      [this](lane_open m) {
        inbox_.barrier_passed(m.sequence);
        go_on();
      },
      [this](const posted& m) {
        on_done(m.number, m.report);
        go_on();
      },
      [this](read_further) { go_on(); },
      [this](try_again m) {
        if (wakes_at_ms_ == m.due_ms) wakes_at_ms_.reset();
        go_on();
      },
      [this](const settled& m) {
        for (const auto& ref : m.refs) in_hand_.erase(ref);
        if (m.delivered) settling_ = false;
        settle();
      },
      [this](on_disk_now) {
        waits_for_disk_ = false;
        go_on();
      },
  };
}

void notifier::on_exit() {
  if (home_) home_->close();
  sink_.reset();
  kept_.clear();
  waiting_.clear();
  in_flight_.clear();
  failing_ = {};
  show_figures();
}

void notifier::pass_barrier() {
  append_request barrier;
  barrier.guard = guard_;
  const auto self = caf::actor_cast<caf::actor>(this);
  barrier.outputs.push_back([self, this_node = &node_] { caf::anon_send(self, lane_open{this_node->log.durable() - 1}); });
  (void)node_.log.append(std::move(barrier));
}

void notifier::take(const stored_message_ptr& m) {
  if (inbox_.state() == inbox::phase::live && waiting_.size() >= waiting_max) {  // too far behind: back to reading from disk
    waiting_.clear();
    inbox_.open_again();
    pass_barrier();
  }
  switch (inbox_.judge(m->ref)) {
    case inbox::verdict::now: waiting_.push_back({{m->ref}, m, false, {}, 0}); break;
    case inbox::verdict::never: return;
    case inbox::verdict::later:
      kept_.push_back(m);
      if (kept_.size() > waiting_max) {
        inbox_.overflow();
        kept_.clear();
      }
      return;
  }
  send_ready();
}

// What is sent, or waits for its receiver, makes room for more to be read.
void notifier::go_on() {
  read_on();
  send_ready();
  if (inbox_.state() == inbox::phase::reading && waiting_.empty()) send(this, read_further{});
}

void notifier::read_on() {
  while (inbox_.state() == inbox::phase::reading && waiting_.size() < read_chunk) {
    auto messages = inbox_.read(*node_.store.read(), node_.types, read_chunk);
    for (auto& m : messages) {
      if (in_hand_.contains(m.ref)) continue;
      const auto ref = m.ref;
      waiting_.push_back({{ref}, std::make_shared<storage::stored_message>(std::move(m)), false, {}, 0});
    }
    if (!messages.empty()) return;
    if (inbox_.state() == inbox::phase::needs_barrier) {
      pass_barrier();
    } else {
      for (auto& m : kept_)
        if (!inbox_.was_read(m->ref)) waiting_.push_back({{m->ref}, m, false, {}, 0});
      kept_.clear();
    }
  }
}

void notifier::send_ready() {
  while (in_flight_.size() < node_.settings.notify_concurrent_max)
    if (!send_again() && !send_next()) break;
  wake_for_retries();
  show_figures();
}

// A receiver that has rested is tried again; never with so many at a time that the others would wait for it.
bool notifier::send_again() {
  if (again_in_flight_ >= std::max(1U, node_.settings.notify_concurrent_max / 2)) return false;
  auto due = failing_.take_due(node_.time.steady_ms());
  if (!due) return false;
  if (auto message = read_again(due->second.ref))
    post({std::move(due->second), std::move(message), true, {}, 0});
  else
    let_go(due->first);
  return true;
}

// False: nothing waits, or the next is not on disk yet.
bool notifier::send_next() {
  if (waiting_.empty()) return false;
  auto& next = waiting_.front();
  if (next.what.ref.id.sequence >= node_.log.durable()) {
    wait_for_disk();
    return false;
  }
  if (!next.message) next.message = read_again(next.what.ref);
  if (next.message) {
    in_hand_.insert(next.what.ref);
    if (failing_.rests(next.to()))
      failing_.add(next.to(), std::move(next.what));
    else
      post(std::move(next));
  }
  waiting_.pop_front();
  return true;
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

void notifier::wake_for_retries() {
  const auto due = failing_.next_due_ms();
  if (!due || (wakes_at_ms_ && *wakes_at_ms_ <= *due)) return;
  const auto wait = std::max<std::int64_t>(0, *due - node_.time.steady_ms());
  if (wait == 0) return;  // it waits for a place, and whoever frees one looks again
  wakes_at_ms_ = due;
  delayed_send(this, milliseconds(wait), try_again{*due});
}

stored_message_ptr notifier::read_again(const storage::outbox_ref& ref) {
  const auto now = node_.store.read();
  const auto bytes = now->get(storage::table::outbox, storage::outbox_key(ref));
  if (!bytes) return nullptr;
  wire::reader in(*bytes);
  if (in.byte() != 0) throw decode_error("a step stands where a message should");
  auto m = storage::decode_message(in, node_.types);
  m.ref = ref;
  return std::make_shared<storage::stored_message>(std::move(m));
}

void notifier::post(letter l) {
  const auto number = ++numbers_;
  l.span = l.message->trace;
  l.span.span_id = node_.new_span_id();
  l.began_us = node_.time.steady_us();
  if (l.again) ++again_in_flight_;
  const auto& id = l.message->known_as();
  const auto* n = l.message->payload.as<notification>();
  outgoing_notification out{node_.system.name + "-" + node_.history + "-" + std::to_string(id.sequence) + "-" + std::to_string(id.index),
                            n->to, n->text, l.span};
  in_flight_.emplace(number, std::move(l));
  sink_->deliver(std::move(out), [to = home_, number](delivery_report r) { to->tell({number, std::move(r)}); });
}

void notifier::on_done(std::uint64_t number, const delivery_report& report) {
  const auto at = in_flight_.find(number);
  if (at == in_flight_.end()) return;
  auto l = std::move(at->second);
  in_flight_.erase(at);
  if (l.again) --again_in_flight_;
  const auto& m = *l.message;
  const bool delivered = report.is == delivery_report::verdict::delivered;
  node_.record_span({"notify", m.payload.type().name, m.to.context, m.to.id, l.span, m.trace.span_id, l.began_us, 0, !delivered,
                     report.reason, report.http});
  if (!delivered) {
    failed_counter_.add();
    on_failed(std::move(l), report);
    return;
  }
  delivered_counter_.add();
  delivered_.push_back(l.what.ref);
  let_go(l.to());
  settle();
}

void notifier::on_failed(letter l, const delivery_report& report) {
  const auto to = l.to();
  if (report.is == delivery_report::verdict::refused) {
    bury(l, report.reason);
    let_go(to);
    return;
  }
  const auto& s = node_.settings;
  const auto failures = failing_.count_failure(to);
  ++l.what.tries;
  const auto now_ms = node_.time.steady_ms();
  auto wait = restart_policy::backoff(failures, s.notify_retry_min, s.notify_retry_max, node_.random.next());
  if (report.retry_after) wait = std::max(wait, *report.retry_after);
  if (const auto why = given_up(l.what)) {
    bury(l, *why + "; at last: " + report.reason);
    failing_.rest(to, std::nullopt, now_ms + wait.count());
    return;
  }
  // One more try before it is too old, whatever the receiver wishes.
  wait = std::min(wait, milliseconds(std::max<std::int64_t>(1, *l.what.recorded_ms + s.notify_age_max.count() - now_ms)));
  failing_.rest(to, std::move(l.what), now_ms + wait.count());
}

// Why it is not tried again, if so. A notification is as old as the record that put it, on disk: a restart does not make it younger.
std::optional<std::string> notifier::given_up(failing_receivers::letter& l) const {
  const auto now_ms = node_.time.steady_ms();
  if (!l.recorded_ms) {
    const auto record = storage::read_record(*node_.store.read(), l.ref.id.sequence, node_.types);
    const auto age = record ? std::max<std::int64_t>(0, node_.time.wall().ms - record->at.ms) : 0;
    l.recorded_ms = now_ms - age;
  }
  const auto& s = node_.settings;
  if (l.tries >= s.notify_tries_max) return "tried " + std::to_string(l.tries) + " times (notify.triesMax)";
  if (now_ms - *l.recorded_ms >= s.notify_age_max.count()) return std::string("older than notify.ageMaxMs");
  return std::nullopt;
}

// What waited for him goes before all others: it is older.
void notifier::let_go(const std::string& receiver) {
  auto waited = failing_.recovered(receiver);
  for (auto at = waited.rbegin(); at != waited.rend(); ++at) {
    in_hand_.erase(at->ref);  // may be let go of and read again, as all that waits
    waiting_.push_front({std::move(*at), nullptr, false, {}, 0});
  }
}

void notifier::bury(const letter& l, const std::string& reason) {
  storage::journal_record r;
  r.at = node_.time.wall();
  r.subject = {context_.index, 0, {}};
  r.causation = l.message->causation;
  r.correlation = l.message->correlation;
  r.trace = l.message->trace;
  r.consumed = {l.what.ref};
  r.died = storage::dead_letter{*l.message, reason, std::max(1U, l.what.tries), r.at};
  append_request request;
  request.guard = guard_;
  request.record = std::make_shared<storage::journal_record>(std::move(r));
  const auto self = caf::actor_cast<caf::actor>(this);
  request.outputs.push_back([self, ref = l.what.ref] { caf::anon_send(self, settled{{ref}, false}); });
  const auto written = node_.log.append(std::move(request));
  if (!written) return quit();
  ++node_.contexts[context_.index].dead_letters;
  dead_counter_.add();
  telemetry::log(telemetry::level::error, "a notification could not be delivered and went to the dead letters; see: crema deadletters list",
                 {{"context", context_.name}, {"reason", reason}, {"id", std::to_string(written->sequence)}});
}

// One record consumes all that were delivered since the last.
void notifier::settle() {
  if (settling_ || delivered_.empty()) return;
  storage::journal_record r;
  r.at = node_.time.wall();
  r.subject = {context_.index, 0, {}};
  r.consumed = delivered_;
  append_request request;
  request.guard = guard_;
  request.record = std::make_shared<storage::journal_record>(std::move(r));
  request.lingers = true;
  const auto self = caf::actor_cast<caf::actor>(this);
  request.outputs.push_back([self, refs = std::move(delivered_)] { caf::anon_send(self, settled{refs}); });
  delivered_.clear();
  settling_ = true;
  if (!node_.log.append(std::move(request))) quit();
}

void notifier::show_figures() {
  auto& shown = node_.contexts[context_.index];
  shown.failing_receivers = failing_.count();
  shown.waiting_for_receivers = failing_.waiting();
}

}  // namespace crema::actors
