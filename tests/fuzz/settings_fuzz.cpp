// A settings file, an environment and flags, parted by zero bytes: a config_error, or every setting within its bounds.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behaviors/systems.hpp"
#include "config/load.hpp"
#include "tests/fuzz/require.hpp"

using namespace crema;

namespace {

const config::registry& declared() {
  static const auto all = [] {
    auto r = config::runtime_settings();
    config::add_system(r, find_system("hotel"));
    return r;
  }();
  return all;
}

/// A file without a disk.
class memory_file {
 public:
  explicit memory_file(std::string_view text) : fd_(memfd_create("settings.json", 0)) {
    fuzz::require(fd_ >= 0 && ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "the file is written");
  }
  ~memory_file() { ::close(fd_); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> all;
  for (std::size_t at = 0; at != std::string_view::npos;) {
    const auto end = text.find('\0', at);
    all.push_back(text.substr(at, end - at));
    at = end == std::string_view::npos ? end : end + 1;
  }
  return all;
}

std::pair<std::string, std::string> assignment(std::string_view text) {
  const auto equals = text.find('=');
  return {std::string(text.substr(0, equals)), equals == std::string_view::npos ? "" : std::string(text.substr(equals + 1))};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = parts_of({reinterpret_cast<const char*>(data), size});
  const memory_file file(parts.front());
  config::sources from;
  if (!parts.front().empty()) from.file = file.path();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    auto [name, value] = assignment(parts[i]);
    // A file that a setting names would be one of this machine.
    if (name.ends_with("File") || name.ends_with("_FILE")) return 0;
    if (name.starts_with("CREMA_"))
      from.environment.emplace_back(std::move(name), std::move(value));
    else
      from.flags.push_back({std::move(name), std::move(value), "--set"});
  }
  if (parts.front().find("File") != std::string_view::npos) return 0;
  try {
    const auto v = config::load(declared(), from);
    for (const auto& d : declared().all())
      if (d.type == config::kind::integer)
        fuzz::require(v.get_int(d.name) >= d.min && v.get_int(d.name) <= d.max, "an integer is within its bounds");
  } catch (const config::config_error& e) { fuzz::require(*e.what() != '\0', "an error says why"); }
  return 0;
}
