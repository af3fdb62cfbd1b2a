// A system of three contexts for the storage tests, and a hand that writes its journal as an entity would:
// cups (by number, may be gone), tallies (by key), and a desk that owns two views.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "storage/format.hpp"
#include "storage/layout.hpp"
#include "storage/log.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/projection.hpp"
#include "storage/rows.hpp"

namespace small {

using namespace crema;
using namespace crema::storage;

struct cup {
  static constexpr std::string_view type_name = "cup";
  std::string phone{};
  std::int64_t qty = 0;
  std::optional<std::int64_t> discount{};
  bool broken = false;
  static std::vector<field_spec> fields() {
    return {field<&cup::phone>("phone"), field<&cup::qty>("qty"), field<&cup::discount>("discount"), field<&cup::broken>("broken").hide()};
  }
};
struct cup_made {
  static constexpr std::string_view type_name = "CupMade";
  std::string phone{};
  std::int64_t qty = 0;
  static std::vector<field_spec> fields() { return {field<&cup_made::phone>("phone"), field<&cup_made::qty>("qty")}; }
};
struct cup_filled {
  static constexpr std::string_view type_name = "CupFilled";
  std::int64_t qty = 0;
  std::optional<std::int64_t> discount{};
  static std::vector<field_spec> fields() { return {field<&cup_filled::qty>("qty"), field<&cup_filled::discount>("discount")}; }
};
struct cup_broken {
  static constexpr std::string_view type_name = "CupBroken";
  static std::vector<field_spec> fields() { return {}; }
};
struct fill_cup {
  static constexpr std::string_view type_name = "fillCup";
  std::int64_t qty = 0;
  static std::vector<field_spec> fields() { return {field<&fill_cup::qty>("qty")}; }
};
inline void evolve(cup& c, const cup_made& e) { c = {e.phone, e.qty, {}, false}; }
inline void evolve(cup& c, const cup_filled& e) {
  c.qty += e.qty;
  c.discount = e.discount;
}
inline void evolve(cup& c, const cup_broken&) { c.broken = true; }
inline result<outcome> decide(const cup&, const fill_cup& c, const given&) { return record_event(cup_filled{c.qty, {}}); }

struct tally {
  static constexpr std::string_view type_name = "tally";
  std::string name{};
  std::int64_t sum = 0;
  static std::vector<field_spec> fields() { return {field<&tally::name>("name"), field<&tally::sum>("sum")}; }
};
struct tallied {
  static constexpr std::string_view type_name = "Tallied";
  std::string name{};
  std::int64_t qty = 0;
  static std::vector<field_spec> fields() { return {field<&tallied::name>("name"), field<&tallied::qty>("qty")}; }
};
inline void evolve(tally& t, const tallied& e) {
  t.name = e.name;
  t.sum += e.qty;
}

/// A line for each cup made or filled; `total` is that of the line before, plus the quantity.
struct line {
  static constexpr std::string_view type_name = "line";
  std::int64_t cup_id = 0;
  std::int64_t total = 0;
  static std::vector<field_spec> fields() { return {field<&line::cup_id>("cupId"), field<&line::total>("total")}; }
};
/// The cups that are whole.
struct shelf {
  static constexpr std::string_view type_name = "shelf";
  std::string phone{};
  static std::vector<field_spec> fields() { return {field<&shelf::phone>("phone")}; }
};

inline constexpr std::uint16_t cups = 0, tallies = 1, desk = 2;
inline constexpr std::uint16_t lines = 0, shelves = 1;
inline constexpr std::uint16_t partitions = 4;

inline void append_line(rows<line>& all, std::uint64_t id, std::int64_t qty) {
  const auto before = all.last("findByCupId", {static_cast<std::int64_t>(id)});
  all.append({static_cast<std::int64_t>(id), (before ? before->total : 0) + qty});
}

inline system_declaration make_system() {
  system_builder b("small");
  b.context<cup>("cup", "cup", "cups")
      .handles<fill_cup>()
      .records<cup_made, cup_filled, cup_broken>()
      .gone_when([](const cup& c) { return c.broken; })
      .finder("findByPhone", &cup::phone)
      .finder_up_to("findByQtyUpTo", &cup::qty)
      .finder_up_to("findByDiscountUpTo", &cup::discount);
  b.context<tally>("tally", "tally", "tallies").records<tallied>().finder("findByName", &tally::name);
  b.context("desk");
  b.view<line>("desk", "line", "lines")
      .on<cup_made>([](rows<line>& all, const cup_made& e, const event_meta& m) { append_line(all, m.id, e.qty); })
      .on<cup_filled>([](rows<line>& all, const cup_filled& e, const event_meta& m) { append_line(all, m.id, e.qty); })
      .finder("findByCupId", &line::cup_id);
  b.view<shelf>("desk", "shelf", "shelves")
      .on<cup_made>([](rows<shelf>& all, const cup_made& e, const event_meta& m) { all.put(m.id, {e.phone}); })
      .on<cup_broken>([](rows<shelf>& all, const cup_broken&, const event_meta& m) { all.erase(m.id); })
      .finder("findByPhone", &shelf::phone);
  return std::move(b).build();
}

inline const system_declaration& the_system() {
  static const auto s = make_system();
  return s;
}

inline constexpr std::uint64_t the_history = 0x0123456789abcdef;

/// Writes records as entities do, one transaction a flush.
class hand {
 public:
  explicit hand(store& s) : store_(s) {
    prepare(s, the_system(), partitions, the_history);
    log_.emplace(s, partitions, the_system().contexts.size());
  }

  static journal_record step(std::uint16_t context, std::uint64_t id, std::vector<value> events, const std::string& key = {}) {
    journal_record r;
    r.subject = {context, id, key};
    r.partition = partition_of(r.subject, partitions);
    r.correlation = r.subject;
    r.events = std::move(events);
    return r;
  }

