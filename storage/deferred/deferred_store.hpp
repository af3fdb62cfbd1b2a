// A store that puts scattered keys in their places later: wraps any other.
//
// The keys of `index` sort by what callers sent (a phone number), so that each lies on a page of its own: written at once, an order
// costs several pages that nothing else needs. Here a commit appends its changes of `index` to the table `deferred`, as one row at
// the table's end, and keeps them in memory. Beyond `entries_max` it also moves a run of them, neighbours by key, to their places:
// they share pages. Readers see the two as one table, each snapshot the state of one commit.
//
// Opening it reads what was left before; nothing is replayed. Whoever reads the wrapped store directly does not see what is deferred.
// Threads: as storage/store.hpp says.
#pragma once

#include <cstddef>
#include <memory>

#include "storage/store.hpp"

namespace crema::storage {

/// `entries_max`: keys kept in memory, about 80 bytes each; 0: none is deferred longer than to the next commit.
std::unique_ptr<store> make_deferred_store(std::shared_ptr<store> below, std::size_t entries_max);

}  // namespace crema::storage
