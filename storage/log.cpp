#include "storage/log.hpp"

#include <algorithm>
#include <cstring>

namespace crema::storage {

namespace {

std::uint64_t seal(std::string_view body, std::uint64_t previous, std::uint16_t partition, std::uint64_t sequence) {
  // The place is part of the seal: a record that is moved or repeated is noticed.
  return checksum(body, previous ^ (sequence * 0x9E3779B97F4A7C15ULL) ^ partition);
}

std::string encode_record(std::uint64_t previous, std::uint64_t sum, std::string_view body) {
  std::string out;
  out.reserve(16 + body.size());
  wire::put_fixed64(out, previous);
  wire::put_fixed64(out, sum);
  out.append(body);
  return out;
}

// The last record of a partition, if it has any.
std::optional<raw_record> last_of(cursor& c, std::uint16_t partition) {
  (void)c.seek(journal_key(partition, ~0ULL));
  if (!c.prev() || c.key().substr(0, 2) != journal_key(partition, 0).substr(0, 2)) return std::nullopt;
  return parse_record(c.key(), c.value());
}

bool is_in(const cursor& c, std::uint16_t partition) { return parse_record(c.key(), c.value()).partition == partition; }

// To the first record that may hold the offset. Offsets inside a record have no key of their own, so the one before is looked at
// too; whoever wants exact offsets skips events below `offset`.
bool seek_offset(cursor& c, std::uint16_t partition, std::uint64_t offset) {
  const bool found = c.seek(journal_key(partition, offset));
  if (found && is_in(c, partition) && tail_number(c.key()) == offset) return true;
  if (c.prev() && is_in(c, partition)) return true;
  return c.seek(journal_key(partition, offset)) && is_in(c, partition);
}

}  // namespace

raw_record parse_record(std::string_view key, std::string_view value) {
  if (key.size() != 10 || value.size() < 16)
    throw storage_error(storage_errc::corrupt, "a journal entry is too short to be a record; run: crema verify");
  raw_record r;
  r.partition = static_cast<std::uint16_t>(static_cast<std::uint8_t>(key[0]) << 8U | static_cast<std::uint8_t>(key[1]));
  r.sequence = tail_number(key);
  wire::reader in(value);
  r.previous_checksum = in.fixed64();
  r.checksum = in.fixed64();
  r.body = in.rest();
  return r;
}

bool raw_record::intact() const noexcept { return seal(body, previous_checksum, partition, sequence) == checksum; }

// ---- writing

// One transaction's worth of changes; later changes of a key replace earlier ones before anything is written.
class log_writer::batch {
 public:
  explicit batch(log_writer& log) : log_(log), tx_(log.store_.write()) {}

  void add(const commit_item& item) {
    if (item.record) add_record(item);
    for (const auto& r : item.rows) rows_[{r.where.view, row_key(r.where, r.id)}] = &r.bytes;
    for (const auto& k : item.index_erase) index_[k] = std::nullopt;
    for (const auto& k : item.index_put) index_[k] = std::string();
    for (const auto& [k, id] : item.unique_put) index_[k] = number_key(id);
    for (const auto& [c, n] : item.row_delta) count(c, n);
    for (const auto& k : item.idempotency_erase) forget(k, item.idempotency_before);
    for (const auto& [k, v] : item.meta) meta_[k] = v;
  }

  void commit() {
    for (const auto& [k, bytes] : rows_) put_or_erase(k.first ? table::views : table::state, k.second, *bytes);
    for (const auto& [k, v] : index_) {
      if (v)
        tx_->put(table::index, k, *v);
      else
        tx_->erase(table::index, k);
    }
    std::string bytes;
    for (const auto& [ref, m] : fresh_) {
      bytes.clear();
      encode_outbox(m, bytes);
      if (m.message != nullptr && m.message->due_ms > 0)
        tx_->put(table::timers, timer_key(m.message->due_ms, ref.id), bytes);
      else
        tx_->put(table::outbox, outbox_key(ref), bytes);
    }
    for (const auto& [k, v] : meta_) tx_->put(table::meta, k, v);
    tx_->commit();
  }

 private:
  // Either a message or a hold; both live as long as the batch.
  struct outbox_entry {
    const stored_message* message = nullptr;
    const hold* held = nullptr;
  };

  static void encode_outbox(const outbox_entry& e, std::string& out) {
    out.push_back(e.held != nullptr ? '\1' : '\0');
    if (e.held != nullptr)
      out.append(encode_hold(*e.held));
    else
      encode_message(*e.message, out);
  }

