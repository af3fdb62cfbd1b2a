#include "actors/entity.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "storage/layout.hpp"
#include "storage/queries.hpp"
#include "telemetry/log.hpp"

namespace crema::actors {

namespace {

struct go_on {};  // entity → itself: a slowed delivery's time has come
constexpr milliseconds look_whether_over_every{100};

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
                                  "The '" + declaration().name +
                                      "' that handled the request was restarted; what others did for the request is being undone.",
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
  } else if (backlog() < node_.settings.mailbox_max || must_arrive(*d)) {
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
  if (const auto* f = changed_since(d.read_only, state_.data()))
    return rejection::invalid(std::string(f->name), "Field '" + std::string(f->name) +
                                                        "' cannot be changed so, and what was sent is not its present value: leave " +
                                                        "it out, or read the " + declaration().resource->singular + " again.");
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
      const bool taken = record(d, *decided, so_far ? so_far->held : tickets{});
      record_handled(*d, !taken, taken ? std::string_view() : name_of(rejection_kind::overloaded));
    }
  } catch (const std::exception& e) {
    record_handled(*d, true, "it threw");
    // A caller's chain is not tried again: its partners' steps undo themselves, and asking again might overtake that.
    if (so_far && !must_arrive(*d)) d->attempts = node_.settings.poison_attempts;
    stumble(std::move(d), e.what());
  }
}

void entity::stumble(delivery_ptr d, const std::string& error, bool counts) {
  ending_ = true;
  send(supervisor_, stumbled{who_.id, who_.incarnation, std::move(d), error, counts});
  quit(caf::sec::runtime_error);
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

}  // namespace crema::actors
