// What standard output is: how wide, and whether it shows more than ASCII.
#pragma once

#include <cstddef>

namespace crema::cli {

struct terminal {
  std::size_t columns = 100;
  bool utf8 = false;  ///< a terminal in a UTF-8 locale; a file or a pipe gets ASCII
};

terminal terminal_of_stdout();

}  // namespace crema::cli
