// Where the source tree is, for tests that read its files. It does not depend on the directory that a test binary is started from.
#pragma once

#include <filesystem>

namespace crema {

std::filesystem::path source_directory();

}  // namespace crema
