#include "storage/causal_tree.hpp"

#include <algorithm>
#include <map>

#include "storage/history.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"

namespace crema::storage {

namespace {

using record_ptr = std::shared_ptr<const journal_record>;
using caused_by = std::map<std::uint64_t, std::vector<causal_step>>;  // by the sequence of the record whose event made them

// Notifications are consumed by records of their notifier, which belongs to no partition and writes into the first.
constexpr std::uint16_t notifiers_partition = 0;

// The bytes of a name within a record's body. Where they do not occur, the record need not be decoded.
std::string bytes_of(const message_id& id) {
  std::string out;
  wire::put_varint(out, id.sequence);
  wire::put_varint(out, id.index);
  return out;
}
std::string bytes_of(std::uint64_t sequence) {
  std::string out;
  wire::put_varint(out, sequence);
  return out;
}

bool holds(const std::vector<outbox_ref>& refs, const outbox_ref& ref) { return std::find(refs.begin(), refs.end(), ref) != refs.end(); }

class builder {
 public:
  builder(const snapshot& s, std::uint16_t partitions, const type_catalog& types, const tree_limits& limits)
      : s_(s), partitions_(partitions), types_(types), limits_(limits), records_left_(limits.records_max) {}

  std::optional<causal_forest> build(std::uint16_t context, std::uint64_t id) {
    std::vector<record_ptr> own;
    const bool found = walk_history(s_, types_, context, id, [&](journal_record r) {
      if (own.size() == limits_.own_records_max) return forest_.complete = false;
      own.push_back(std::make_shared<journal_record>(std::move(r)));
      return true;
    });
    if (!found) return std::nullopt;
    std::map<std::uint64_t, record_ptr> beginnings;
    for (const auto& r : own) {
      const auto begun = beginning_of(r);
      beginnings.emplace(begun->sequence, begun);
    }
    for (const auto& [sequence, r] : beginnings) forest_.roots.push_back(root(r));
    return std::move(forest_);
  }

 private:
  // ---- looking up

  record_ptr load(std::uint64_t sequence) const { return read_record(s_, sequence, types_); }

  // The first record of the partition behind `after` that `is_it`; `mark` is part of its body.
  template <class IsIt>
  record_ptr find(std::uint16_t partition, std::uint64_t after, const std::string& mark, IsIt is_it) {
    log_reader log(s_, after + 1);
    std::size_t n = 0;
    while (const auto raw = log.next()) {
      if (raw->partition != partition || raw->sequence <= after) continue;
      if (n++ == limits_.search_records_max || records_left_ == 0) {
        forest_.complete = false;
        return nullptr;
      }
      --records_left_;
      if (raw->body.find(mark) == std::string_view::npos) continue;
      auto r = std::make_shared<journal_record>(decode_body(raw->sequence, partition, raw->body, types_));
      if (is_it(*r)) return r;
    }
    return nullptr;
  }

  record_ptr find_consumer(const outbox_ref& ref) {
    const auto where = ref.where.partition == notification_partition ? notifiers_partition : ref.where.partition;
    return find(where, ref.id.sequence, bytes_of(ref.id), [&](const journal_record& r) { return holds(r.consumed, ref); });
  }

  record_ptr find_confirmer(const journal_record& held) {
    const auto ref = held.hold_ref();
    const auto confirms = [&](const journal_record& r) { return holds(r.confirmed, ref); };
    const auto home = partition_of(held.correlation, partitions_);
    if (auto r = find(home, held.sequence, bytes_of(ref.id), confirms)) return r;
    return home == held.partition ? nullptr : find(held.partition, held.sequence, bytes_of(ref.id), confirms);
  }

  bool waits(const outbox_ref& ref) const { return s_.get(table::outbox, outbox_key(ref)).has_value(); }

  // ---- up: where the conversation began

  record_ptr beginning_of(record_ptr r) {
    for (std::size_t climbed = 0; climbed < limits_.steps_max; ++climbed) {
      record_ptr above;
      if (r->held && !waits(r->hold_ref())) above = find_confirmer(*r);
      if (!r->held && r->causation != 0) above = load(r->causation);
      if (!above) return r;
      r = std::move(above);
    }
    forest_.complete = false;
    return r;
  }

  // ---- down: what it caused

  causal_step root(const record_ptr& r) {
    causal_step step;
    step.subject = r->subject;
    if (r->held)
      step.cause = step_cause::ask;
    else if (!r->consumed.empty())
      step.cause = step_cause::message;  // whose sender is not in the journal any more
    expand(step, r);
    if (r->held) add_undo(step, *r);
    return step;
  }

  void expand(causal_step& step, const record_ptr& r) {
    if (steps_ >= limits_.steps_max) {
      forest_.complete = false;
      return;
    }
    caused_by caused;
    for (const auto& m : r->messages) caused[m.causation].push_back(follow(m, r->at));
    take_in(step, r, caused);
    // What it carries for a partner whose record was not found stands below itself.
    for (auto& [sequence, steps] : caused) std::move(steps.begin(), steps.end(), std::back_inserter(step.steps));
    if (r->died) settle_dead(step, *r);
  }

