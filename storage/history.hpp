// One aggregate's own records, from its newest back to its first: each record names the one before it, and the state row names the
// last. However old the aggregate is, nothing else is read.
#pragma once

#include <cstdint>
#include <functional>

#include "behaviors/core/front_door.hpp"
#include "storage/record.hpp"
#include "storage/store.hpp"

namespace crema::storage {

/// Until `visit` returns false. False: the aggregate never recorded anything.
bool walk_history(const snapshot& s, const type_catalog& types, std::uint16_t context, std::uint64_t id,
                  const std::function<bool(journal_record)>& visit);

/// A page of one aggregate's own events, oldest first, of the history as it was when the first page was asked for.
/// The chain leads backwards, so the first pages hold nothing while it is followed once to where the reading begins, `scan_limit` records
/// at a time; a mark is left every `history_stride` records. Afterwards a page reads its own records, and less than a stride of others.
event_page read_history(const snapshot& s, const type_catalog& types, const event_query& query);
inline constexpr std::uint32_t history_stride = 64;

}  // namespace crema::storage