  void add_record(const commit_item& item) {
    const auto& r = *item.record;
    auto& previous = log_.chain_[r.partition];
    const auto sum = seal(item.body, previous, r.partition, r.sequence);
    tx_->put(table::journal, journal_key(r.partition, r.sequence), encode_record(previous, sum, item.body));
    previous = sum;
    log_.next_sequence_ = std::max(log_.next_sequence_, r.sequence + r.width());
    meta_["sequence"] = number_key(log_.next_sequence_);

    for (const auto& m : r.messages) fresh_[m.ref] = {&m, nullptr};
    if (r.held) fresh_[r.hold_ref()] = {nullptr, &*r.held};
    for (const auto& ref : r.consumed) settle(ref);
    for (const auto& ref : r.confirmed) settle(ref);
    for (const auto& [due, id] : r.fired) settle_timer(due, id);
    if (r.idempotency && !item.rows.empty()) {
      const std::string_view key(reinterpret_cast<const char*>(r.idempotency->key.data()), r.idempotency->key.size());
      tx_->put(table::idempotency, key, idempotency_value(r.idempotency->fingerprint, r.at, r.subject, item.rows.front().bytes));
    }
    if (r.died) tx_->put(table::deadletters, number_key(r.sequence), encode_dead_letter(*r.died));
    for (const auto id : r.revived) tx_->erase(table::deadletters, number_key(id));
    // The number of whoever the conversation began with counts as dealt too: a chain that failed half-way left records under it.
    deal(r.subject);
    deal(r.correlation);
  }

  // Put and settled within one batch, an entry never touches the disk.
  void settle(const outbox_ref& ref) {
    if (fresh_.erase(ref) == 0) tx_->erase(table::outbox, outbox_key(ref));
  }

  void settle_timer(std::int64_t due, message_id id) {
    const auto at = std::find_if(fresh_.begin(), fresh_.end(), [&](const auto& e) { return e.first.id == id; });
    if (at != fresh_.end())
      fresh_.erase(at);
    else
      tx_->erase(table::timers, timer_key(due, id));
  }

  void deal(const address& a) {
    if (a.context >= log_.counters_.size() || log_.counters_[a.context] >= a.id) return;
    log_.counters_[a.context] = a.id;
    meta_[counter_key(a.context)] = number_key(a.id);
  }

  void count(collection_ref c, int n) {
    const auto key = row_count_key(c);
    auto at = log_.row_counts_.find(key);
    if (at == log_.row_counts_.end()) at = log_.row_counts_.emplace(key, read_number(*tx_, table::meta, key).value_or(0)).first;
    at->second += static_cast<std::uint64_t>(static_cast<std::int64_t>(n));
    meta_[key] = number_key(at->second);
  }

  // A key that was used again meanwhile has a new entry, which stays.
  void forget(const std::string& key, timestamp before) {
    const auto entry = tx_->get(table::idempotency, key);
    if (entry && decode_idempotency(*entry).at < before) tx_->erase(table::idempotency, key);
  }

  void put_or_erase(table t, const std::string& key, const std::string& bytes) {
    if (bytes.empty())
      tx_->erase(t, key);
    else
      tx_->put(t, key, bytes);
  }

  log_writer& log_;
  std::unique_ptr<transaction> tx_;
  std::map<std::pair<bool, std::string>, const std::string*> rows_;
  std::map<std::string, std::optional<std::string>> index_;
  std::map<outbox_ref, outbox_entry> fresh_;
  std::map<std::string, std::string> meta_;
};

log_writer::log_writer(store& s, std::uint16_t partitions, std::size_t contexts) : store_(s), chain_(partitions), counters_(contexts) {
  const auto now = s.read();
  const auto journal = now->open(table::journal);
  for (std::uint16_t p = 0; p < partitions; ++p) {
    const auto last = last_of(*journal, p);
    if (!last) continue;
    if (!last->intact())
      throw storage_error(storage_errc::corrupt,
                          "the last record of partition " + std::to_string(p) +
                              " does not match its checksum; run 'crema verify', then 'crema restore' from a backup");
    chain_[p] = last->checksum;
  }
  next_sequence_ = read_number(*now, table::meta, "sequence").value_or(1);
  for (std::size_t c = 0; c < contexts; ++c)
    counters_[c] = read_number(*now, table::meta, counter_key(static_cast<std::uint16_t>(c))).value_or(0);
}

void log_writer::write(std::span<const commit_item> items) {
  batch b(*this);
  for (const auto& item : items) b.add(item);
  b.commit();
}

// ---- reading

log_reader::log_reader(const snapshot& s, std::uint16_t partitions, std::uint64_t from) {
  for (std::uint16_t p = 0; p < partitions; ++p) {
    source at{p, 0, s.open(table::journal)};
    if (!seek_offset(*at.at, p, from)) continue;
    at.sequence = tail_number(at.at->key());
    push(std::move(at));
  }
}

void log_reader::push(source s) {
  heap_.push_back(std::move(s));
  std::push_heap(heap_.begin(), heap_.end(), [](const source& a, const source& b) { return a.sequence > b.sequence; });
}

std::optional<raw_record> log_reader::next() {
  if (current_) {
    auto s = std::move(*current_);
    current_.reset();
    if (s.at->next() && is_in(*s.at, s.partition)) {
      s.sequence = tail_number(s.at->key());
      push(std::move(s));
    }
  }
  if (heap_.empty()) return std::nullopt;
  std::pop_heap(heap_.begin(), heap_.end(), [](const source& a, const source& b) { return a.sequence > b.sequence; });
  current_ = std::move(heap_.back());
  heap_.pop_back();
  return parse_record(current_->at->key(), current_->at->value());
}

std::string_view body_of(std::string_view journal_value) {
  if (journal_value.size() < 16)
    throw storage_error(storage_errc::corrupt, "a journal entry is too short to be a record; run: crema verify");
  return journal_value.substr(16);
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