  /// Queues the record and returns it as it will be on disk.
  std::shared_ptr<const journal_record> add(journal_record r) {
    auto& a = aggregates_[{r.subject.context, r.subject.id}];
    const auto& context = the_system().contexts[r.subject.context];
    if (!a.state && context.state != nullptr) a.state = value(*context.state, context.state->make());
    if (r.at.ms == 0) r.at.ms = 1000 * static_cast<std::int64_t>(next_);
    commit_item item;
    const aggregate_before before{context, r.subject.id, r.subject.key, a.state, a.version, a.gone};
    r.version = a.version + r.events.size();
    if (!r.events.empty() || r.idempotency) r.previous = a.last;
    if (!r.events.empty()) {
      auto next = context.state->copy(a.state.data());
      fold(context, next.get(), r.events);
      const value after(*context.state, std::move(next));
      derive_rows(item, before, after, r.version);
      a.state = after;
      a.version = r.version;
      a.gone = context.gone && context.gone(after.data());
    } else if (r.idempotency) {
      derive_same_row(item, before);
    }
    item.body = encode_body(r);
    r.sequence = next_;
    next_ += r.width();
    if (!r.events.empty() || r.idempotency) a.last = r.sequence;
    std::uint32_t index = 0;
    for (auto& m : r.messages) {
      m.ref.id = {r.sequence, ++index};
      if (m.causation == 0) m.causation = r.sequence;
    }
    if (r.held)
      for (auto& m : r.held->messages)
        if (m.causation == 0) m.causation = r.sequence;
    for (auto& row : item.rows) stamp_row(row.bytes, r.sequence);
    item.record = std::make_shared<journal_record>(std::move(r));
    queue_.push_back(item);
    return item.record;
  }
  std::shared_ptr<const journal_record> add(std::uint16_t context, std::uint64_t id, std::vector<value> events,
                                            const std::string& key = {}) {
    return add(step(context, id, std::move(events), key));
  }

  void flush() {
    log_->write(queue_);
    queue_.clear();
  }
  std::shared_ptr<const journal_record> write(journal_record r) {
    auto written = add(std::move(r));
    flush();
    return written;
  }

  /// Brings the views up to the end of the journal, as the projector does, `each` records at a time.
  void project(std::size_t each = 1000) {
    projection views(the_system(), desk, store_, types_);
    for (bool more = true; more;) {
      std::vector<std::shared_ptr<const journal_record>> next;
      {
        const auto now = store_.read();
        log_reader log(*now, views.position());
        while (const auto raw = log.next()) {
          if (raw->sequence < views.position()) continue;
          next.push_back(std::make_shared<journal_record>(decode_body(raw->sequence, raw->partition, raw->body, types_)));
          if (next.size() == each) break;
        }
      }
      for (const auto& r : next) views.apply(r);
      more = next.size() == each;
      if (auto item = views.take()) log_->write({&*item, 1});
    }
  }

  std::uint64_t next_sequence() const { return next_; }
  log_writer& log() { return *log_; }

 private:
  struct aggregate {
    value state;
    std::uint64_t version = 0, last = 0;
    bool gone = false;
  };
  store& store_;
  type_catalog types_ = the_system().catalog();
  std::optional<log_writer> log_;
  std::map<std::pair<std::uint16_t, std::uint64_t>, aggregate> aggregates_;
  std::vector<commit_item> queue_;
  std::uint64_t next_ = 1;
};

inline value made(std::string phone, std::int64_t qty) { return value::of(cup_made{std::move(phone), qty}); }
inline value filled(std::int64_t qty, std::optional<std::int64_t> discount = {}) { return value::of(cup_filled{qty, discount}); }
inline value broken() { return value::of(cup_broken{}); }

/// A message to the cup, for the record that puts it.
inline stored_message message_to(std::uint64_t id, std::int64_t qty, std::int64_t due_ms = 0) {
  stored_message m;
  m.to = {cups, id, {}};
  m.ref.where = {cups, partition_of(m.to, partitions)};
  m.from = m.correlation = m.to;
  m.due_ms = due_ms;
  m.payload = value::of(fill_cup{qty});
  return m;
}

inline hold hold_of(std::uint64_t id, std::vector<stored_message> messages = {}) {
  hold h;
  h.subject = h.correlation = {cups, id, {}};
  h.undo = value::of(fill_cup{-1});
  h.messages = std::move(messages);
  return h;
}

inline idempotency_key key_of(std::uint8_t n) {
  idempotency_key k;
  k.key.fill(n);
  k.fingerprint = 1000U + n;
  return k;
}

/// Everything that a store holds, for comparing two.
inline std::map<std::pair<table, std::string>, std::string> contents(const store& s) {
  std::map<std::pair<table, std::string>, std::string> all;
  const auto now = s.read();
  for (std::size_t t = 0; t < table_count; ++t) {
    const auto c = now->open(static_cast<table>(t));
    for (bool there = c->seek({}); there; there = c->next()) all[{static_cast<table>(t), std::string(c->key())}] = c->value();
  }
  return all;
}

/// The same, whatever records the journal holds side by side in one entry.
inline std::map<std::pair<table, std::string>, std::string> by_record(const store& s) {
  auto all = contents(s);
  std::erase_if(all, [](const auto& e) { return e.first.first == table::journal; });
  const auto now = s.read();
  log_reader log(*now, 0);
  while (const auto r = log.next())
    all[{table::journal, journal_key(r->sequence)}] = std::to_string(r->partition) + ' ' + std::to_string(r->previous_checksum) + ' ' +
                                                      std::to_string(r->checksum) + std::string(r->body);
  return all;
}

}  // namespace small
