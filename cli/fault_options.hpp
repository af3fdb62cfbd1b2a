// `crema fault add`: what its options say, as the fields that a node takes. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace crema::cli {

struct fault_options {
  std::string target, kind;
  std::optional<double> rate;
  std::optional<std::uint64_t> count, seed;
  std::string lasts;  ///< "30s"
  std::string delay;  ///< "400-620", in ms
  std::string by;     ///< "1h", "-90s"
  std::string note;
};

/// Throws std::invalid_argument whose text names the option and the fix. The node checks what fits together.
nlohmann::json fault_fields(const fault_options& o);

}  // namespace crema::cli
