#include "http/session.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <ctime>

#include "telemetry/log.hpp"

namespace crema::http {

namespace {

constexpr std::uint32_t linger_ms = 2000;

// "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n", formatted once a second and thread.
const std::string& date_line(timestamp now) {
  thread_local std::int64_t second = -1;
  thread_local std::string line;
  if (now.ms / 1000 != second) {
    second = now.ms / 1000;
    const auto t = static_cast<std::time_t>(second);
    std::tm utc{};
    gmtime_r(&t, &utc);
    char text[64];
    const auto n = std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    line.assign(text, n);
  }
  return line;
}

std::string text_of(const tcp::endpoint& at, bool with_port) {
  auto address = at.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) address = net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6());
  auto text = address.to_string();
  if (!with_port) return text;
  return (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(at.port());
}

}  // namespace

session::session(std::shared_ptr<engine> e, tcp_socket socket)
    : engine_(std::move(e)),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      buffer_(engine_->settings.header_bytes_max + 16384),
      id_state_(engine_->next_seed()) {
  engine_->metrics.connections.add(1);
}

session::~session() {
  leave_stream();
  engine_->metrics.connections.add(-1);
  engine_->leave(this);
}

void session::start() {
  net::post(socket_.get_executor(), [self = shared_from_this()] {
    error_code ec;
    self->socket_.set_option(tcp::no_delay(true), ec);
    const auto remote = self->socket_.remote_endpoint(ec);
    if (ec) return self->hard_close();  // gone already
    self->request_.remote_address = text_of(remote, false);
    self->request_.local_authority = text_of(self->socket_.local_endpoint(ec), true);
    self->request_.trusted_peer = self->engine_->trusted.contains(self->request_.remote_address);
    self->next_request();
  });
}

void session::drain() {
  net::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->phase_ == phase::stream_idle) return self->stream_end();
    if (self->phase_ != phase::idle) return;
    // A request may be on its way on this very connection: it gets its answer if it comes soon.
    self->set_deadline(std::min(self->deadline_, steady::now() + std::chrono::milliseconds(self->engine_->settings.drain_idle_ms)));
  });
}

void session::close() {
  net::post(socket_.get_executor(), [self = shared_from_this()] { self->hard_close(); });
}

// ---- writing

bool session::last_answer() const {
  if (closing_ || !keep_alive_) return true;
  error_code ec;
  return engine_->draining() && buffer_.size() == 0 && socket_.available(ec) == 0;
}

void session::append_head(const response& r, framing f) {
  head_.append("HTTP/1.1 ").append(std::to_string(r.status)).append(" ").append(reason_phrase(r.status)).append("\r\n");
  head_.append(date_line(request_.now));
  if (!r.content_type.empty()) head_.append("Content-Type: ").append(r.content_type).append("\r\n");
  if (f == framing::chunked)
    head_.append("Transfer-Encoding: chunked\r\n");
  else if (f == framing::length && r.status != 204 && r.status != 304)
    head_.append("Content-Length: ").append(std::to_string(r.body.size())).append("\r\n");
  head_.append("traceparent: ").append(to_traceparent(request_.trace)).append("\r\n");
  if (!r.tag.empty()) head_.append("ETag: \"").append(r.tag).append("\"\r\n");
  const bool read = is_reading(request_.verb) && (r.status == 200 || r.status == 304);
  const auto& kept = engine_->systems.keeping_of(route_);
  if (f == framing::length) head_.append(read && kept.kept ? std::string_view(kept.lines) : kept_by_nobody);
  engine_->cross_origin.append_lines(head_, request_);
  head_.append(r.headers);
  append_connection();
  head_.append("\r\n");
}

// How long the connection stays, so that a client does not send its next request into one that is about to be closed.
void session::append_connection() {
  if (closing_) {
    head_.append("Connection: close\r\n");
    return;
  }
  const auto& s = engine_->settings;
  const auto idle_s = (engine_->draining() ? s.drain_idle_ms : s.keep_alive_idle_ms) / 1000;
  head_.append("Connection: keep-alive\r\n");
  if (idle_s > 0) head_.append("Keep-Alive: timeout=").append(std::to_string(idle_s)).append("\r\n");
}

void session::write(response r, framing f) {
  if (f == framing::length) {
    const auto bytes_min = engine_->settings.compress_bytes_min;
    const auto as = coding_for(r, request_, bytes_min);
    validate(r, request_, engine_->systems.keeping_of(route_).kept, as);
    if (as != coding::identity && r.body.size() >= bytes_min) return encode(std::move(r), as);  // 304 and 412 have left it
  }
  send(std::move(r), f);
}

// A page of rows at once; what takes a millisecond and more, elsewhere.
void session::encode(response r, coding as) {
  constexpr std::size_t at_once_bytes_max = 65536;
  const auto encoded = [as](response plain) {
    plain.body = compress(as, plain.body);
    return std::move(plain.header("Content-Encoding", name_of(as)));
  };
  if (r.body.size() <= at_once_bytes_max) return send(guarded([&] { return encoded(std::move(r)); }), framing::length);
  phase_ = phase::waiting;
  no_deadline();
  net::post(*engine_->slow, [self = shared_from_this(), turn = ++turn_, encoded, plain = std::move(r)]() mutable {
    auto made = self->guarded([&] { return encoded(std::move(plain)); });
    net::post(self->socket_.get_executor(), [self, turn, made = std::move(made)]() mutable {
      if (turn == self->turn_ && self->phase_ == phase::waiting) self->send(std::move(made), framing::length);
    });
  });
}