  // The record, the partners' steps that it confirmed, and what each of these caused: all of it was sent with this record.
  void take_in(causal_step& step, const record_ptr& r, caused_by& caused) {
    ++steps_;
    step.record = r;
    step.state = step_state::recorded;
    step.subject = r->subject;
    for (const auto& ref : r->confirmed) {
      const auto partner = load(ref.id.sequence);
      if (!partner) continue;
      auto& asked = step.steps.emplace_back();
      asked.cause = step_cause::ask;
      take_in(asked, partner, caused);
    }
    const auto own = caused.find(r->sequence);
    if (own == caused.end()) return;
    std::move(own->second.begin(), own->second.end(), std::back_inserter(step.steps));
    caused.erase(own);
  }

  causal_step follow(const stored_message& m, timestamp sent) {
    causal_step step;
    step.cause = m.ref.where.partition == notification_partition ? step_cause::notification : step_cause::message;
    step.subject = m.to;
    if (step.cause == step_cause::message) step.message = m.payload.type().name;
    step.queued = sent;
    if (m.due_ms == 0) {
      arrive(step, m.ref, m.to);
      return step;
    }
    step.cause = step_cause::timer;
    step.due_ms = m.due_ms;
    const auto fired = find(m.ref.where.partition, m.ref.id.sequence, bytes_of(m.ref.id), [&](const journal_record& r) {
      return std::any_of(r.fired.begin(), r.fired.end(), [&](const auto& f) { return f.second == m.ref.id; });
    });
    if (fired && !fired->messages.empty()) {
      step.queued = fired->at;
      arrive(step, fired->messages.front().ref, m.to);
    } else {
      const bool not_due = s_.get(table::timers, timer_key(m.due_ms, m.ref.id)).has_value();
      step.state = not_due ? step_state::waiting : step_state::unknown;
    }
    return step;
  }

  void arrive(causal_step& step, const outbox_ref& ref, const address& to) {
    if (waits(ref)) {
      step.state = step_state::waiting;
      return;
    }
    auto r = find_consumer(ref);
    if (!r && step.cause != step_cause::notification) r = find_in_history(ref, to);
    if (!r)
      step.state = step_state::unknown;
    else if (step.cause == step_cause::notification)
      step.record = r;  // of the notifier, with others' notifications: nothing follows from it
    else
      expand(step, r);
  }

  // A message that waited for so long that its consumer lies beyond the search.
  record_ptr find_in_history(const outbox_ref& ref, const address& to) {
    const auto id = to.key.empty() ? to.id : read_number(s_, table::index, unique_key(to.context, to.key)).value_or(0);
    record_ptr found;
    (void)walk_history(s_, types_, to.context, id, [&](journal_record r) {
      if (r.sequence <= ref.id.sequence || records_left_ == 0) return false;
      --records_left_;
      if (holds(r.consumed, ref)) found = std::make_shared<journal_record>(std::move(r));
      return found == nullptr;
    });
    return found;
  }

  // A step that no asker's record confirmed. While its hold is in the outbox, the asker may still do so.
  void add_undo(causal_step& step, const journal_record& held) {
    if (waits(held.hold_ref())) return;
    causal_step undo;
    undo.cause = step_cause::undo;
    undo.subject = held.subject;
    if (held.held->undo) undo.message = held.held->undo.type().name;
    undo.queued = held.at;
    arrive(undo, held.hold_ref(), held.subject);
    step.undone = undo.state != step_state::unknown;
    step.steps.push_back(std::move(undo));
  }

  void settle_dead(causal_step& step, const journal_record& r) {
    step.state = step_state::dead;
    if (s_.get(table::deadletters, number_key(r.sequence))) return;
    const auto settled = find(r.partition, r.sequence, bytes_of(r.sequence), [&](const journal_record& other) {
      return std::find(other.revived.begin(), other.revived.end(), r.sequence) != other.revived.end();
    });
    step.state = step_state::dropped;
    if (!settled) {
      step.state = step_state::unknown;
    } else if (settled->messages.empty() && (settled->version > 0 || settled->died)) {
      // A request that was sent again: the record is its own.
      step.state = step_state::recorded;
      auto& again = step.steps.emplace_back();
      again.cause = step_cause::replay;
      expand(again, settled);
    } else if (!settled->messages.empty()) {
      step.state = step_state::recorded;
      auto again = follow(settled->messages.front(), settled->at);
      again.cause = step_cause::replay;
      step.steps.push_back(std::move(again));
    }
  }

  const snapshot& s_;
  const std::uint16_t partitions_;
  const type_catalog& types_;
  const tree_limits limits_;
  std::size_t records_left_;
  std::size_t steps_ = 0;
  causal_forest forest_;
};

}  // namespace

std::string_view name_of(step_cause c) noexcept {
  constexpr std::string_view names[] = {"request", "ask", "message", "timer", "undo", "notification", "replay"};
  return names[static_cast<std::size_t>(c)];
}

std::string_view name_of(step_state s) noexcept {
  constexpr std::string_view names[] = {"recorded", "waiting", "dead", "dropped", "unknown"};
  return names[static_cast<std::size_t>(s)];
}

std::optional<causal_forest> read_causal_forest(const snapshot& s, std::uint16_t partitions, const type_catalog& types,
                                                std::uint16_t context, std::uint64_t id, const tree_limits& limits) {
  return builder(s, partitions, types, limits).build(context, id);
}

}  // namespace crema::storage
