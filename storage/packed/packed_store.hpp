// A store that writes the entries of `index` in blocks of neighbours: wraps any other.
//
// Index entries are many, small, and alike. One row each takes some 40 bytes and a search for each that changes;
// a block of neighbours takes five bytes an entry, and one row changes where a run of them does. So the table has a seventh of the pages,
// and what changes in it by one commit lies on fewer of them.
//
// A row's key is the least that its block may have; the block reaches to the next row's key. No block is empty.
// Whoever reads the wrapped store directly sees the blocks. Threads: as storage/store.hpp says.
#pragma once

#include <cstddef>
#include <memory>

#include "storage/store.hpp"

namespace crema::storage {

/// Of a block, encoded. With its key, its check and LMDB's header, eight lie on a page.
inline constexpr std::size_t block_bytes_max = 476;

/// `bytes_max`: beyond it a block is divided, unless it is one entry.
std::unique_ptr<store> make_packed_store(std::shared_ptr<store> below, std::size_t bytes_max = block_bytes_max);

}  // namespace crema::storage
