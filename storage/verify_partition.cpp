#include <algorithm>
#include <functional>

#include "storage/layout.hpp"
#include "storage/rows.hpp"
#include "storage/verify_parts.hpp"

namespace crema::storage {

partition_check::partition_check(const verify_scope& in, std::uint16_t partition, derived_totals& totals)
    : in_(in), partition_(partition), totals_(totals) {}

void partition_check::run(const std::function<void()>& on_record) {
  log_reader log(in_.now, 0);
  std::string why;
  while (const auto raw = next_readable(log, nullptr)) {  // told of once, by the check in log order
    if (raw->partition != partition_) continue;
    check_chain(*raw);
    if (const auto record = try_decode(in_, *raw, why))
      take(*record);
    else
      in_.fault(place_of(raw->sequence, partition_) + " cannot be decoded: " + why + ".");
    on_record();
  }
  check_end();
  for (const auto& [who, a] : aggregates_) compare(who, a);
  in_.report.aggregates += aggregates_.size();
}

void partition_check::check_chain(const raw_record& r) {
  if (!r.intact())
    in_.fault(place_of(r.sequence, partition_) + " does not match its checksum.");
  else if (r.previous_checksum != chain_.checksum)
    in_.fault(place_of(r.sequence, partition_) + " does not follow the record before it: one is missing or was exchanged.");
  chain_ = {r.sequence, r.checksum};
  ++in_.report.records;
}

void partition_check::check_end() {
  const auto noted = read_chain_end(in_.now, partition_);
  if (noted.sequence != chain_.sequence || noted.checksum != chain_.checksum)
    in_.fault("The chain of partition " + std::to_string(partition_) + " should end with record " + std::to_string(noted.sequence) +
              ", but the last one in the journal is " + std::to_string(chain_.sequence) + ".");
}

// ---- folding

void partition_check::take(const journal_record& r) {
  in_.report.events += r.events.size();
  if (r.events.empty() && !r.idempotency) return;  // bookkeeping: it leaves the row as it is
  if (r.subject.context >= in_.system.contexts.size() || in_.system.contexts[r.subject.context].state == nullptr) {
    in_.fault(place_of(r.sequence, partition_) + " names context " + std::to_string(r.subject.context) +
              ", which has no aggregates in this system.");
    return;
  }
  const auto& context = in_.system.contexts[r.subject.context];
  auto& a = aggregates_[{r.subject.context, r.subject.id}];
  if (!a.state) {
    a.state = context.state->make();
    a.key = r.subject.key;
  }
  check_order(a, r);
  try {
    fold(context, a.state.get(), r.events);
  } catch (const std::exception& e) { in_.fault(place_of(r.sequence, partition_) + " cannot be folded: " + e.what() + "."); }
  a.version = r.version;
  a.last = r.sequence;
  if (r.idempotency) check_idempotency(a, r);
}

void partition_check::check_order(const aggregate& a, const journal_record& r) const {
  const auto who = place_of(in_.system, r.subject.context, r.subject.id);
  if (r.previous != a.last)
    in_.fault(place_of(r.sequence, partition_) + " says that " + who + " wrote record " + std::to_string(r.previous) +
              " before it, but that was record " + std::to_string(a.last) + ".");
  if (r.version != a.version + r.events.size())
    in_.fault(place_of(r.sequence, partition_) + " brings " + who + " from version " + std::to_string(a.version) + " to " +
              std::to_string(r.version) + " with " + std::to_string(r.events.size()) + " events.");
}

// ---- idempotency keys

void partition_check::check_idempotency(const aggregate& a, const journal_record& r) {
  const std::string_view key(reinterpret_cast<const char*>(r.idempotency->key.data()), r.idempotency->key.size());
  const auto stored = in_.now.get(table::idempotency, key);
  const auto of = "The idempotency key of " + place_of(r.sequence, partition_);
  if (!stored) {
    const auto forgotten_ms = read_number(in_.now, table::meta, forgotten_key()).value_or(0);
    if (static_cast<std::uint64_t>(r.at.ms) >= forgotten_ms) in_.fault(of + " is missing.");
    return;
  }
  try {
    const auto entry = decode_idempotency(*stored);
    const auto sequence = decode_row_header(entry.row_bytes).sequence;
    if (sequence > r.sequence) return;  // the key was used again when it had grown too old: that record has its own check
    ++totals_.idempotency_keys;
    const auto& type = *in_.system.contexts[r.subject.context].state;
    const bool same_answer = entry.context == r.subject.context && entry.id == r.subject.id && sequence == r.sequence &&
                             encode_row({0, decode_row_header(entry.row_bytes).version}, decode_row(type, entry.id, entry.row_bytes).row) ==
                                 encode_row({0, a.version}, value(type, a.state));
    if (!same_answer || entry.fingerprint != r.idempotency->fingerprint || entry.at != r.at)
      in_.fault(of + " keeps another answer than the journal's.");
  } catch (const decode_error& e) { in_.fault(of + " cannot be read: " + e.what() + "."); }
}

// ---- rows and index entries

void partition_check::compare(const name& who, const aggregate& a) {
  const auto& context = in_.system.contexts[who.first];
  const value state(*context.state, a.state);
  const bool gone = a.version > 0 && context.gone && context.gone(state.data());
  const auto where = gone ? graveyard_of(who.first) : collection_ref{false, who.first};
  const bool in_collection = a.version > 0 && !gone;
  ++totals_.state_rows;
  if (in_collection) ++totals_.collection_rows[who.first];
  compare_indexes(context, who, a, state, in_collection);

  const auto bytes = in_.now.get(table::state, row_key(where, who.second));
  if (!bytes) {
    in_.fault(place_of(in_.system, who.first, who.second) + " has no state row" + (gone ? " among those that are gone" : "") + ", but " +
              std::to_string(a.version) + " events in the journal.");
    return;
  }
  ++in_.report.rows;
  compare_row(context, who, a, state, *bytes);
}

void partition_check::compare_row(const context_declaration& context, const name& who, const aggregate& a, const value& state,
                                  std::string_view bytes) const {
  if (encode_row({a.last, a.version}, state) == bytes) return;
  const auto of = "The state row of " + place_of(in_.system, who.first, who.second);
  try {
    const auto header = decode_row_header(bytes);
    if (header.version != a.version)
      in_.fault(of + " has version " + std::to_string(header.version) + ", the journal leads to " + std::to_string(a.version) + ".");
    else if (header.sequence != a.last)
      in_.fault(of + " names record " + std::to_string(header.sequence) + " as its last, the journal has " + place_of(a.last, partition_) +
                ".");
    // Written before a field was added, the bytes may differ while every field is the same. Values are not told: they may be personal.
    const auto row = decode_row(*context.state, who.second, bytes).row;
    for (const auto& f : context.state->fields)
      if (f.get(row.data()) != f.get(state.data())) in_.fault(of + " has another '" + std::string(f.name) + "' than the journal leads to.");
  } catch (const decode_error& e) { in_.fault(of + " cannot be read: " + e.what() + "."); }
}

void partition_check::compare_indexes(const context_declaration& context, const name& who, const aggregate& a, const value& state,
                                      bool in_collection) {
  if (in_collection) {
    const auto keys = index_keys({false, who.first}, *context.resource, who.second, state);
    totals_.index_entries += keys.size();
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (!in_.now.get(table::index, keys[i]))
        in_.fault(place_of(in_.system, who.first, who.second) + " is missing from the index of '" + context.resource->finders[i].name +
                  "'.");
  }
  if (a.key.empty() || a.version == 0) return;
  ++totals_.index_entries;
  if (read_number(in_.now, table::index, unique_key(who.first, a.key)) != who.second)
    in_.fault(place_of(in_.system, who.first, who.second) + " is not the one that is found under its key.");
}

// ---- what no record accounts for

namespace {

// The row's last record is there and is about it.
bool has_history(const verify_scope& in, std::uint16_t context, std::uint64_t id, std::string_view row_bytes) {
  const auto r = read_record(in.now, decode_row_header(row_bytes).sequence, in.types);
  return r && r->subject.context == context && r->subject.id == id;
}

void name_strange_rows(const verify_scope& in) {
  const auto at = in.now.open(table::state);
  for (bool there = at->seek({}); there; there = at->next()) {
    const auto id = tail_number(at->key());
    const auto place = static_cast<std::uint16_t>(static_cast<std::uint8_t>(at->key()[0]) << 8U | static_cast<std::uint8_t>(at->key()[1]));
    const auto context = static_cast<std::uint16_t>(place & 0x7FFFU);
    const auto of = "The state row of " + place_of(in.system, context, id);
    if (!has_history(in, context, id, at->value()))
      in.fault(of + " has no record in the journal.");
    else if (place == context && in.now.get(table::state, row_key(graveyard_of(context), id)))
      in.fault(of + " is there twice: in its collection and among those that are gone.");
  }
}

// An entry of a finder must be one of those that its row makes.
void name_strange_index_entries(const verify_scope& in) {
  const auto at = in.now.open(table::index);
  for (bool there = at->seek({}); there; there = at->next()) {
    const auto owner = owner_of(at->key());
    if (owner.kind != 's') continue;
    if (owner.index >= in.system.contexts.size() || !in.system.contexts[owner.index].resource) {
      in.fault("A finder's index has an entry of a context that the system does not have.");
      continue;
    }
    const auto& context = in.system.contexts[owner.index];
    const collection_ref here{false, context.index};
    const auto id = tail_number(at->key());
    const auto row = in.now.get(table::state, row_key(here, id));
    const auto keys = row ? index_keys(here, *context.resource, id, decode_row(*context.state, id, *row).row) : std::vector<std::string>{};
    if (std::find(keys.begin(), keys.end(), at->key()) == keys.end())
      in.fault("A finder's index has an entry of " + place_of(in.system, context.index, id) + " that its row does not make.");
  }
}

void check_row_counts(const verify_scope& in, const derived_totals& totals) {
  for (const auto& context : in.system.contexts) {
    const auto at = totals.collection_rows.find(context.index);
    const auto rows = at == totals.collection_rows.end() ? 0 : at->second;
    const auto counted = read_number(in.now, table::meta, row_count_key({false, context.index})).value_or(0);
    if (counted != rows)
      in.fault("The count of '" + context.name + "' says " + std::to_string(counted) + " rows, the journal leads to " +
               std::to_string(rows) + ".");
  }
}

}  // namespace

void check_totals(const verify_scope& in, const derived_totals& totals, std::uint64_t view_index_entries) {
  check_row_counts(in, totals);
  const auto surplus = [&](table t, std::uint64_t expected, const std::string& what) {
    const auto there = in.now.count(t);
    if (there != expected)
      in.fault("There are " + std::to_string(there) + " " + what + ", the journal leads to " + std::to_string(expected) + ".");
    return there != expected;
  };
  if (surplus(table::state, totals.state_rows, "state rows")) name_strange_rows(in);
  if (surplus(table::index, totals.index_entries + view_index_entries, "index entries")) name_strange_index_entries(in);
  (void)surplus(table::idempotency, totals.idempotency_keys, "idempotency keys");
  in.report.index_entries = in.now.count(table::index);
  in.report.idempotency_keys = in.now.count(table::idempotency);
}

}  // namespace crema::storage
