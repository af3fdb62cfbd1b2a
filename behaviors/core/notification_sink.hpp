// The port through which notifications leave the node. Adapters: log (actors/notifier), webhook (http/webhook).
#pragma once

#include <functional>
#include <string>

#include "behaviors/core/declaration.hpp"

namespace crema {

class notification_sink {
 public:
  virtual ~notification_sink() = default;
  /// Delivers once. `id` is the same for every try of the same notification. `done(delivered)` is called exactly once, from any
  /// thread, now or later. Must not block.
  virtual void deliver(const std::string& id, const notification& n, std::function<void(bool delivered)> done) = 0;
};

}  // namespace crema
