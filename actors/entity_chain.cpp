// The part of an entity that asks partners, and goes on once all of them have answered, or one has refused.
#include <algorithm>
#include <caf/send.hpp>

#include "actors/entity.hpp"

namespace crema::actors {

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
  chain_->cause->rests_on = std::max(chain_->cause->rests_on, r.rests_on);
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

}  // namespace crema::actors
