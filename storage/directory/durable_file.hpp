// Files and directories whose names survive a power cut, and which only their owner may read: what is in them is customers' data.
// A name is durable once its directory was synced; a file's sync does not cover it. Any thread.
#pragma once

#include <filesystem>
#include <string_view>

namespace crema::storage {

inline constexpr unsigned private_file_mode = 0600, private_directory_mode = 0700;

/// Syncs a file's bytes or a directory's names. Throws storage_error (io).
void sync_path(const std::filesystem::path& path);

/// Makes the directory and whatever is missing above it. One that is there stays as it is. Throws storage_error (io).
void make_private_directories(const std::filesystem::path& directory);

/// Puts a file with this text in the place of `path`: all of it or, after a crash, what was there before. Throws storage_error (io).
void replace_file(const std::filesystem::path& path, std::string_view text);

/// Gives a file its final name and makes that durable. Throws storage_error (io).
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace crema::storage
