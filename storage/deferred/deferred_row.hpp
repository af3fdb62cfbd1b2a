// A row of `deferred`: what one commit changed of the table whose entries wait, and whether it still waits. Pure.
// Format: docs/formats/tables.md.
//
// Entries are moved to their places by key, round and round through the whole range. A row tells how far the moves had come when it
// was written. So it can be told of each change, without keeping it: what lies in front of the moves is moved in the same round,
// what lies behind them in the next one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/deferred/recent_entries.hpp"
#include "storage/entry_block.hpp"

namespace crema::storage {

struct moves_position {
  std::uint64_t round = 0;
  std::string after;  ///< in this round, what was found up to this key has been moved
};

/// Of a change of `key` that was written at `then`: has it been moved, or replaced by a later change?
bool is_settled(std::string_view key, const moves_position& then, const moves_position& now) noexcept;
/// The same of all changes that were written at `then`.
bool all_is_settled(const moves_position& then, const moves_position& now) noexcept;

std::string encode_deferred_row(const key_changes& changes, const moves_position& written_at);

/// A row taken apart. Throws decode_error.
struct deferred_row {
  explicit deferred_row(std::string_view encoded);
  moves_position written_at;
  entry_block put, erased;
};
/// Of a row that is not taken apart. Throws decode_error.
moves_position written_at(std::string_view encoded);

}  // namespace crema::storage
