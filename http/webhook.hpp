// Notifications as POSTs to somebody's HTTP server: `{"id": …, "to": …, "text": …}` with `Idempotency-Key: <id>`. An answer 2xx means
// delivered; anything else, and silence beyond the time-out, means not delivered: the notifier tries again under the same id.
//
// Made by main.cpp, called by the notifiers (any thread). The network is spoken to on a thread of its own, so a dead receiver holds
// up nobody. A connection serves one try: notifications are few, and a kept connection that its server has dropped would look like a
// failure. A TLS handshake that fails, say because the receiver's certificate is not trusted, is a failed try like any other.
//
// Limits: tries_max tries at a time (one more is answered "not delivered" at once), the time-out covers a whole try from looking up
// the name to the answer's header, and an answer's header has at most 8 KiB; its body is not read.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "behaviors/core/notification_sink.hpp"

namespace crema::http {

class webhook_sink final : public notification_sink {
 public:
  static constexpr std::size_t tries_max = 256;

  /// `ca_file`: see parse_post_target (http/post.hpp). Throws std::invalid_argument with one sentence where `url` is not one that can
  /// be posted to, or the file cannot be used.
  webhook_sink(const std::string& url, std::chrono::milliseconds timeout, const std::string& ca_file = {});
  /// Tries in flight end as not delivered.
  ~webhook_sink() override;
  webhook_sink(const webhook_sink&) = delete;
  webhook_sink& operator=(const webhook_sink&) = delete;

  void deliver(const std::string& id, const notification& n, std::function<void(bool delivered)> done) override;

 private:
  class worker;
  class attempt;
  std::unique_ptr<worker> worker_;
};

}  // namespace crema::http
