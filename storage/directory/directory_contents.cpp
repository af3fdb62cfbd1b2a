#include "storage/directory/directory_contents.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "storage/directory/durable_file.hpp"
#include "storage/store.hpp"

namespace crema::storage {

namespace {

namespace fs = std::filesystem;

// Words of the file. FROZEN.
constexpr std::string_view word_holds = "holds", word_state = "state", word_system = "system";
constexpr std::string_view word_one = "one", word_several = "several";
constexpr std::array<std::string_view, 3> state_words{"being-made", "being-restored", "whole"};  // in the order of directory_state

fs::path contents_file(const fs::path& directory) { return directory / "contents"; }

[[noreturn]] void refuse(const std::string& text) { throw storage_error(storage_errc::format, text); }

bool take_line(directory_contents& into, std::string_view name, std::string_view value) {
  const auto state = std::find(state_words.begin(), state_words.end(), value);
  if (name == word_holds && (value == word_one || value == word_several))
    into.several = value == word_several;
  else if (name == word_state && state != state_words.end())
    into.state = static_cast<directory_state>(state - state_words.begin());
  else if (name == word_system && !value.empty())
    into.systems.emplace_back(value);
  else
    return false;
  return true;
}

// Of systems that are served together, one whose data is below `directory`.
std::optional<std::string> system_below(const fs::path& directory, const std::vector<std::string>& known_systems) {
  for (const auto& name : known_systems)
    if (fs::exists(directory / name / "data.mdb") || fs::exists(contents_file(directory / name))) return name;
  return std::nullopt;
}

fs::path made(const fs::path& directory) {
  make_private_directories(directory);
  return directory;
}

}  // namespace

std::optional<directory_contents> read_contents(const fs::path& directory) {
  const auto path = contents_file(directory);
  std::ifstream in(path);
  if (!in) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw storage_error(storage_errc::io, "Cannot read " + path.string() + ": " + std::strerror(errno) + "; look at who may read it.");
  }
  directory_contents c;
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const auto space = line.find(' ');
    if (space == std::string::npos || !take_line(c, std::string_view(line).substr(0, space), std::string_view(line).substr(space + 1)))
      refuse("the file " + path.string() + " cannot be understood ('" + line + "'); use the crema that wrote it, or restore a backup");
  }
  if (lines < 2) refuse("the file " + path.string() + " is cut short; where data.mdb beside it is sound, remove this file");
  return c;
}

void write_contents(const fs::path& directory, const directory_contents& c) {
  std::ostringstream text;
  text << word_holds << ' ' << (c.several ? word_several : word_one) << '\n'
       << word_state << ' ' << state_words[static_cast<std::size_t>(c.state)] << '\n';
  for (const auto& s : c.systems) text << word_system << ' ' << s << '\n';
  replace_file(contents_file(directory), text.str());
}

void require_one_system(const fs::path& directory, const std::vector<std::string>& known_systems) {
  const auto c = read_contents(directory);
  if (c && !c->several) return;
  if (!c && fs::exists(directory / "data.mdb")) return;
  const auto below = system_below(directory, known_systems);
  if (c || below)
    refuse("the data directory " + directory.string() +
           " holds several systems, each in a directory of its own; serve them with --all, "
           "or one of them with --data " +
           (directory / below.value_or("SYSTEM")).string());
}

directory_of_several::directory_of_several(const fs::path& directory) : directory_(made(directory)), lock_(directory_) {
  const auto found = read_contents(directory_);
  if (found ? !found->several : fs::exists(directory_ / "data.mdb"))
    refuse("the data directory " + directory_.string() +
           " holds one system; serve that one without --all, or choose another directory with --data");
  contents_ = found.value_or(directory_contents{true, directory_state::whole, {}});
  if (!found) write_contents(directory_, contents_);
}

bool directory_of_several::has(std::string_view system) const {
  return std::find(contents_.systems.begin(), contents_.systems.end(), system) != contents_.systems.end();
}

void directory_of_several::note_made(const std::vector<std::string>& systems) {
  const auto before = contents_.systems.size();
  for (const auto& s : systems)
    if (!has(s)) contents_.systems.push_back(s);
  if (contents_.systems.size() > before) write_contents(directory_, contents_);
}

}  // namespace crema::storage
