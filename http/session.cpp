#include "http/session.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <ctime>

#include "http/ids.hpp"
#include "http/negotiate.hpp"
#include "telemetry/log.hpp"

namespace crema::http {

namespace {

namespace beast = boost::beast;
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

// ---- reading

std::size_t session::buffer_bytes_max() const noexcept { return engine_->settings.header_bytes_max + 16384; }

void session::read_some() {
  const bool in_body = parser_ && parser_->is_header_done();
  read_pending_ = true;
  const auto room = buffer_bytes_max() - buffer_.size();
  const auto bytes = std::min<std::size_t>(room, in_body ? 16384 : 4096);
  socket_.async_read_some(buffer_.prepare(bytes),
                          [self = shared_from_this()](const error_code& ec, std::size_t n) { self->on_bytes(ec, n); });
}

void session::on_bytes(const error_code& ec, std::size_t bytes) {
  read_pending_ = false;
  if (phase_ == phase::lingering) return ec ? hard_close() : linger();
  if (phase_ != phase::idle && phase_ != phase::reading) {  // timed out meanwhile: an answer is being written
    input_ended_ = input_ended_ || ec == net::error::eof;
    return;
  }
  if (ec == net::error::eof) return on_end_of_input();
  if (ec) return hard_close();
  buffer_.commit(bytes);
  parse();
}

void session::on_end_of_input() {
  input_ended_ = true;
  if (phase_ == phase::idle) return finish();
  protocol_error({problem_code::bad_request, "The request ended before it was complete."});
}

bool session::next_request() {
  parser_.reset();
  plan_.reset();
  closing_ = false;
  if (buffer_.size() > 0) {
    parse();
    return true;
  }
  if (input_ended_) return finish(), false;
  phase_ = phase::idle;
  set_deadline_ms(engine_->draining() ? engine_->settings.drain_idle_ms : engine_->settings.keep_alive_idle_ms);
  read_some();
  return false;
}

void session::parse() {
  while (parse_step()) {}
}

bool session::parse_step() {
  const auto& limits = engine_->settings;
  if (!parser_) {
    // Empty lines before a request are allowed (RFC 9112, 2.2).
    const auto* text = static_cast<const char*>(buffer_.data().data());
    std::size_t blank = 0;
    while (blank < buffer_.size() && (text[blank] == '\r' || text[blank] == '\n')) ++blank;
    buffer_.consume(blank);
    if (buffer_.size() == 0) return next_request(), false;
    parser_.emplace(request_, limits.uri_bytes_max, limits.body_bytes_max, limits.header_bytes_max);
    message_bytes_ = 0;
  }
  const bool in_body = parser_->is_header_done();
  if (in_body) parser_->eager(true);
  error_code ec;
  const auto used = parser_->put(buffer_.data(), ec);
  if (ec && ec != beast::http::error::need_more) return on_parse_error(ec), false;
  buffer_.consume(used);
  if (!in_body) {
    message_bytes_ += used;
    if (parser_->is_header_done() && !header_complete()) return false;
    if (!parser_->is_header_done() && message_bytes_ + buffer_.size() > limits.header_bytes_max)
      return on_parse_error(beast::http::error::header_limit), false;
  }
  if (parser_->is_done()) return handle(), false;
  if (!ec && used > 0 && buffer_.size() > 0) return true;
  if (buffer_.size() >= buffer_bytes_max()) return on_parse_error(beast::http::error::bad_chunk_extension), false;
  if (input_ended_) return on_end_of_input(), false;
  if (phase_ != phase::reading) {
    phase_ = phase::reading;  // one deadline for the whole request, however slowly its bytes come
    set_deadline_ms(limits.request_read_timeout_ms);
  }
  read_some();
  return false;
}

bool session::header_complete() {
  const auto& limits = engine_->settings;
  if (message_bytes_ > limits.header_bytes_max) return on_parse_error(beast::http::error::header_limit), false;
  if (parser_->unknown_transfer_encoding())
    return protocol_error({problem_code::bad_request, "Transfer-Encoding: only chunked is known."}), false;
  if (request_.host_count > 1) return protocol_error({problem_code::bad_request, "There is more than one Host."}), false;
  if (request_.expect.empty()) return true;
  if (!equal_ignoring_case(request_.expect, "100-continue"))
    return protocol_error({problem_code::expectation_failed, "Expect: only 100-continue is known."}), false;
  if (request_.version < 11 || parser_->is_done() || buffer_.size() > 0) return true;
  write_continue();
  return false;
}

void session::write_continue() {
  static constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
  phase_ = phase::reading;
  set_deadline_ms(engine_->settings.request_read_timeout_ms);
  net::async_write(socket_, net::buffer(interim), [self = shared_from_this()](const error_code& ec, std::size_t) {
    if (self->phase_ != phase::reading) return;
    if (ec) return self->hard_close();
    self->read_some();
  });
}

void session::on_parse_error(const error_code& ec) {
  if (parser_->uri_too_long()) return protocol_error({problem_code::uri_too_long, {}});
  if (ec == beast::http::error::body_limit)
    return protocol_error(
        {problem_code::body_too_large, "The body is larger than " + std::to_string(engine_->settings.body_bytes_max) + " bytes."});
  if (ec == beast::http::error::header_limit) {
    // Which of the two limits: has the request line come to its end?
    const std::string_view seen(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    const bool line_open = message_bytes_ == 0 && seen.find('\n') == std::string_view::npos;
    return protocol_error({line_open ? problem_code::uri_too_long : problem_code::headers_too_large, {}});
  }
  protocol_error({problem_code::bad_request, "The request cannot be read: " + ec.message() + "."});
}

void session::protocol_error(problem p) {
  engine_->metrics.bad_requests.add();
  started_ = steady::now();
  route_ = id_of(fixed_route::unmatched);
  at_ = nullptr;
  look_at_peer();
  p.close = true;
  write(render(p, request_));
}

// ---- handling

void session::look_at_peer() {
  request_.now = wall_clock();
  caller_span_ = {};
  if (auto sent = parse_traceparent(request_.traceparent)) {
    request_.trace = *sent;
    caller_span_ = sent->span_id;
    fill_id(request_.trace.span_id, id_state_);  // the trace goes on with a step of ours
  } else {
    request_.trace = new_trace(id_state_);
    const auto now_s = std::chrono::duration_cast<std::chrono::seconds>(started_.time_since_epoch()).count();
    request_.trace.sampled = engine_->sampler.take(next_random(id_state_), static_cast<std::uint32_t>(now_s));
  }
}

template <class Make>
response session::guarded(Make make) {
  try {
    return make();
  } catch (const std::exception& e) {
    telemetry::log(telemetry::level::error, "a request failed", {{"what", e.what()}, {"trace", trace_id_text(request_.trace)}});
  }
  return render(problem{problem_code::internal, {}}, request_);
}

void session::handle() {
  started_ = steady::now();
  keep_alive_ = parser_->keep_alive();
  route_ = id_of(fixed_route::unmatched);
  look_at_peer();
  at_ = engine_->systems.find(request_.target);
  if (auto refused = refuse_for_load()) return write(std::move(*refused));
  action todo;
  auto failed = guarded([&]() -> response {
    todo = at_ != nullptr ? at_->routes.route(request_) : engine_->systems.route_above(request_);
    return {0, {}, {}, {}, false};
  });
  if (failed.status != 0) return write(std::move(failed));
  carry_out(std::move(todo));
}

std::optional<response> session::refuse_for_load() {
  auto& limiter = engine_->limiter;
  if (!limiter.on()) return std::nullopt;
  const auto prefix_size = at_ != nullptr ? at_->routes.prefix().size() : 0;
  if (request_.path().substr(prefix_size).starts_with("/actuator/")) return std::nullopt;  // probes must get through
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(started_.time_since_epoch()).count();
  const auto verdict = limiter.take(client_address(request_, engine_->trusted), now_ms);
  if (verdict.allowed) return std::nullopt;
  engine_->metrics.rate_limited.add();
  problem p{problem_code::too_many_requests, {}, {}, std::max<std::int64_t>(1, verdict.retry_after_ms)};
  auto answer = render(p, request_);
  answer.header("RateLimit-Limit", std::to_string(verdict.limit));
  answer.header("RateLimit-Remaining", std::to_string(verdict.remaining));
  answer.header("RateLimit-Reset", std::to_string((verdict.reset_ms + 999) / 1000));
  return answer;
}

void session::carry_out(action a) {
  route_ = static_cast<route_id>((at_ != nullptr ? at_->first_route : 0) + a.route);
  if (auto* ready = std::get_if<response>(&a.what)) return write(std::move(*ready));
  if (auto* stream = std::get_if<stream_plan>(&a.what)) return start_stream(std::move(*stream));
  if (!engine::enter(engine_->in_flight, engine_->settings.in_flight_max))
    return write(render(problem{problem_code::overloaded, "Too many requests wait for their answers.", {}, 1000}, request_));
  counted_ = true;
  engine_->metrics.in_flight.add(1);
  phase_ = phase::waiting;
  ++turn_;
  if (auto* plan = std::get_if<ask_plan>(&a.what)) return ask(std::move(*plan));
  no_deadline();
  if (auto* plan = std::get_if<background_plan>(&a.what)) return run_in_background(std::move(*plan));
  operate(std::move(std::get<operation_plan>(a.what)));
}

void session::ask(ask_plan plan) {
  set_deadline_ms(engine_->settings.request_time_limit_ms + 1000);
  auto command = std::move(plan.command);
  plan_.emplace(std::move(plan));
  // Weak: the runtime may keep the handler for longer than this server exists.
  auto handler = [weak = weak_from_this(), turn = turn_](command_answer answer) {
    if (const auto self = weak.lock())
      net::post(self->socket_.get_executor(), [weak, turn, answer = std::move(answer)] {
        if (const auto s = weak.lock()) s->on_answer(turn, answer);
      });
  };
  auto failed = guarded([&]() -> response {
    at_->door.ask(std::move(command), std::move(handler));
    return {0, {}, {}, {}, false};
  });
  if (failed.status != 0) answer_waiting(std::move(failed));
}

void session::run_in_background(background_plan plan) {
  net::post(engine_->slow, [self = shared_from_this(), turn = turn_, run = std::move(plan.run)] {
    auto made = self->guarded(run);
    net::post(self->socket_.get_executor(), [self, turn, made = std::move(made)]() mutable {
      if (turn == self->turn_ && self->phase_ == phase::waiting) self->answer_waiting(std::move(made));
    });
  });
}

void session::operate(operation_plan plan) {
  auto done = [weak = weak_from_this(), turn = turn_](make_response make) {
    if (const auto self = weak.lock())
      net::post(self->socket_.get_executor(), [weak, turn, make = std::move(make)] {
        if (const auto s = weak.lock()) s->on_made(turn, make);
      });
  };
  auto failed = guarded([&]() -> response {
    plan.start(std::move(done));
    return {0, {}, {}, {}, false};
  });
  if (failed.status != 0) answer_waiting(std::move(failed));
}

void session::on_answer(std::uint64_t turn, const command_answer& answer) {
  if (turn != turn_ || phase_ != phase::waiting) return;  // too late: the client was told that the outcome is unknown
  answer_waiting(guarded([&] { return at_->routes.answered(request_, *plan_, answer); }));
}

void session::on_made(std::uint64_t turn, const make_response& make) {
  if (turn == turn_ && phase_ == phase::waiting) answer_waiting(guarded([&] { return make(request_); }));
}

void session::answer_waiting(response r) {
  if (std::exchange(counted_, false)) {
    engine_->in_flight.fetch_sub(1, std::memory_order_relaxed);
    engine_->metrics.in_flight.add(-1);
  }
  ++turn_;
  write(std::move(r));
}

// ---- writing

bool session::last_answer() const {
  if (closing_ || !keep_alive_) return true;
  error_code ec;
  return engine_->draining() && buffer_.size() == 0 && socket_.available(ec) == 0;
}

void session::append_head(const response& r, bool chunked) {
  head_.append("HTTP/1.1 ").append(std::to_string(r.status)).append(" ").append(reason_phrase(r.status)).append("\r\n");
  head_.append(date_line(request_.now));
  if (!r.content_type.empty()) head_.append("Content-Type: ").append(r.content_type).append("\r\n");
  if (chunked)
    head_.append("Transfer-Encoding: chunked\r\n");
  else if (!stream_ && r.status != 204 && r.status != 304)
    head_.append("Content-Length: ").append(std::to_string(r.body.size())).append("\r\n");
  head_.append("traceparent: ").append(to_traceparent(request_.trace)).append("\r\n").append(r.headers);
  if (closing_)
    head_.append("Connection: close\r\n");
  else if (request_.version < 11)
    head_.append("Connection: keep-alive\r\n");
  head_.append("\r\n");
}

void session::write(response r) {
  phase_ = phase::writing;
  status_ = r.status;
  record_span(r.status);
  closing_ = r.close;
  closing_ = last_answer();
  head_.clear();
  append_head(r, false);
  body_ = std::move(r.body);
  if (request_.verb == method::head || r.status == 204 || r.status == 304) body_.clear();
  set_deadline_ms(engine_->settings.write_timeout_ms);
  const std::array<net::const_buffer, 2> parts{net::buffer(head_), net::buffer(body_)};
  net::async_write(socket_, parts, [self = shared_from_this()](const error_code& ec, std::size_t) { self->on_written(ec); });
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
