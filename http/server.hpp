// The HTTP front door of one or several systems: listener, sessions and routers behind one handle. Start here.
//
// A listener takes connections, a session (http/session.hpp) reads, answers and times one connection on the thread that it is given, the
// router (http/router.hpp) turns a request into an answer, an ask or a stream. No io thread ever waits for anything.
//
// Thread-safety: start, drain and stop are called from the thread that owns the server (drain also from a signal thread).
// The systems' doors and the metrics outlive stop(); answers that come later still are dropped safely.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "behaviors/core/front_door.hpp"
#include "http/mounts.hpp"
#include "telemetry/metrics.hpp"

namespace crema::http {

class server {
 public:
  /// Throws std::invalid_argument where a setting or a prefix makes no sense.
  server(server_settings settings, const std::vector<mounted>& systems, telemetry::metrics& metrics);
  ~server();  ///< stops
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Listens and runs its own threads. `inherited_socket`: a listening socket handed down (socket activation), owned from here on.
  /// Throws std::system_error where the address cannot be had, std::invalid_argument where a setting makes no sense.
  void start(std::optional<int> inherited_socket = {});

  /// The port in use, also where 0 was asked for. 0 before start().
  std::uint16_t port() const noexcept;

  /// Readiness goes DOWN, and each connection ends after its next answer; what comes is still accepted and answered.
  void announce_end();

  /// From now on management asks for this token. Any thread.
  void set_management_token(const std::string& token);

  /// Readiness goes DOWN and the listener closes at once; requests in flight are answered, connections end after their next answer.
  /// `done` is called once, on an io thread, when no connection is left or the limit has passed. It must not call stop() itself.
  void drain(std::function<void()> done);

  /// Ends what is left and joins the threads. Not from an io thread. Safe to call twice.
  void stop();

 private:
  std::shared_ptr<class engine> engine_;
};

}  // namespace crema::http
