// The store without a disk, for tests and simulation: the same contract, gone with the object.
//
// Committed tables are immutable maps that snapshots share; a transaction keeps its changes beside them, and commit() applies them,
// in place where no snapshot looks on, else to a copy of the changed tables. So a commit costs its changes, not the store's size,
// as long as snapshots are short.
// Threads: as storage/store.hpp says; write() from one thread at a time is required and checked.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/store.hpp"

namespace crema::storage {

struct memory_options {
  std::uint64_t bytes_max = 1ULL << 30U;  ///< keys and values; a commit beyond is refused as `full`
};

std::unique_ptr<store> make_memory_store(const memory_options& options = {});

}  // namespace crema::storage
