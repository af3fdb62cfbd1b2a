#include "storage/projection.hpp"

#include <algorithm>
#include <stdexcept>

#include "storage/format.hpp"
#include "storage/layout.hpp"
#include "storage/rows.hpp"

namespace crema::storage {

// Rows changed since the last take, over those on disk.
class projection::overlay final {
 public:
  explicit overlay(const store& s) : store_(s) {}

  /// One snapshot until the next take(): nobody else writes these views, and what was taken is written before more is shown.
  void begin() {
    if (!snapshot_) snapshot_ = store_.read();
  }
  /// Lets go of the snapshot.
  void end() { snapshot_.reset(); }
  bool empty() const { return rows_.empty(); }

  // The row_store of one view, for the time of one event.
  class rows_of final : public row_store {
   public:
    rows_of(overlay& all, const view_declaration& view) : all_(all), view_(view) {}
    value get(std::uint64_t id) override { return all_.get(view_, id); }
    void put(std::uint64_t id, value row) override { all_.put(view_, id, std::move(row)); }
    void erase(std::uint64_t id) override { all_.put(view_, id, {}); }
    std::uint64_t next_id() override { return all_.next_id(view_); }
    value last(std::string_view finder, const std::vector<scalar>& arguments) override { return all_.last(view_, finder, arguments); }

   private:
    overlay& all_;
    const view_declaration& view_;
  };

  commit_item take() {
    commit_item item;
    for (auto& [key, e] : rows_) {
      const collection_ref where{true, key.first};
      item.rows.push_back({where, key.second, e.row ? encode_row({0, ++e.version}, e.row) : std::string()});
      const int delta = static_cast<int>(static_cast<bool>(e.row)) - static_cast<int>(e.was_there);
      if (delta != 0) item.row_delta.emplace_back(where, delta);
    }
    for (auto& [key, present] : index_) (present ? item.index_put : item.index_erase).push_back(key);
    for (const auto& [view, n] : numbers_) item.meta.emplace_back(view_number_key(view), number_key(n));
    rows_.clear();
    index_.clear();
    numbers_.clear();
    ends_on_disk_.clear();
    return item;
  }

 private:
  struct entry {
    value row;
    std::uint64_t version = 0;
    bool was_there = false;
  };

  entry& find(const view_declaration& view, std::uint64_t id) {
    const auto [at, fresh] = rows_.try_emplace({view.index, id});
    auto& highest = highest_of(view);
    if (fresh && id <= highest) {
      const collection_ref where{true, view.index};
      if (const auto bytes = snapshot_->get(table::views, row_key(where, id))) {
        auto stored = decode_row(*view.resource.row, id, *bytes);
        at->second = {std::move(stored.row), stored.version, true};
      }
    }
    highest = std::max(highest, id);
    return at->second;
  }

  // No row of the view has a higher number: most rows are new ones at the end, and need not be looked for.
  std::uint64_t& highest_of(const view_declaration& view) {
    const auto [at, fresh] = highest_.try_emplace(view.index);
    if (fresh) {
      const auto prefix = collection_prefix({true, view.index});
      const auto c = snapshot_->open(table::views);
      if (c->seek_before(after_prefix(prefix)) && c->key().starts_with(prefix)) at->second = tail_number(c->key());
    }
    return at->second;
  }

  value get(const view_declaration& view, std::uint64_t id) { return find(view, id).row; }

  // Keys that stay are not written again: what a row is found by hardly ever changes.
  void put(const view_declaration& view, std::uint64_t id, value row) {
    auto& e = find(view, id);
    const auto keys_of = [&](const value& r) {
      return r ? index_keys({true, view.index}, view.resource, id, r) : std::vector<std::string>{};
    };
    const auto old_keys = keys_of(e.row);
    e.row = std::move(row);
    const auto new_keys = keys_of(e.row);
    std::vector<std::string> gone, fresh;
    add_missing(old_keys, new_keys, gone);
    add_missing(new_keys, old_keys, fresh);
    for (auto& k : gone) index_[std::move(k)] = false;
    for (auto& k : fresh) index_[std::move(k)] = true;
  }

  std::uint64_t next_id(const view_declaration& view) {
    auto at = numbers_.find(view.index);
    if (at == numbers_.end())
      at = numbers_.emplace(view.index, read_number(*snapshot_, table::meta, view_number_key(view.index)).value_or(0)).first;
    return ++at->second;
  }

