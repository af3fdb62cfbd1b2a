#include "tests/support/source_directory.hpp"

namespace crema {

std::filesystem::path source_directory() { return CREMA_SOURCE_DIRECTORY; }

}  // namespace crema
