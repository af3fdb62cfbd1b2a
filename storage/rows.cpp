#include "storage/rows.hpp"

#include <algorithm>
#include <stdexcept>

#include "storage/layout.hpp"

namespace crema::storage {

void add_missing(const std::vector<std::string>& from, const std::vector<std::string>& in, std::vector<std::string>& out) {
  for (const auto& k : from)
    if (std::find(in.begin(), in.end(), k) == in.end()) out.push_back(k);
}

void derive_rows(commit_item& item, const aggregate_before& before, const value& after, std::uint64_t version) {
  const auto& context = before.context;
  const collection_ref here{false, context.index};
  const auto graveyard = graveyard_of(context.index);
  const bool was_there = before.in_collection();
  const bool is_gone = context.gone && context.gone(after.data());

  item.rows.push_back({is_gone ? graveyard : here, before.id, encode_row({0, version}, after)});
  if (is_gone && was_there) item.rows.push_back({here, before.id, {}});
  if (!is_gone && before.gone) item.rows.push_back({graveyard, before.id, {}});
  if (was_there == is_gone) item.row_delta.emplace_back(here, is_gone ? -1 : 1);

  const auto old_keys = was_there ? index_keys(here, *context.resource, before.id, before.state) : std::vector<std::string>{};
  const auto new_keys = is_gone ? std::vector<std::string>{} : index_keys(here, *context.resource, before.id, after);
  add_missing(old_keys, new_keys, item.index_erase);
  add_missing(new_keys, old_keys, item.index_put);
  if (before.version == 0 && !before.key.empty()) item.unique_put.emplace_back(unique_key(context.index, before.key), before.id);
}

void derive_same_row(commit_item& item, const aggregate_before& before) {
  const auto where = before.gone ? graveyard_of(before.context.index) : collection_ref{false, before.context.index};
  item.rows.push_back({where, before.id, encode_row({0, before.version}, before.state)});
}

void fold(const context_declaration& context, void* state, const std::vector<value>& events) {
  for (const auto& event : events) {
    const auto* evolver = context.evolver_of(event.type());
    if (evolver == nullptr) throw std::logic_error("'" + context.name + "' cannot fold " + std::string(event.type().name));
    evolver->evolve(state, event.data());
  }
}

}  // namespace crema::storage
