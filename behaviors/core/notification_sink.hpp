// The port through which notifications leave the node. Adapters: log (actors/log_sink), webhook (outbound/webhook).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "behaviors/core/declaration.hpp"
#include "behaviors/core/front_door.hpp"
#include "behaviors/core/http_exchange.hpp"

namespace crema {

/// A notification on its way out.
struct outgoing_notification {
  std::string id;  ///< the same for every try, and of no other notification of any system or history
  std::string to, text;
  trace_context trace;  ///< the span of this try: goes along where the adapter can carry it
};

/// How one try ended.
struct delivery_report {
  enum class verdict : std::uint8_t {
    delivered,  ///< the receiver has it; by the log: it is written and synced
    try_again,  ///< not now
    refused,    ///< and so it would be again
  };
  verdict is = verdict::try_again;
  std::string reason = {};                                    ///< why not, for operators
  std::optional<std::chrono::milliseconds> retry_after = {};  ///< the receiver's own wish
  std::shared_ptr<const http_exchange> http = {};             ///< where it went by HTTP
};

class notification_sink {
 public:
  virtual ~notification_sink() = default;
  /// Makes one try. `done` is called exactly once, from any thread, now or later. Must not block.
  virtual void deliver(outgoing_notification n, std::function<void(delivery_report)> done) = 0;
};

}  // namespace crema
