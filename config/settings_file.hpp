// Reads a settings file into a flat list of names, values and the lines that they stand on. Knows nothing of what is declared.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "config/registry.hpp"

namespace crema::config {

struct file_line {
  std::string name;  ///< "payment.bulkhead.callTimeoutMs"
  setting value;
  std::size_t line = 0;
};

/// Throws config_error: not there, too long, not JSON (with its line), null or an object within a list.
std::vector<file_line> read_settings_file(const std::filesystem::path& file);

}  // namespace crema::config
