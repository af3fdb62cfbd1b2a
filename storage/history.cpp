#include "storage/history.hpp"

#include "storage/layout.hpp"
#include "storage/log.hpp"

namespace crema::storage {

bool walk_history(const snapshot& s, const type_catalog& types, std::uint16_t context, std::uint64_t id,
                  const std::function<bool(journal_record)>& visit) {
  auto row = s.get(table::state, row_key({false, context}, id));
  if (!row) row = s.get(table::state, row_key(graveyard_of(context), id));
  if (!row) return false;
  for (auto at = decode_row_header(*row).sequence; at != 0;) {
    const auto record = read_record(s, at, types);
    if (!record) break;
    at = record->previous;
    if (!visit(std::move(*record))) break;
  }
  return true;
}

}  // namespace crema::storage
