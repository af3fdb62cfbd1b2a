// The part of a session that reads a request, byte by byte as they come.
#include <algorithm>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>

#include "http/header_rules.hpp"
#include "http/negotiate.hpp"
#include "http/session.hpp"

namespace crema::http {

namespace beast = boost::beast;

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
  if (auto p = check_header(request_, parser_->chunked())) return protocol_error(std::move(*p)), false;
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

}  // namespace crema::http
