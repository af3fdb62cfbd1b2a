#include <algorithm>

#include "storage/layout.hpp"
#include "storage/verify_parts.hpp"

namespace crema::storage {

namespace {

std::string name_of(const outbox_ref& r) {
  return (r.id.index == 0 ? "step " : "message ") + std::to_string(r.id.sequence) +
         (r.id.index == 0 ? "" : "-" + std::to_string(r.id.index));
}

// As the writer puts them: a flag, then a hold or a message.
std::string entry_of(const journal_record& r, std::uint32_t index) {
  std::string out(1, index == 0 ? '\1' : '\0');
  if (index == 0) {
    if (r.held) out += encode_hold(*r.held);
  } else if (index <= r.messages.size()) {
    encode_message(r.messages[index - 1], out);
  }
  return out;
}

// Read and written again: what an older crema wrote compares equal when it says the same.
std::string in_present_form(std::string_view entry, const type_catalog& types) {
  wire::reader in(entry);
  std::string out(1, static_cast<char>(in.byte()));
  if (out[0] != '\0')
    out += encode_hold(decode_hold(in.rest(), types));
  else
    encode_message(decode_message(in, types), out);
  return out;
}

// Walks a table beside what is expected in it. `key_of` and `same` see an expected entry.
template <class Map, class KeyOf, class Same, class Missing, class Strange>
void compare_table(const snapshot& now, table t, const Map& expected, KeyOf key_of, Same same, Missing missing, Strange strange) {
  const auto c = now.open(t);
  bool there = c->seek({});
  for (const auto& e : expected) {
    const auto key = key_of(e);
    for (; there && c->key() < key; there = c->next()) strange(c->key());
    if (there && c->key() == key) {
      same(e, c->value());
      there = c->next();
    } else {
      missing(e);
    }
  }
  for (; there; there = c->next()) strange(c->key());
}

}  // namespace

log_check::log_check(const verify_scope& in) : in_(in) {}

void log_check::take(const journal_record& r) {
  if (r.sequence != next_)
    in_.fault(place_of(r.sequence, r.partition) +
              (r.sequence > next_ ? " comes after a gap: the record at offset " + std::to_string(next_) + " is missing."
                                  : " begins within the record before it."));
  next_ = std::max(next_, r.sequence + r.width());
  note_numbers(r.subject);
  note_numbers(r.correlation);
  put(r);
  settle(r);
}

void log_check::note_numbers(const address& a) {
  auto& highest = highest_[a.context];
  highest = std::max(highest, a.id);
}

void log_check::put(const journal_record& r) {
  for (const auto& m : r.messages) {
    if (m.due_ms > 0)
      timers_.insert({m.due_ms, m.ref.id});
    else
      outbox_.insert(m.ref);
  }
  if (r.held) outbox_.insert(r.hold_ref());
  if (r.died) dead_letters_.insert(r.sequence);
}

void log_check::settle(const journal_record& r) {
  const auto take_out = [&](const outbox_ref& ref) {
    if (outbox_.erase(ref) == 0)
      in_.fault(place_of(r.sequence, r.partition) + " settles " + name_of(ref) +
                ", which was not outstanding: it was settled before, or never put.");
  };
  for (const auto& ref : r.consumed) take_out(ref);
  for (const auto& ref : r.confirmed) take_out(ref);
  for (const auto& [due, id] : r.fired)
    if (timers_.erase({due, id}) == 0)
      in_.fault(place_of(r.sequence, r.partition) + " fires timer " + std::to_string(id.sequence) + "-" + std::to_string(id.index) +
                ", which was not set.");
  for (const auto id : r.revived)
    if (dead_letters_.erase(id) == 0)
      in_.fault(place_of(r.sequence, r.partition) + " takes away dead letter " + std::to_string(id) + ", which was not there.");
}

// ---- after the last record

void log_check::finish() {
  const auto end = read_number(in_.now, table::meta, "sequence").value_or(1);
  if (end != next_)
    in_.fault("The next offset should be " + std::to_string(end) + ", but the journal ends before " + std::to_string(next_) + ".");
  compare_outbox();
  compare_timers();
  compare_dead_letters();
  check_counters();
  in_.report.outbox_entries = in_.now.count(table::outbox);
  in_.report.timers = in_.now.count(table::timers);
  in_.report.dead_letters = in_.now.count(table::deadletters);
}

void log_check::compare_outbox() const {
  compare_table(
      in_.now, table::outbox, outbox_, [](const auto& e) { return outbox_key(e); },
      [&](const auto& e, std::string_view stored) {
        const auto r = read_record(in_.now, e.id.sequence, in_.types);
        if (!r || in_present_form(stored, in_.types) != entry_of(*r, e.id.index))
          in_.fault("The outbox holds another " + name_of(e) + " than the journal.");
      },
      [&](const auto& e) { in_.fault("The outbox lacks " + name_of(e) + ", which nobody has settled."); },
      [&](std::string_view key) {
        in_.fault("The outbox holds " + name_of(parse_outbox_key(key)) + ", which the journal does not leave over.");
      });
}

void log_check::compare_timers() const {
  const auto name = [](const message_id& id) { return "timer " + std::to_string(id.sequence) + "-" + std::to_string(id.index); };
  compare_table(
      in_.now, table::timers, timers_, [](const auto& e) { return timer_key(e.first, e.second); },
      [&](const auto& e, std::string_view stored) {
        const auto r = read_record(in_.now, e.second.sequence, in_.types);
        if (!r || in_present_form(stored, in_.types) != entry_of(*r, e.second.index))
          in_.fault("The timers hold another " + name(e.second) + " than the journal.");
      },
      [&](const auto& e) { in_.fault("The timers lack " + name(e.second) + ", which has not fired."); },
      [&](std::string_view key) {
        in_.fault("The timers hold one of record " + std::to_string(key.size() == 20 ? tail_number(key.substr(8, 8)) : 0) +
                  ", which the journal does not leave over.");
      });
}

void log_check::compare_dead_letters() const {
  compare_table(
      in_.now, table::deadletters, dead_letters_, [](const auto& e) { return number_key(e); },
      [&](const auto& e, std::string_view stored) {
        const auto r = read_record(in_.now, e, in_.types);
        if (!r || !r->died || encode_dead_letter(decode_dead_letter(stored, in_.types)) != encode_dead_letter(*r->died))
          in_.fault("Dead letter " + std::to_string(e) + " is another than the journal's.");
      },
      [&](const auto& e) { in_.fault("Dead letter " + std::to_string(e) + " is missing."); },
      [&](std::string_view key) { in_.fault("Dead letter " + std::to_string(tail_number(key)) + " is not in the journal."); });
}

void log_check::check_counters() const {
  for (const auto& [context, highest] : highest_) {
    const auto dealt = read_number(in_.now, table::meta, counter_key(context)).value_or(0);
    if (dealt < highest)
      in_.fault("The counter of " + place_of(in_.system, context, highest) + " stands at " + std::to_string(dealt) +
                ": that number would be dealt again.");
  }
}

}  // namespace crema::storage
