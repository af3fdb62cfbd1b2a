#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace crema::cli {

namespace {

constexpr std::size_t columns_min = 60, columns_max = 200;

// As the C library reads them: the first that is set counts.
bool locale_is_utf8() {
  for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* set = std::getenv(name);
    if (set == nullptr || *set == '\0') continue;
    const std::string_view value(set);
    return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos;
  }
  return false;
}

}  // namespace

terminal terminal_of_stdout() {
  terminal t;
  if (isatty(STDOUT_FILENO) == 0) return t;
  t.utf8 = locale_is_utf8();
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    t.columns = size.ws_col < columns_min ? columns_min : size.ws_col > columns_max ? columns_max : size.ws_col;
  return t;
}

}  // namespace crema::cli
