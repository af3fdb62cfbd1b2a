// One aggregate's own records, from its newest back to its first: each record names the one before it, and the state row names the
// last. However old the aggregate is, nothing else is read.
#pragma once

#include <cstdint>
#include <functional>

#include "storage/record.hpp"
#include "storage/store.hpp"

namespace crema::storage {

/// Until `visit` returns false. False: the aggregate never recorded anything.
bool walk_history(const snapshot& s, const type_catalog& types, std::uint16_t context, std::uint64_t id,
                  const std::function<bool(journal_record)>& visit);

}  // namespace crema::storage
