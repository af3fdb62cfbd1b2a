// One request as its sender knows it, however often it was sent.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "behaviors/core/front_door.hpp"
#include "http/message.hpp"

namespace crema::sim {

/// The first answer 2xx.
struct grant {
  unsigned status = 0;
  std::string location;                  ///< path of what was made; empty unless 201
  std::optional<std::uint64_t> version;  ///< ETag
  nlohmann::json body;
};

struct asked {
  std::size_t number = 0;  ///< from 1; the trace id carries it
  http::method verb = http::method::get;
  std::string path;
  nlohmann::json body;
  bool keyed = false;                     ///< under an Idempotency-Key of its own
  std::optional<std::uint64_t> if_match;  ///< the version that it must meet
  int sent = 0;
  unsigned last_status = 0;  ///< 0: never answered
  std::optional<grant> granted;

  std::string key() const { return "sim-" + std::to_string(number); }
  trace_context trace() const;
  /// Which one a trace id belongs to.
  static std::size_t number_of(const std::array<std::uint8_t, 16>& trace_id) noexcept;
};

/// The number at a path's end, as in "/orders/11".
std::uint64_t number_at_end(std::string_view path);
/// "orders" of "/orders/11".
std::string collection_of(std::string_view path);

}  // namespace crema::sim
