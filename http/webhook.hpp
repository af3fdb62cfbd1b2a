// Notifications as POSTs to somebody's HTTP server: `{"id": …, "to": …, "text": …}` with `Idempotency-Key: <id>`. An answer 2xx means
// delivered; anything else, and silence beyond the time-out, means not delivered: the notifier tries again under the same id.
//
// Made by main.cpp, called by the notifiers (any thread). The network is spoken to on a thread of its own, so a dead receiver holds
// up nobody. A connection serves one try: a notification is rare, and a pooled connection that its server has dropped would look like a
// failure. https needs a build with OpenSSL (see `takes_https`).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "behaviors/core/notification_sink.hpp"

namespace crema::http {

class webhook_sink final : public notification_sink {
 public:
  /// Throws std::invalid_argument with one sentence where `url` is not one that can be posted to.
  webhook_sink(const std::string& url, std::chrono::milliseconds timeout);
  /// Tries in flight end as not delivered.
  ~webhook_sink() override;
  webhook_sink(const webhook_sink&) = delete;
  webhook_sink& operator=(const webhook_sink&) = delete;

  void deliver(const std::string& id, const notification& n, std::function<void(bool delivered)> done) override;

 private:
  class worker;
  std::unique_ptr<worker> worker_;
};

}  // namespace crema::http
