#include "http/server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <future>
#include <random>
#include <stdexcept>
#include <system_error>

#include "http/ids.hpp"
#include "http/session.hpp"
#include "telemetry/log.hpp"

namespace crema::http {

namespace {

[[noreturn]] void fail(const boost::system::error_code& ec, const std::string& what) {
  throw std::system_error(ec.value(), std::system_category(), what);
}

void check(const server_settings& s) {
  if (s.threads == 0) throw std::invalid_argument("http.threads must be at least 1");
  if (s.page_size_default == 0 || s.page_size_default > s.page_size_max)
    throw std::invalid_argument("http.pageSizeDefault must be from 1 to http.pageSizeMax");
}

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

tcp protocol_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::system_error(errno, std::system_category(), "the inherited socket cannot be used");
  return address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
}

}  // namespace

timestamp wall_clock() noexcept {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

engine::engine(server_settings s, const std::vector<mounted>& served, telemetry::metrics& m)
    : settings((check(s), std::move(s))),
      systems(settings, served),
      trusted(settings.trusted_proxies),
      cross_origin(settings),
      limiter(settings.rate_requests_per_s, settings.rate_burst),
      sampler(settings.trace_sample_percent, settings.trace_samples_per_s),
      metrics(m, systems.templates()),
      seed_(random_seed()) {}

bool engine::enter(std::atomic<std::size_t>& count, std::size_t limit) noexcept {
  if (count.fetch_add(1, std::memory_order_relaxed) < limit) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

// Odd steps through the whole of 64 bits, mixed by the sessions' generators.
std::uint64_t engine::next_seed() { return seed_.fetch_add(0xd1342543de82ef95, std::memory_order_relaxed); }

void engine::listen(std::optional<int> inherited_socket) {
  boost::system::error_code ec;
  acceptor_.emplace(loops_.front().ioc.get_executor());
  if (inherited_socket) {
    inherited_ = true;
    acceptor_->assign(protocol_of(*inherited_socket), *inherited_socket, ec);
    if (ec) fail(ec, "the inherited socket cannot be used");
  } else {
    const auto address = net::ip::make_address(settings.listen_host, ec);
    const auto where = settings.listen_host + ":" + std::to_string(settings.listen_port);
    if (ec) fail(ec, "http.listen: '" + settings.listen_host + "' is not a numeric address");
    const tcp::endpoint endpoint(address, settings.listen_port);
    acceptor_->open(endpoint.protocol(), ec);
    if (!ec) acceptor_->set_option(net::socket_base::reuse_address(true), ec);
    if (!ec) acceptor_->bind(endpoint, ec);
    if (!ec) acceptor_->listen(net::socket_base::max_listen_connections, ec);
    if (ec) fail(ec, "cannot listen on " + where);
  }
  port_ = acceptor_->local_endpoint().port();
}

void engine::start(std::optional<int> inherited_socket) {
  loops_.resize(settings.threads);
  listen(inherited_socket);
  accept_pause_.emplace(acceptor_->get_executor());
  drain_timer_.emplace(acceptor_->get_executor());
  net::post(acceptor_->get_executor(), [self = shared_from_this()] { self->accept(); });
  for (auto& l : loops_) l.thread = std::thread([&l] { l.run(); });
}

void engine::loop::run() {
  while (true) {
    try {
      ioc.run();
      return;
    } catch (const std::exception& e) {  // a bug in one handler ends its connection at worst
      telemetry::log(telemetry::level::error, "an io handler failed", {{"what", e.what()}});
    }
  }
}

void engine::loop::end() {
  keeps_running.reset();
  if (thread.joinable()) thread.join();
}

// Connections are dealt to the loops in turn.
executor engine::next_loop() { return loops_[next_loop_++ % loops_.size()].ioc.get_executor(); }

void engine::accept() {
  acceptor_->async_accept(next_loop(), [self = shared_from_this()](const boost::system::error_code& ec, tcp_socket socket) {
    // Also after the listener was closed: this connection was accepted before, and its client may be sending.
    if (!ec) self->take(std::move(socket));
    if (!self->acceptor_->is_open()) return;
    if (!ec) return self->accept();
    if (ec != net::error::no_descriptors && ec != net::error::no_buffer_space && ec != net::error::no_memory) return self->accept();
    // Out of descriptors: the connection stays in the queue until one is free.
    self->accept_pause_->expires_after(std::chrono::milliseconds(100));
    self->accept_pause_->async_wait([self](const boost::system::error_code&) {
      if (self->acceptor_->is_open()) self->accept();
    });
  });
}

void engine::take(tcp_socket socket) {
  if (stopping_) return;
  std::unique_lock lock(mutex_);
  if (sessions_.size() >= settings.connections_max) {
    lock.unlock();
    refuse(std::move(socket));
    return;
  }
  const auto made = std::make_shared<session>(shared_from_this(), std::move(socket));
  sessions_.emplace(made.get(), made);
  lock.unlock();
  made->start();
}

// 503 to one connection too many, without reading what it wants. Itself bounded: beyond that they are closed without a word.
void engine::refuse(tcp_socket socket) {
  metrics.refused_connections.add();
  constexpr std::size_t at_once_max = 64;
  if (!enter(refusing_, at_once_max)) return;
  struct refusal {
    tcp_socket socket;
    timer closes;
    std::string text;
    std::array<char, 1024> rest;
  };
  request r;
  r.target = "/";
  r.now = wall_clock();
  auto id_state = next_seed();
  r.trace = new_trace(id_state);
  const auto answer = render(problem{problem_code::overloaded, "Too many connections are open.", {}, 1000}, r);
  const auto at = socket.get_executor();
  auto state = std::make_shared<refusal>(refusal{std::move(socket), timer(at), {}, {}});
  state->text = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: " + std::string(answer.content_type) +
                "\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\ntraceparent: " + to_traceparent(r.trace) + "\r\n" +
                std::string(kept_by_nobody) + answer.headers + "Connection: close\r\n\r\n" + answer.body;
  boost::system::error_code ec;
  state->socket.non_blocking(true, ec);
  state->socket.write_some(net::buffer(state->text), ec);  // fits into the empty send buffer of a new connection
  state->socket.shutdown(tcp::socket::shutdown_send, ec);
  // Kept open for a moment: closing with the request unread would reset it, and take the answer along.
  state->closes.expires_after(std::chrono::milliseconds(500));
  state->closes.async_wait([self = shared_from_this(), state](const boost::system::error_code&) {
    boost::system::error_code ignored;
    while (state->socket.read_some(net::buffer(state->rest), ignored) > 0) {}
    state->socket.close(ignored);
    self->refusing_.fetch_sub(1, std::memory_order_relaxed);
  });
}

// On the first loop.
void engine::close_listener() {
  if (!acceptor_->is_open()) return;
  boost::system::error_code ec;
  if (!inherited_) {
    // Who is in the queue already would be reset with it: let them in, but not those who come meanwhile, for they may never end. (An
    // inherited queue goes to the successor.)
    acceptor_->non_blocking(true, ec);
    for (int queued = 0; queued < net::socket_base::max_listen_connections; ++queued) {
      tcp_socket socket(next_loop());
      acceptor_->accept(socket, ec);
      if (ec) break;
      take(std::move(socket));
    }
  }
  acceptor_->close(ec);
  accept_pause_->cancel();
}

std::vector<std::shared_ptr<session>> engine::all_sessions() {
  std::vector<std::shared_ptr<session>> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [address, weak] : sessions_)
    if (auto s = weak.lock()) all.push_back(std::move(s));
  return all;
}

void engine::leave(session* s) {
  std::function<void()> done;
  {
    const std::lock_guard lock(mutex_);
    sessions_.erase(s);
    if (sessions_.empty()) done = std::exchange(drained_, nullptr);
  }
  if (done)
    net::post(acceptor_->get_executor(), [this, done = std::move(done)] {
      drain_timer_->cancel();
      done();
    });
}

void engine::announce_end() {
  draining_.store(true, std::memory_order_release);
  systems.set_draining();
}

void engine::drain(std::function<void()> done) {
  announce_end();
  if (!acceptor_) return done();
  net::post(acceptor_->get_executor(), [self = shared_from_this(), done = std::move(done)]() mutable {
    self->close_listener();
    {
      const std::lock_guard lock(self->mutex_);
      self->drained_ = std::move(done);
    }
    for (const auto& s : self->all_sessions()) s->drain();
    self->drain_timer_->expires_after(std::chrono::milliseconds(self->settings.drain_limit_ms));
    self->drain_timer_->async_wait([self](const boost::system::error_code& ec) {
      if (!ec) self->finish_drain();
    });
    if (self->all_sessions().empty()) self->finish_drain();
  });
}

// On the first loop, which owns drain_timer_.
void engine::finish_drain() {
  std::function<void()> done;
  {
    const std::lock_guard lock(mutex_);
    done = std::exchange(drained_, nullptr);
  }
  drain_timer_->cancel();
  if (done) done();
}

void engine::stop() {
  if (std::exchange(stopped_, true) || loops_.empty() || !loops_.front().thread.joinable()) return;
  slow->join();
  std::promise<void> told;
  net::post(acceptor_->get_executor(), [this, &told] {
    boost::system::error_code ec;
    stopping_ = true;
    acceptor_->close(ec);
    accept_pause_->cancel();
    drain_timer_->cancel();
    for (const auto& s : all_sessions()) s->close();
    told.set_value();
  });
  told.get_future().wait();  // what is posted to a loop that has ended stays there, and with it the session, and with that the engine
  for (std::size_t i = loops_.size(); i-- > 0;) loops_[i].end();  // the first one last: a connection's end is told there
  slow.reset();                                                   // what came too late for join() holds its session, and that this engine
}

server::server(server_settings settings, const std::vector<mounted>& systems, telemetry::metrics& metrics)
    : engine_(std::make_shared<engine>(std::move(settings), systems, metrics)) {}
server::~server() { stop(); }
void server::start(std::optional<int> inherited_socket) { engine_->start(inherited_socket); }
std::uint16_t server::port() const noexcept { return engine_->port(); }
void server::announce_end() { engine_->announce_end(); }
void server::set_management_token(const std::string& token) { engine_->systems.set_management_token(token); }
void server::drain(std::function<void()> done) { engine_->drain(std::move(done)); }
void server::stop() { engine_->stop(); }

}  // namespace crema::http