void session::send(response r, framing f) {
  phase_ = phase::writing;
  status_ = r.status;
  record_span(r.status);
  closing_ = r.close;
  closing_ = last_answer();
  head_.clear();
  append_head(r, f);
  body_ = std::move(r.body);
  if (request_.verb == method::head || r.status == 204 || r.status == 304) body_.clear();
  set_deadline_ms(engine_->settings.write_timeout_ms);
  const std::array<net::const_buffer, 2> parts{net::buffer(head_), net::buffer(body_)};
  net::async_write(socket_, parts, [self = shared_from_this()](const error_code& ec, std::size_t) { self->on_written(ec); });
}

http_exchange session::exchange_of(unsigned status) const {
  http_exchange h;
  h.method = name_of(request_.verb);
  h.status = status;
  h.version = request_.version;
  const auto path = request_.path();
  h.path = path;
  if (path.size() < request_.target.size()) h.query = request_.target.substr(path.size() + 1);
  const auto at = address_of(request_);
  h.scheme = at.scheme;
  h.host = at.host;
  h.port = at.port;
  h.client = client_address(request_, engine_->trusted);
  h.user_agent = request_.user_agent;
  if (const auto& route = engine_->systems.templates()[route_]; route != "unmatched") h.route = route;
  return h;
}

// From the request's last byte to its answer's way into the socket: how long the client takes to read is not the node's.
void session::record_span(unsigned status) const {
  auto* ring = at_ != nullptr ? at_->traces : nullptr;
  if (ring == nullptr) return;
  const auto micros = [](steady::duration d) { return std::chrono::duration_cast<std::chrono::microseconds>(d).count(); };
  const auto took_us = micros(steady::now() - started_);
  const bool failed = status >= 500;
  if (!ring->wants(request_.trace.sampled, failed, took_us)) return;
  const auto name = engine_->systems.span_name(request_.verb, route_);
  if (name.empty()) return;
  telemetry::span s;
  s.context = request_.trace;
  s.parent = caller_span_;
  s.kind = "request";
  s.what = name;
  s.start_us = micros(started_.time_since_epoch());
  s.duration_us = took_us;
  s.failed = failed;
  s.note = "status=" + std::to_string(status);
  s.http = std::make_shared<const http_exchange>(exchange_of(status));
  ring->record(std::move(s));
}

void session::account(unsigned status, std::uint64_t bytes) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - started_).count();
  engine_->metrics.count(route_, request_.verb, status, static_cast<double>(micros) / 1e6);
  const auto trace = trace_id_text(request_.trace);
  telemetry::log_access({request_.remote_address, name_of(request_.verb), request_.target, status, bytes, micros, trace});
}

void session::on_written(const error_code& ec) {
  if (phase_ != phase::writing) return;
  account(status_, body_.size());
  if (ec) return hard_close();
  if (closing_) return finish();
  next_request();
}

void session::finish() {
  error_code ec;
  socket_.shutdown(tcp::socket::shutdown_send, ec);
  if (ec || input_ended_) return hard_close();
  phase_ = phase::lingering;
  set_deadline_ms(linger_ms);
  linger();
}

// Closing with unread bytes would reset the connection, and the client would lose the answer that is still on its way.
void session::linger() {
  if (read_pending_) return;  // on_bytes goes on: of two reads at once the second would not be told of the end
  body_.resize(4096);
  socket_.async_read_some(net::buffer(body_), [self = shared_from_this()](const error_code& ec, std::size_t) {
    if (self->phase_ != phase::lingering) return;
    if (ec) return self->hard_close();
    self->linger();
  });
}

void session::hard_close() {
  if (phase_ == phase::closed) return;
  if (std::exchange(counted_, false)) {
    engine_->in_flight.fetch_sub(1, std::memory_order_relaxed);
    engine_->metrics.in_flight.add(-1);
  }
  phase_ = phase::closed;
  leave_stream();
  error_code ec;
  socket_.close(ec);
  timer_.cancel();
}

// ---- the watchdog

void session::set_deadline(steady::time_point at) {
  deadline_ = at;
  if (!armed_ || at < armed_until_) arm(at);
}

void session::arm(steady::time_point at) {
  armed_ = true;
  armed_until_ = std::min(at, steady::now() + std::chrono::hours(1));  // also without a deadline something has to own the session
  timer_.expires_at(armed_until_);
  timer_.async_wait([self = shared_from_this(), turn = ++timer_turn_](const error_code&) {
    if (turn != self->timer_turn_ || self->phase_ == phase::closed) return;
    self->armed_ = false;
    self->on_watchdog();
  });
}

void session::on_watchdog() {
  if (steady::now() < deadline_) return arm(deadline_);
  expired();
}

void session::expired() {
  switch (phase_) {
    case phase::idle: {
      error_code ec;
      if (socket_.available(ec) > 0) return set_deadline_ms(linger_ms);  // arrived in this moment: the read is about to report it
      return hard_close();                                               // no answer is on its way that lingering would save
    }
    case phase::reading: engine_->metrics.timeouts_read.add(); return protocol_error({problem_code::request_timeout, {}});
    case phase::waiting: {
      engine_->metrics.timeouts_answer.add();
      problem p{problem_code::outcome_unknown, {}, {}, 1000};
      p.close = true;
      return answer_waiting(render(p, request_));
    }
    case phase::stream_idle: return stream_step();
    case phase::writing:
    case phase::streaming: engine_->metrics.timeouts_write.add(); return hard_close();
    case phase::lingering: return hard_close();
    case phase::closed: return;
  }
}

}  // namespace crema::http
