// What a directory holds before LMDB is asked to open it. Private to storage/lmdb.
//
// Problem: LMDB makes a file that is missing or has no bytes, so a store that was lost or cut to nothing would come up as an empty one.
// Solution: a new one is made only where nothing was, and the directory says so before it is (storage/directory/directory_contents).
#pragma once

#include <cstdint>
#include <filesystem>

#include "storage/lmdb/lmdb_store.hpp"

namespace crema::storage {

inline constexpr const char* data_file_name = "data.mdb";
inline constexpr const char* unfinished_copy_name = "data.mdb.part";  // of a backup, until it is whole

enum class data_file : std::uint8_t { to_be_made, there };

/// For who makes none. Throws storage_error (format).
void require_directory(const std::filesystem::path& directory);

/// Throws storage_error: corrupt (a file is missing or empty where there was one), format (several systems; nothing to read), io.
/// Where it was begun to be made and never relied upon, what is left of that goes. The directory is locked by the caller.
data_file find_data_file(const std::filesystem::path& directory, const lmdb_options& options);

}  // namespace crema::storage
