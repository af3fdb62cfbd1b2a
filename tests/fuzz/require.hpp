// A fuzzer's assertion: says what does not hold and ends the process, so that the input is kept.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace crema::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace crema::fuzz
