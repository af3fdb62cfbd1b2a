#include <map>
#include <memory>
#include <utility>

#include "storage/format.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"
#include "storage/maintenance.hpp"
#include "storage/projection.hpp"
#include "storage/rows.hpp"

namespace crema::storage {

namespace {

constexpr std::size_t batch_records = 5000;  // written by one transaction; bounds the memory too

[[noreturn]] void refuse(const std::string& text) { throw storage_error(storage_errc::format, text); }

void check_empty(const store& to) {
  const auto now = to.read();
  if (being_made(*now) == making::restored)
    refuse("the data directory to restore into holds a restore that was not finished; remove it, or choose a new one with --data");
  for (std::size_t t = 0; t < table_count; ++t)
    if (now->count(static_cast<table>(t)) > 0)
      refuse("the data directory to restore into is not empty; choose a new or empty one with --data");
}

void check_source(const store& from, const system_declaration& system) {
  const auto now = from.read();
  if (!now->get(table::meta, "format")) refuse("there is no crema data to restore from; give the directory that 'crema backup' made");
  check_format(*now, system);
}

// Follows the chain of checksums in each partition of the source.
class chain_check {
 public:
  explicit chain_check(std::uint16_t partitions) : last_(partitions) {}

  void take(const raw_record& r) {
    auto& last = last_[r.partition];
    if (!r.intact() || r.previous_checksum != last)
      throw storage_error(storage_errc::corrupt, "record " + std::to_string(r.sequence) + " of partition " + std::to_string(r.partition) +
                                                     " is damaged or does not follow the one before it; restore up to it with --to " +
                                                     std::to_string(r.sequence - 1) + ", or from another backup");
    last = r.checksum;
  }

 private:
  std::vector<std::uint64_t> last_;
};

// Replays records into `to`, deriving again what a live step derives.
class replay {
 public:
  replay(store& to, const system_declaration& system, std::uint16_t partitions)
      : to_(to), system_(system), log_(to, partitions, system.contexts.size()) {}

  void take(std::shared_ptr<journal_record> record, std::string_view body) {
    commit_item item;
    item.body = body;
    if (!record->events.empty() || record->idempotency) derive(item, *record);
    for (auto& row : item.rows) stamp_row(row.bytes, record->sequence);
    item.record = std::move(record);
    batch_.push_back(std::move(item));
    if (batch_.size() == batch_records) flush();
  }

  void flush() {
    if (batch_.empty()) return;
    log_.write(batch_);
    batch_.clear();
    touched_.clear();
  }

 private:
  struct aggregate {
    value state;
    std::uint64_t version = 0;
    bool gone = false;
  };

  const context_declaration& context_of(const journal_record& r) const {
    if (r.subject.context >= system_.contexts.size() || system_.contexts[r.subject.context].state == nullptr)
      throw storage_error(storage_errc::corrupt,
                          "record " + std::to_string(r.sequence) + " names a context that this system does not have");
    return system_.contexts[r.subject.context];
  }

  aggregate& find(const context_declaration& context, std::uint64_t id) {
    const auto [at, fresh] = touched_.try_emplace({context.index, id});
    auto& a = at->second;
    if (!fresh) return a;
    const auto now = to_.read();
    const auto read = [&](collection_ref from) {
      const auto bytes = now->get(table::state, row_key(from, id));
      if (!bytes) return false;
      auto row = decode_row(*context.state, id, *bytes);
      a.state = std::move(row.row);
      a.version = row.version;
      return true;
    };
    if (read({false, context.index})) return a;
    if (read(graveyard_of(context.index)))
      a.gone = true;
    else
      a.state = value(*context.state, context.state->make());
    return a;
  }

  void derive(commit_item& item, const journal_record& r) {
    const auto& context = context_of(r);
    auto& a = find(context, r.subject.id);
    const aggregate_before before{context, r.subject.id, r.subject.key, a.state, a.version, a.gone};
    if (r.events.empty()) {
      derive_same_row(item, before);
      return;
    }
    auto next = context.state->copy(a.state.data());
    fold(context, next.get(), r.events);
    const value after(*context.state, std::move(next));
    derive_rows(item, before, after, r.version);
    a = {after, r.version, context.gone && context.gone(after.data())};
  }

  store& to_;
  const system_declaration& system_;
  log_writer log_;
  std::vector<commit_item> batch_;
  std::map<std::pair<std::uint16_t, std::uint64_t>, aggregate> touched_;  // in this batch: `to_` does not have them yet
};

}  // namespace

restore_report restore(const store& from, store& to, const system_declaration& system, std::uint64_t new_history,
                       std::optional<std::uint64_t> to_sequence, std::optional<timestamp> to_time, const progress_handler& progress) {
  check_empty(to);
  check_source(from, system);
  const auto partitions = partitions_of(from);
  prepare_to_restore(to, system, partitions, new_history);

  restore_report report;
  {
    const auto types = system.catalog();
    chain_check chain(partitions);
    replay into(to, system, partitions);
    const auto now = from.read();
    log_reader log(*now, 0);
    while (const auto raw = log.next()) {
      if (to_sequence && raw->sequence > *to_sequence) break;
      chain.take(*raw);
      auto record = std::make_shared<journal_record>(decode_body(raw->sequence, raw->partition, raw->body, types));
      if (to_time && record->at > *to_time) break;
      report.last_offset = record->sequence + record->width() - 1;
      into.take(std::move(record), raw->body);
      if (++report.records % progress_every == 0) progress("records restored", report.records);
    }
    into.flush();
  }
  begin_making(to, making::views);  // the rest of it is there
  rebuild_views(to, system, partitions, [&](std::uint64_t done) {
    if (done % progress_every == 0) progress("records taken into the views", done);
  });
  return report;
}

}  // namespace crema::storage
