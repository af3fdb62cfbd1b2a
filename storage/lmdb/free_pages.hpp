// LMDB's list of pages that nothing uses. Private to storage/lmdb.
#pragma once

#include <lmdb.h>

#include <cstdint>

namespace crema::storage {

/// How many pages with this number or a higher one are free. Throws storage_error.
std::uint64_t free_pages_from(MDB_txn* reader, std::uint64_t first);

}  // namespace crema::storage