  value last(const view_declaration& view, std::string_view finder, const std::vector<scalar>& arguments) {
    const auto& finders = view.resource.finders;
    const auto at = std::find_if(finders.begin(), finders.end(), [&](const auto& f) { return f.name == finder; });
    if (at == finders.end()) throw std::logic_error("view '" + view.name + "' has no finder '" + std::string(finder) + "'");
    const auto prefix = index_prefix({true, view.index}, static_cast<std::size_t>(at - finders.begin()), arguments, at->up_to);
    const auto key = std::max(last_in_overlay(prefix), last_on_disk(prefix));
    return key.empty() ? value{} : get(view, tail_number(key));
  }

  std::string last_in_overlay(const std::string& prefix) const {
    for (auto at = index_.lower_bound(after_prefix(prefix)); at != index_.begin();) {
      --at;
      if (at->first.compare(0, prefix.size(), prefix) != 0) break;
      if (at->second) return at->first;
    }
    return {};
  }

  bool stands(const std::string& key) const {
    const auto changed = index_.find(key);
    return changed == index_.end() || changed->second;
  }

  // A step back may lead over many entries that are erased but not out of their places yet, so where it leads is kept: nobody else
  // writes these views, and what they wrote themselves is on disk after the next take.
  std::string last_on_disk(const std::string& prefix) {
    const auto [end, fresh] = ends_on_disk_.try_emplace(prefix);
    if (!fresh && (end->second.empty() || stands(end->second))) return end->second;
    if (!store_.may_have(table::index, prefix)) return {};
    const auto c = snapshot_->open(table::index);
    bool there = c->seek_before(after_prefix(prefix)) && c->key().substr(0, prefix.size()) == prefix;
    if (fresh && there) end->second = c->key();
    while (there && !stands(std::string(c->key()))) there = c->prev() && c->key().substr(0, prefix.size()) == prefix;
    return there ? std::string(c->key()) : std::string();
  }

