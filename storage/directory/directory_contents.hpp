// What a data directory says of itself in its file `contents`: whether it holds one system or several, and whether it was made to its
// end. Format: docs/formats/README.md.
//
// Problem: an absent or empty data file looks like a new one, and the directories of `serve SYSTEM` and `serve --all` look free to each
// other. Solution: the file is there before anything else is, so that a new store is made only where nothing was.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/directory/directory_lock.hpp"

namespace crema::storage {

enum class directory_state : std::uint8_t {
  being_made,      ///< nothing in it was ever relied upon
  being_restored,  ///< the same, and it is not to be served before it was restored
  whole,           ///< it holds data: what is not there any more was lost
};

struct directory_contents {
  bool several = false;  ///< systems, each in a directory of its own below this one
  directory_state state = directory_state::being_made;
  std::vector<std::string> systems;  ///< of several: those that were made
};

/// Nothing where the file is not there. Throws storage_error: format (it cannot be understood), io.
std::optional<directory_contents> read_contents(const std::filesystem::path& directory);
/// Durable when it returns. Throws storage_error (full, io).
void write_contents(const std::filesystem::path& directory, const directory_contents& c);

/// For who is about to serve one system from `directory`: throws storage_error (format) where it holds several of `known_systems`.
void require_one_system(const std::filesystem::path& directory, const std::vector<std::string>& known_systems);

/// The directory of a node that serves several systems: locked as a whole for as long as this lives.
class directory_of_several {
 public:
  /// Made if it is not there. Throws storage_error: locked, unsupported, io, format (it holds one system).
  explicit directory_of_several(const std::filesystem::path& directory);

  /// It was made before, so its data has to be there.
  bool has(std::string_view system) const;
  /// These have all been made: from now on their data has to be there.
  void note_made(const std::vector<std::string>& systems);

 private:
  std::filesystem::path directory_;
  directory_lock lock_;
  directory_contents contents_;
};

}  // namespace crema::storage
