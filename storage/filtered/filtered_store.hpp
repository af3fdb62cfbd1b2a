// A store that can say at once what is surely not in the index: wraps any other (docs/adr/0032).
//
// What is new is looked for all the same: an aggregate by its key, a row by its finder. Such a look, which finds nothing, goes through the
// whole tree of a large table. Here a Bloom filter holds the groups of index keys (storage/layout: index_group) that may
// exist: each transaction adds its own before it commits, and what was there at the opening is learnt from the table. Until all of it is
// learnt, the answer is "maybe". What is erased stays in the filter until the next opening.
// Threads: as storage/store.hpp says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "storage/store.hpp"

namespace crema::storage {

enum class learning : std::uint8_t {
  at_opening,  ///< before this returns
  beside,      ///< on a thread of its own, which interrupts nobody
};

/// `bytes`: of the filter; 0: there is none, and the answer is always "maybe".
/// `told`: once, by the learning thread, when it has ended: empty, or why not all could be read; the answer then stays "maybe".
std::unique_ptr<store> make_filtered_store(std::shared_ptr<store> below, std::size_t bytes, learning how,
                                           std::function<void(const std::string&)> told = {});

}  // namespace crema::storage
