#include "storage/log.hpp"

#include <algorithm>

namespace crema::storage {

namespace {

std::string encode_outbox(const stored_message* message, const hold* held) {
  std::string out(1, held != nullptr ? '\1' : '\0');
  if (held != nullptr)
    out.append(encode_hold(*held));
  else
    encode_message(*message, out);
  return out;
}

// To the block that holds the offset, or the next one; offsets inside a block have no key of their own.
bool seek_block(cursor& at, std::uint64_t offset) {
  const auto key = journal_key(offset);
  if (at.seek(key) && at.key() == key) return true;
  return at.prev() || at.seek(key);
}

std::uint64_t first_of_block(const cursor& at) { return tail_number(at.key()); }

// Calls visit(record) with the one that begins with this sequence.
template <class Visit>
void visit_record(const snapshot& s, std::uint64_t sequence, Visit visit) {
  const auto at = s.open(table::journal);
  if (!seek_block(*at, sequence)) return;
  block_reader block(first_of_block(*at), at->value());
  while (const auto r = block.next())
    if (r->sequence == sequence) return visit(*r);
}

}  // namespace

// ---- writing

namespace {

// Of the changes of one place, the last one: in the order of the places, as the store likes it best.
template <class Change>
void keep_last_of_each(std::vector<Change>& changes) {
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.place() < b.place(); });
  const auto same = [](const Change& a, const Change& b) { return a.place() == b.place(); };
  changes.erase(changes.begin(), std::unique(changes.rbegin(), changes.rend(), same).base());
}

std::string encode_chain_end(const chain_end& end) {
  std::string out;
  wire::put_fixed64(out, end.sequence);
  wire::put_fixed64(out, end.checksum);
  return out;
}

}  // namespace

chain_end read_chain_end(const snapshot& s, std::uint16_t partition) {
  const auto bytes = s.get(table::meta, chain_key(partition));
  if (!bytes) return {};
  wire::reader in(*bytes);
  chain_end end;
  end.sequence = in.fixed64();
  end.checksum = in.fixed64();
  return end;
}

log_writer::log_writer(store& s, std::uint16_t partitions, std::size_t contexts) : store_(s), counters_(contexts) {
  const auto now = s.read();
  for (std::uint16_t p = 0; p < partitions; ++p) {
    const auto& end = chains_.emplace_back(read_chain_end(*now, p));
    if (end.sequence == 0) continue;
    bool sound = false;
    visit_record(*now, end.sequence,
                 [&](const raw_record& last) { sound = last.partition == p && last.checksum == end.checksum && last.intact(); });
    if (!sound)
      throw storage_error(storage_errc::corrupt,
                          "the last record of partition " + std::to_string(p) +
                              " does not match its checksum; run 'crema verify', then 'crema restore' from a backup");
  }
  next_sequence_ = crema::storage::next_sequence(*now);
  for (std::size_t c = 0; c < contexts; ++c)
    counters_[c] = read_number(*now, table::meta, counter_key(static_cast<std::uint16_t>(c))).value_or(0);
}

void log_writer::gather(batch& into, commit_item given) {
  const auto& step = into.steps_.emplace_back(std::move(given));
  if (step.record) gather_record(into, step);
  for (const auto& r : step.rows) into.rows_.push_back({r.where, r.id, r.bytes});
  for (const auto& k : step.index_erase) into.index_.push_back({k, false, 0});
  for (const auto& k : step.index_put) into.index_.push_back({k, true, 0});
  for (const auto& [k, id] : step.unique_put) into.index_.push_back({k, true, id});
  for (const auto& [c, n] : step.row_delta) count(into, c, n);
  for (const auto& k : step.idempotency_erase) into.forgotten_.emplace_back(k, step.idempotency_before);
  for (const auto& [k, v] : step.meta) into.meta_[k] = v;
}

void log_writer::gather_record(batch& into, const commit_item& step) {
  const auto& r = *step.record;
  const auto put = [&](table t, std::string key, std::string value) { into.in_order_.push_back({t, std::move(key), std::move(value)}); };
  const auto erase = [&](table t, std::string key) { into.in_order_.push_back({t, std::move(key), std::nullopt}); };

  auto& chain = chains_[r.partition];
  const auto sum = seal(step.body, chain.checksum, r.partition, r.sequence);
  into.block_.add({r.partition, r.sequence, chain.checksum, sum, step.body});
  if (into.block_.full()) close_block(into);
  into.chains_[r.partition] = chain = {r.sequence, sum};
  next_sequence_ = std::max(next_sequence_, r.sequence + r.width());
  into.next_sequence_ = next_sequence_;

  for (const auto& m : r.messages) into.fresh_[m.ref] = {&m, nullptr};
  if (r.held) into.fresh_[r.hold_ref()] = {nullptr, &*r.held};
  // Put and settled within one batch, an entry never touches the disk.
  for (const auto* settled : {&r.consumed, &r.confirmed})
    for (const auto& ref : *settled)
      if (into.fresh_.erase(ref) == 0) erase(table::outbox, outbox_key(ref));
  for (const auto& timer : r.fired) {
    const auto is_it = [&](const auto& e) { return e.first.id == timer.second; };
    if (std::erase_if(into.fresh_, is_it) == 0) erase(table::timers, timer_key(timer.first, timer.second));
  }
  if (r.idempotency && !step.rows.empty())
    put(table::idempotency, std::string(reinterpret_cast<const char*>(r.idempotency->key.data()), r.idempotency->key.size()),
        idempotency_value(r.idempotency->fingerprint, r.at, r.subject, step.rows.front().bytes));
  if (r.died) put(table::deadletters, number_key(r.sequence), encode_dead_letter(*r.died));
  for (const auto id : r.revived) erase(table::deadletters, number_key(id));
  // The number of whoever the conversation began with counts as dealt too: a chain that failed half-way left records under it.
  deal(into, r.subject);
  deal(into, r.correlation);
}

