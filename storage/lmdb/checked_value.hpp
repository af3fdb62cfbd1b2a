// What stands behind every value on disk: four bytes of a hash of its table, its key and itself. Pure. Private to storage/lmdb.
//
// A bit that a disk, memory or a copy flipped is noticed by whoever reads the value, and so is a value that stands under another key.
// FROZEN: docs/formats/tables.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/store.hpp"

namespace crema::storage {

inline constexpr std::size_t check_bytes = 4;

/// Sets `out` to the value with its check behind it.
void append_check(table t, std::string_view key, std::string_view value, std::string& out);

/// The value without its check. Throws storage_error (corrupt), which names table and key, where the two do not match.
std::string_view checked_value(table t, std::string_view key, std::string_view stored);

}  // namespace crema::storage
