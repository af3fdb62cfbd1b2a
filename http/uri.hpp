// A request target, taken apart and decoded. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crema::http {

struct uri {
  std::vector<std::string> segments;                            ///< decoded; "/" has none, a trailing slash adds none
  std::vector<std::pair<std::string, std::string>> parameters;  ///< decoded, in order
  std::string query;                                            ///< as sent, without '?'

  const std::string* parameter(std::string_view name) const noexcept;
};

/// Origin form ("/orders?page=1"). Nothing where it is not a valid one (a bad escape, a stray character).
std::optional<uri> parse_target(std::string_view target);

/// A positive integer of at most 63 bits, without sign or leading zero.
std::optional<std::uint64_t> parse_id(std::string_view text) noexcept;
/// A number of at most 63 bits.
std::optional<std::uint64_t> parse_number(std::string_view text) noexcept;

}  // namespace crema::http