void log_writer::close_block(batch& into) {
  auto key = journal_key(into.block_.first());
  into.in_order_.push_back({table::journal, std::move(key), into.block_.finish()});
}

void log_writer::deal(batch& into, const address& a) {
  if (a.context >= counters_.size() || counters_[a.context] >= a.id) return;
  counters_[a.context] = a.id;
  into.counters_[a.context] = a.id;
}

void log_writer::count(batch& into, collection_ref c, int n) {
  auto at = row_counts_.find(c);
  // Not counted yet in this run: no batch before this one changed it, so what is committed is what counts.
  if (at == row_counts_.end()) at = row_counts_.emplace(c, read_number(*store_.read(), table::meta, row_count_key(c)).value_or(0)).first;
  at->second += static_cast<std::uint64_t>(static_cast<std::int64_t>(n));
  into.row_counts_[c] = at->second;
}

void log_writer::write(batch& gathered) const {
  if (!gathered.block_.empty()) close_block(gathered);
  const auto tx = store_.write();
  const auto put_or_erase = [&](table t, std::string_view key, const std::optional<std::string_view>& value) {
    if (value)
      tx->put(t, key, *value);
    else
      (void)tx->erase(t, key);
  };
  for (const auto& c : gathered.in_order_) put_or_erase(c.where, c.key, c.value);
  keep_last_of_each(gathered.rows_);
  for (const auto& r : gathered.rows_)
    put_or_erase(table_of(r.where), row_key(r.where, r.id), r.bytes.empty() ? std::nullopt : std::optional(r.bytes));
  keep_last_of_each(gathered.index_);
  for (const auto& c : gathered.index_) {
    const auto id = c.id != 0 ? number_key(c.id) : std::string();
    put_or_erase(table::index, c.key, c.stays ? std::optional<std::string_view>(id) : std::nullopt);
  }
  for (const auto& [ref, e] : gathered.fresh_) {
    const auto& m = e.message;
    if (m != nullptr && m->due_ms > 0)
      tx->put(table::timers, timer_key(m->due_ms, ref.id), encode_outbox(m, e.held));
    else
      tx->put(table::outbox, outbox_key(ref), encode_outbox(m, e.held));
  }
  // A key that was used again meanwhile has a new entry, which stays.
  for (const auto& [key, before] : gathered.forgotten_)
    if (const auto entry = tx->get(table::idempotency, key); entry && decode_idempotency(*entry).at < before)
      (void)tx->erase(table::idempotency, key);
  if (gathered.next_sequence_ > 0) tx->put(table::meta, "sequence", number_key(gathered.next_sequence_));
  for (const auto& [partition, end] : gathered.chains_) tx->put(table::meta, chain_key(partition), encode_chain_end(end));
  for (const auto& [context, highest] : gathered.counters_) tx->put(table::meta, counter_key(context), number_key(highest));
  for (const auto& [collection, rows] : gathered.row_counts_) tx->put(table::meta, row_count_key(collection), number_key(rows));
  for (const auto& [k, v] : gathered.meta_) tx->put(table::meta, k, v);
  tx->commit();
}

void log_writer::write(std::span<commit_item> steps) {
  batch all;
  for (auto& s : steps) gather(all, std::move(s));
  write(all);
}

// ---- reading

log_reader::log_reader(const snapshot& s, std::uint64_t from) : at_(s.open(table::journal)), there_(seek_block(*at_, from)) {
  if (!there_ || first_of_block(*at_) >= from) return;
  for (block_reader block(first_of_block(*at_), at_->value()); const auto r = block.next();)
    if (r->sequence <= from) from_ = r->sequence;
}

std::optional<raw_record> log_reader::next() try {
  while (there_) {
    if (!block_) block_.emplace(first_of_block(*at_), at_->value());
    while (auto r = block_->next())
      if (r->sequence >= from_) return r;
    to_next_block();
  }
  return std::nullopt;
} catch (...) {
  to_next_block();
  throw;
}

void log_reader::to_next_block() {
  block_.reset();
  there_ = at_->next();
}

std::uint64_t next_sequence(const snapshot& s) { return read_number(s, table::meta, "sequence").value_or(1); }

std::shared_ptr<journal_record> read_record(const snapshot& s, std::uint64_t sequence, const type_catalog& types) {
  std::shared_ptr<journal_record> found;
  visit_record(s, sequence,
               [&](const raw_record& r) { found = std::make_shared<journal_record>(decode_body(sequence, r.partition, r.body, types)); });
  return found;
}

// ---- idempotency entries

std::string idempotency_value(std::uint64_t fingerprint, timestamp at, const address& subject, std::string_view row_bytes) {
  std::string out;
  wire::put_fixed64(out, fingerprint);
  wire::put_varint(out, static_cast<std::uint64_t>(at.ms));
  wire::put_varint(out, subject.context);
  wire::put_varint(out, subject.id);
  out.append(row_bytes);
  return out;
}

idempotency_entry decode_idempotency(std::string_view bytes) {
  wire::reader in(bytes);
  idempotency_entry e;
  e.fingerprint = in.fixed64();
  e.at.ms = static_cast<std::int64_t>(in.varint());
  e.context = static_cast<std::uint16_t>(in.varint());
  e.id = in.varint();
  e.row_bytes = in.rest();
  return e;
}

}  // namespace crema::storage