  const store& store_;
  std::unique_ptr<snapshot> snapshot_;
  std::map<std::pair<std::uint16_t, std::uint64_t>, entry> rows_;
  std::map<std::string, bool> index_;
  std::map<std::string, std::string> ends_on_disk_;  // by prefix: the last key there, whatever was changed since; empty: none
  std::map<std::uint16_t, std::uint64_t> numbers_;
  std::map<std::uint16_t, std::uint64_t> highest_;  // by view, for as long as this lives
};

projection::projection(const system_declaration& system, std::uint16_t context, const store& s, const type_catalog& types)
    : system_(system), context_(context), types_(types), changes_(std::make_unique<overlay>(s)) {
  load(*s.read());
}

projection::~projection() = default;

bool projection::relevant(const journal_record& r) const {
  for (const auto& v : system_.views)
    if (v.context == context_)
      for (const auto& e : r.events)
        if (v.projection_of(e.type()) != nullptr) return true;
  return false;
}

void projection::apply(const std::shared_ptr<const journal_record>& record) {
  const auto& r = *record;
  if (r.sequence < position_) return;
  position_ = r.sequence + r.width();

  records ready;
  const auto settle = [&](const outbox_ref& hold, bool keep) {
    const auto at = pending_.find(hold);
    if (at == pending_.end()) return;
    if (keep) ready.insert(ready.end(), at->second.begin(), at->second.end());
    pending_.erase(at);
    checkpoint_changed_ = true;
  };
  for (const auto& ref : r.confirmed) settle(ref, true);
  for (const auto& ref : r.consumed) settle(ref, false);  // a message's ref is never in pending_
  if (!r.compensating && relevant(r)) ready.push_back(record);
  if (ready.empty()) return;

  if (r.held) {
    pending_[r.hold_ref()] = std::move(ready);
    checkpoint_changed_ = true;
    return;
  }
  std::sort(ready.begin(), ready.end(), [](const auto& a, const auto& b) { return a->sequence < b->sequence; });
  for (const auto& each : ready) show(*each);
}

void projection::show(const journal_record& r) {
  if (skipped_.contains(r.sequence)) return;
  changes_->begin();
  try {
    for (std::size_t i = 0; i < r.events.size(); ++i)
      for (const auto& v : system_.views) {
        if (v.context != context_) continue;
        if (const auto* p = v.projection_of(r.events[i].type())) {
          overlay::rows_of rows(*changes_, v);
          p->apply(rows, r.events[i].data(), event_meta{r.subject.id, r.sequence + i, r.at});
        }
      }
  } catch (...) {
    changes_->end();  // on the thread that took the snapshot
    throw;
  }
  if (tell_) tell_(r);
}

std::optional<commit_item> projection::take() {
  changes_->end();
  if (changes_->empty() && !checkpoint_changed_) return std::nullopt;
  auto item = changes_->take();
  item.meta.emplace_back(checkpoint_key(context_), checkpoint());
  checkpoint_changed_ = false;
  return item;
}

// position, then each pending hold with the places of its records: these are read again from the journal after a start.
std::string projection::checkpoint() const {
  std::string out;
  wire::put_varint(out, position_);
  wire::put_varint(out, pending_.size());
  for (const auto& [hold, waiting] : pending_) {
    out.append(outbox_key(hold));
    wire::put_varint(out, waiting.size());
    for (const auto& r : waiting) wire::put_varint(out, r->sequence);
  }
  return out;
}

void projection::load(const snapshot& s) {
  const auto bytes = s.get(table::meta, checkpoint_key(context_));
  if (!bytes) return;
  wire::reader in(*bytes);
  position_ = in.varint();
  for (auto holds = in.varint(); holds > 0; --holds) {
    std::string key;
    for (int i = 0; i < 16; ++i) key.push_back(static_cast<char>(in.byte()));
    auto& waiting = pending_[parse_outbox_key(key)];
    for (auto n = in.varint(); n > 0; --n) {
      const auto sequence = in.varint();
      auto stored = read_record(s, sequence, types_);
      if (!stored)
        throw storage_error(storage_errc::corrupt, "a view waits for record " + std::to_string(sequence) +
                                                       ", which is not in the journal; run: crema verify --rebuild-views");
      waiting.push_back(std::move(stored));
    }
  }
}

namespace {

void erase_all(store& s, const std::function<bool(std::string_view)>& wanted, table t) {
  constexpr std::size_t chunk = 10000;  // keeps one transaction's dirty pages in memory bounded
  for (std::string from;;) {
    std::vector<std::string> keys;
    {
      const auto now = s.read();
      const auto c = now->open(t);
      for (bool there = c->seek(from); there && keys.size() < chunk; there = c->next()) {
        from = std::string(c->key()) + '\0';
        if (wanted(c->key())) keys.push_back(std::string(c->key()));
      }
      if (keys.empty()) return;
    }
    const auto tx = s.write();
    for (const auto& k : keys) tx->erase(t, k);
    tx->commit();
  }
}

void write_derived(store& s, std::uint16_t partitions, std::size_t contexts, commit_item item) {
  log_writer(s, partitions, contexts).write({&item, 1});
}

void forget_views(store& s, const system_declaration& system) {
  erase_all(
      s, [](std::string_view) { return true; }, table::views);
  erase_all(
      s, [](std::string_view k) { return owner_of(k).kind == 'v'; }, table::index);
  const auto tx = s.write();
  for (const auto& c : system.contexts) tx->erase(table::meta, checkpoint_key(c.index));
  for (const auto& v : system.views) {
    tx->erase(table::meta, row_count_key({true, v.index}));
    tx->erase(table::meta, view_number_key(v.index));
  }
  tx->commit();
}

class view_failed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Says which record it is on which a view throws.
void take_in(projection& views, const context_declaration& context, const std::shared_ptr<const journal_record>& r) {
  try {
    views.apply(r);
  } catch (const std::exception& e) {
    throw view_failed("the views of '" + context.name + "' cannot take in record " + std::to_string(r->sequence) + " (" + e.what() +
                      "); they stand before it now. Mend the projection, then rebuild again");
  }
}

void project_everything(store& s, const system_declaration& system, std::uint16_t partitions,
                        const std::function<void(std::uint64_t)>& progress) {
  constexpr std::uint64_t batch = 5000;
  const auto types = system.catalog();
  for (const auto& context : system.contexts) {
    if (std::none_of(system.views.begin(), system.views.end(), [&](const auto& v) { return v.context == context.index; })) continue;
    projection views(system, context.index, s, types);
    std::uint64_t done = 0;
    for (bool more = true; more;) {
      {
        const auto now = s.read();
        log_reader log(*now, views.position());
        std::uint64_t n = 0;
        std::optional<raw_record> raw;
        while (n < batch && (raw = log.next())) {
          if (raw->sequence < views.position()) continue;
          take_in(views, context, std::make_shared<journal_record>(decode_body(raw->sequence, raw->partition, raw->body, types)));
          ++n;
        }
        more = n == batch;
        done += n;
      }
      if (auto item = views.take()) write_derived(s, partitions, system.contexts.size(), std::move(*item));
      progress(done);
    }
  }
}

}  // namespace

void rebuild_views(store& s, const system_declaration& system, std::uint16_t partitions,
                   const std::function<void(std::uint64_t)>& progress) {
  begin_making(s, making::views);
  forget_views(s, system);
  try {
    project_everything(s, system, partitions, progress);
  } catch (const view_failed&) {  // every commit had the rows and the checkpoint up to which they reach
    end_making(s);
    throw;
  }
  end_making(s);
}

}  // namespace crema::storage
