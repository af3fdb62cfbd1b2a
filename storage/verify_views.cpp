#include <algorithm>

#include "storage/layout.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/verify_parts.hpp"

namespace crema::storage {

namespace {

constexpr std::size_t records_per_write = 5000;

// Where the context's projector stands; whatever comes later is not in its rows yet.
std::uint64_t position_of(const snapshot& s, std::uint16_t context) {
  const auto bytes = s.get(table::meta, checkpoint_key(context));
  if (!bytes) return 0;
  wire::reader in(*bytes);
  return in.varint();
}

bool concerns(const system_declaration& system, std::uint16_t context, const journal_record& r) {
  for (const auto& v : system.views)
    if (v.context == context)
      for (const auto& e : r.events)
        if (v.projection_of(e.type()) != nullptr) return true;
  return false;
}

using maybe_bytes = std::optional<std::string_view>;

bool inside(const cursor& c, const std::string& prefix) { return c.key().substr(0, prefix.size()) == prefix; }

// Steps through what two stores hold below a prefix; `differ(key, made, kept)`, where one of them may be absent. Returns how many
// are kept.
template <class Differ>
std::uint64_t walk_both(cursor& made, cursor& kept, const std::string& prefix, Differ differ) {
  bool m = made.seek(prefix) && inside(made, prefix), k = kept.seek(prefix) && inside(kept, prefix);
  std::uint64_t n = 0;
  while (m || k) {
    const auto order = !m ? 1 : !k ? -1 : made.key().compare(kept.key());
    if (order < 0)
      differ(made.key(), made.value(), maybe_bytes{});
    else if (order > 0)
      differ(kept.key(), maybe_bytes{}, kept.value());
    else
      differ(made.key(), made.value(), kept.value());
    if (order >= 0) ++n;
    if (order <= 0) m = made.next() && inside(made, prefix);
    if (order >= 0) k = kept.next() && inside(kept, prefix);
  }
  return n;
}

// Only the fields: a view's row versions depend on how its changes were gathered into writes.
bool same_fields(const record_type& type, std::string_view a, std::string_view b) {
  const auto fields_of = [&](std::string_view bytes) { return encode_row({0, 0}, decode_row(type, 0, bytes).row); };
  return fields_of(a) == fields_of(b);
}

}  // namespace

struct view_check::one_context {
  std::uint16_t index;
  std::uint64_t position;             // records from here on are not in its rows yet
  std::unique_ptr<projection> views;  // empty: it could not take in a record, so there is nothing to compare
};

view_check::view_check(const verify_scope& in) : in_(in), scratch_(make_memory_store({~0ULL})) {
  writer_ = std::make_unique<log_writer>(*scratch_, in.partitions, in.system.contexts.size());
  for (const auto& c : in.system.contexts) {
    const bool has_views = std::any_of(in.system.views.begin(), in.system.views.end(), [&](const auto& v) { return v.context == c.index; });
    if (has_views)
      contexts_.push_back({c.index, position_of(in.now, c.index), std::make_unique<projection>(in.system, c.index, *scratch_, in.types)});
  }
}

view_check::~view_check() = default;

void view_check::take(const std::shared_ptr<const journal_record>& r) {
  for (auto& c : contexts_) {
    if (r->sequence >= c.position) {
      if (concerns(in_.system, c.index, *r)) ++in_.report.view_records_behind;
      continue;
    }
    if (!c.views) continue;
    try {
      c.views->apply(r);
    } catch (const std::exception& e) {
      in_.fault("The views of '" + in_.system.contexts[c.index].name + "' cannot take in " + place_of(r->sequence, r->partition) +
                " and were not compared: " + e.what() + ".");
      c.views.reset();
    }
  }
  if (++unwritten_ == records_per_write) write_down();
}

void view_check::write_down() {
  unwritten_ = 0;
  // All let go of what they read before anything is written: of a table that somebody reads, the store in memory makes a copy.
  std::vector<commit_item> items;
  for (auto& c : contexts_)
    if (c.views)
      if (auto item = c.views->take()) items.push_back(std::move(*item));
  writer_->write(items);
}

std::uint64_t view_check::finish() {
  write_down();
  std::uint64_t entries = 0;
  for (const auto& v : in_.system.views)
    if (is_compared(v)) compare(v);
  const auto made = scratch_->read();
  const auto of = [&](const index_owner& owner, std::string_view key) {
    return "The view row " + in_.system.views[owner.index].name + "/" + std::to_string(tail_number(key));
  };
  const auto kept = in_.now.open(table::index);
  for (bool there = kept->seek({}); there; there = kept->next()) {
    const auto owner = owner_of(kept->key());
    if (owner.kind != 'v') continue;
    ++entries;
    if (owner.index >= in_.system.views.size()) {
      in_.fault("A finder's index has an entry of a view that the system does not have.");
      continue;
    }
    if (is_compared(in_.system.views[owner.index]) && !made->get(table::index, kept->key()))
      in_.fault(of(owner, kept->key()) + " is in a finder's index where it does not belong.");
  }
  const auto expected = made->open(table::index);
  for (bool there = expected->seek({}); there; there = expected->next()) {
    const auto owner = owner_of(expected->key());
    if (is_compared(in_.system.views[owner.index]) && !in_.now.get(table::index, expected->key()))
      in_.fault(of(owner, expected->key()) + " is missing from one of its finders' indexes.");
  }
  return entries;
}

bool view_check::is_compared(const view_declaration& view) const {
  return std::any_of(contexts_.begin(), contexts_.end(), [&](const auto& c) { return c.index == view.context && c.views != nullptr; });
}

void view_check::compare(const view_declaration& view) {
  const collection_ref where{true, view.index};
  const auto made = scratch_->read();
  const auto of = [&](std::string_view key) { return "The view row " + view.name + "/" + std::to_string(tail_number(key)); };
  in_.report.view_rows += walk_both(*made->open(table::views), *in_.now.open(table::views), collection_prefix(where),
                                    [&](std::string_view key, maybe_bytes m, maybe_bytes k) {
                                      if (!k)
                                        in_.fault(of(key) + " is missing.");
                                      else if (!m)
                                        in_.fault(of(key) + " is not what the journal leads to: there should be none.");
                                      else if (!same_fields(*view.resource.row, *m, *k))
                                        in_.fault(of(key) + " is not what the journal leads to.");
                                    });
  for (const auto& key : {row_count_key(where), view_number_key(where.index)})
    if (read_number(*made, table::meta, key).value_or(0) != read_number(in_.now, table::meta, key).value_or(0))
      in_.fault("The number '" + key + "' of view '" + view.name + "' is not what the journal leads to.");
}

}  // namespace crema::storage
