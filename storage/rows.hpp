// What a step of an aggregate changes in derived data: its state row, the finders' entries, the key's entry, the collection's count.
// The one place that knows: live steps (actors/entity) and a replayed journal (storage/restore) come to the same bytes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/core/declaration.hpp"
#include "storage/log.hpp"

namespace crema::storage {

/// An aggregate as a step found it.
struct aggregate_before {
  const context_declaration& context;
  std::uint64_t id = 0;
  std::string_view key;  ///< empty: found by number
  const value& state;
  std::uint64_t version = 0;  ///< 0: it has recorded nothing yet
  bool gone = false;

  bool in_collection() const noexcept { return version > 0 && !gone; }
};

/// Adds what a step to state `after` with `version` changes. The aggregate's own row comes first; its sequence is set by stamp_row.
void derive_rows(commit_item& item, const aggregate_before& before, const value& after, std::uint64_t version);

/// Adds the unchanged row of an aggregate whose record has no events but keeps an answer (an idempotency key).
void derive_same_row(commit_item& item, const aggregate_before& before);

/// Adds to `out` the keys of `from` that `in` has not.
void add_missing(const std::vector<std::string>& from, const std::vector<std::string>& in, std::vector<std::string>& out);

/// Applies the events to the state, in place. Throws std::logic_error where the context cannot fold one.
void fold(const context_declaration& context, void* state, const std::vector<value>& events);

}  // namespace crema::storage
