// Notifications as POSTs to somebody's HTTP server: `{"id": …, "to": …, "text": …}` with `Idempotency-Key: <id>`, `traceparent` and
// `tracestate`.
//
// An answer 2xx means delivered. 408, 425, 429, 5xx, a redirect that is not followed, and no answer mean "not now": it is tried again
// under the same id, after the time that Retry-After names where it does. Any other 4xx is final. The answer's body means nothing.
//
// Made by main.cpp, called by the notifiers (any thread); the client carries it out on its own. A TLS handshake that fails, say because
// the receiver's certificate is not trusted, is a failed try like any other.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "behaviors/core/notification_sink.hpp"
#include "outbound/client.hpp"

namespace crema::outbound {

class webhook_sink final : public notification_sink {
 public:
  /// `timeout`: of a whole try. `ca_file`: CAs beside the system's (outbound/trust.hpp). Throws std::invalid_argument with one sentence
  /// where nothing can be posted to `url`, or the file cannot be used.
  webhook_sink(std::shared_ptr<client> by, const std::string& url, milliseconds timeout, const std::string& ca_file = {});

  void deliver(outgoing_notification n, std::function<void(delivery_report)> done) override;

 private:
  const std::shared_ptr<client> client_;
  request to_;
};

/// What an answer to a notification means.
delivery_report report_of(const std::string& url, const answer& a);

}  // namespace crema::outbound
