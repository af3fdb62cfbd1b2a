#include "storage/lmdb/data_file.hpp"

#include <optional>
#include <string>

#include "storage/directory/directory_contents.hpp"

namespace crema::storage {

namespace {

namespace fs = std::filesystem;

// What the first commit writes takes some 100 KiB. A larger file beside the note that it is being made was put there by somebody.
constexpr std::uint64_t being_made_bytes_max = 4ULL << 20U;

constexpr auto what_to_do = "; restore a backup into a new directory ('crema restore'), or give another one with --data";

[[noreturn]] void refuse(storage_errc code, const std::string& text) { throw storage_error(code, text); }

[[noreturn]] void refuse_nothing(const fs::path& directory) {
  refuse(storage_errc::format, "there is no crema data in " + directory.string() + "; give the right directory, or restore a backup");
}

std::optional<std::uint64_t> size_of(const fs::path& file) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (error == std::errc::no_such_file_or_directory) return std::nullopt;
  if (error)
    refuse(storage_errc::io, "Cannot look at " + file.string() + ": " + error.message() + "; look at the disk and who may read it.");
  return bytes;
}

[[noreturn]] void refuse_unfinished_restore(const fs::path& directory) {
  refuse(storage_errc::format,
         "the data in " + directory.string() + " was being restored, and that was not finished; run 'crema restore' again");
}

void remove_what_was_begun(const fs::path& directory, std::uint64_t bytes) {
  const auto file = directory / data_file_name;
  if (bytes > being_made_bytes_max)
    refuse(storage_errc::corrupt, "The directory " + directory.string() + " says that it is being made, but " + file.string() + " has " +
                                      std::to_string(bytes >> 20U) + " MiB" + what_to_do + ".");
  fs::remove(file);
  fs::remove(directory / "lock.mdb");
}

[[noreturn]] void refuse_missing(const fs::path& directory, bool something_was) {
  const auto name = (directory / data_file_name).string();
  if (fs::exists(directory / unfinished_copy_name))
    refuse(storage_errc::corrupt, "The backup in " + directory.string() + " was not finished; make another one, or use an older one.");
  if (!something_was) refuse_nothing(directory);
  refuse(storage_errc::corrupt, "The file " + name + " is missing where there was one" + what_to_do + ".");
}

}  // namespace

void require_directory(const fs::path& directory) {
  if (!fs::is_directory(directory)) refuse_nothing(directory);
}

data_file find_data_file(const fs::path& directory, const lmdb_options& options) {
  const auto file = directory / data_file_name;
  const auto contents = read_contents(directory);
  if (contents && contents->several)
    refuse(storage_errc::format,
           "the data directory " + directory.string() +
               " holds several systems, each in a directory of its own; give the one of a system with --data, or serve "
               "them with --all");
  const auto bytes = size_of(file);
  if (contents && contents->state == directory_state::being_restored && !options.to_restore) refuse_unfinished_restore(directory);
  if (contents && contents->state != directory_state::whole) {
    if (options.read_only)
      refuse(storage_errc::format,
             "the data in " + directory.string() + " was not made to its end and holds nothing; give the right directory");
    remove_what_was_begun(directory, bytes.value_or(0));
    return data_file::to_be_made;
  }
  if (!bytes) {
    const bool something_was = contents || fs::exists(directory / "lock.mdb");
    if (options.read_only || options.must_exist || something_was || fs::exists(directory / unfinished_copy_name))
      refuse_missing(directory, something_was);
    return data_file::to_be_made;
  }
  if (*bytes == 0) refuse(storage_errc::corrupt, "The file " + file.string() + " is empty: what was in it is lost" + what_to_do + ".");
  return data_file::there;
}

}  // namespace crema::storage
