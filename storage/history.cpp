#include "storage/history.hpp"

#include "storage/layout.hpp"
#include "storage/log.hpp"

namespace crema::storage {

bool walk_history(const snapshot& s, const type_catalog& types, std::uint16_t context, std::uint64_t id,
                  const std::function<bool(journal_record)>& visit) {
  auto row = s.get(table::state, row_key({false, context}, id));
  if (!row) row = s.get(table::state, row_key(graveyard_of(context), id));
  if (!row) return false;
  const auto header = decode_row_header(*row);
  for (auto at = header.sequence; at != 0;) {
    const auto bytes = s.get(table::journal, journal_key(header.partition, at));
    if (!bytes) break;
    auto record = decode_body(at, header.partition, body_of(*bytes), types);
    at = record.previous;
    if (!visit(std::move(record))) break;
  }
  return true;
}

}  // namespace crema::storage
