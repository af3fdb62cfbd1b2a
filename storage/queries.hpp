// Reads of committed rows: one, a page, a search. On the caller's thread, bounded by the request.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "behaviors/core/front_door.hpp"
#include "storage/record.hpp"
#include "storage/store.hpp"

namespace crema::storage {

std::optional<stored_row> read_row(const snapshot& s, const record_type& type, collection_ref from, std::uint64_t id);

/// Sorting looks at every row: more than `sort_rows_max` are refused (invalid, naming the limit).
result<page> list_rows(const snapshot& s, const resource_declaration& resource, collection_ref from, const page_request& request,
                       std::uint64_t sort_rows_max);

/// Rows that match, in the order of their numbers; those of a finder with an upper bound, in the order of what it bounds. The total is
/// counted, which takes a step of a cursor a match. Sorting as above.
result<page> find_rows(const snapshot& s, const resource_declaration& resource, collection_ref from, const finder_declaration& finder,
                       const std::vector<scalar>& arguments, const page_request& request, std::uint64_t sort_rows_max);

/// Adds the record's wanted events; `seen` counts those looked at. False: the page is full before the record's end, and `next` says
/// where to go on.
bool take_events(event_page& page, const event_query& query, const journal_record& r, std::uint64_t& seen);

/// What `query` asks of the stream; a query for one aggregate follows its own records only, however old they are.
event_page read_events(const snapshot& s, const type_catalog& types, const event_query& query);

}  // namespace crema::storage
