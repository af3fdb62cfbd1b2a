// What the sessions of one server share: threads, router, limits, counters. Internal to http/.
//
// Each io thread has a loop of its own, and each connection belongs to one of them: nothing of a connection is ever touched by two
// threads, so it needs no lock. Ownership: the server and every session hold the engine, so that a late answer finds its loop;
// only the server stops it.
// Whatever a handler outside this folder keeps is a weak pointer to a session.
#pragma once

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "http/cross_origin.hpp"
#include "http/forwarded.hpp"
#include "http/mounts.hpp"
#include "http/rate_limiter.hpp"
#include "http/request_metrics.hpp"
#include "http/trace_sampler.hpp"

namespace crema::http {

namespace net = boost::asio;
using tcp = net::ip::tcp;
using executor = net::io_context::executor_type;
using tcp_socket = net::basic_stream_socket<tcp, executor>;
using steady = std::chrono::steady_clock;
using timer = net::basic_waitable_timer<steady, net::wait_traits<steady>, executor>;

class session;

/// Now, for stamps on answers.
timestamp wall_clock() noexcept;

class engine : public std::enable_shared_from_this<engine> {
 public:
  engine(server_settings s, const std::vector<mounted>& systems, telemetry::metrics& m);

  void start(std::optional<int> inherited_socket);
  void announce_end();
  void drain(std::function<void()> done);
  void stop();
  std::uint16_t port() const noexcept { return port_; }

  bool draining() const noexcept { return draining_.load(std::memory_order_acquire); }
  /// Adds one to a bounded count. False: it is at its limit.
  static bool enter(std::atomic<std::size_t>& count, std::size_t limit) noexcept;
  void leave(session* s);
  std::uint64_t next_seed();

  const server_settings settings;
  mounts systems;
  address_list trusted;
  http::cross_origin cross_origin;
  rate_limiter limiter;
  trace_sampler sampler;
  request_metrics metrics;
  std::optional<net::thread_pool> slow{std::in_place, 1};

  std::atomic<std::size_t> in_flight{0}, streams{0};

 private:
  using listener = net::basic_socket_acceptor<tcp, executor>;
  struct loop {
    net::io_context ioc{1};  // run by one thread
    net::executor_work_guard<executor> keeps_running{ioc.get_executor()};
    std::thread thread;
    void run();
    void end();
  };

  void listen(std::optional<int> inherited_socket);
  void accept();
  void take(tcp_socket socket);
  void refuse(tcp_socket socket);
  void close_listener();
  void finish_drain();
  executor next_loop();
  std::vector<std::shared_ptr<session>> all_sessions();

  std::uint16_t port_ = 0;
  bool inherited_ = false;
  std::deque<loop> loops_;
  std::size_t next_loop_ = 0;  // these are used on the first loop only, once started
  std::optional<listener> acceptor_;
  std::optional<timer> accept_pause_, drain_timer_;
  std::atomic<bool> draining_ = false;
  bool stopped_ = false;   // by stop(), on its caller's thread
  bool stopping_ = false;  // on the first loop
  std::atomic<std::uint64_t> seed_;
  std::atomic<std::size_t> refusing_{0};

  std::mutex mutex_;  // sessions_, drained_
  std::unordered_map<session*, std::weak_ptr<session>> sessions_;
  std::function<void()> drained_;
};

}  // namespace crema::http
