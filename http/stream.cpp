// The part of a session that sends events: a page is read, written, and only then the next is read, so a slow client costs one
// page of memory. A following stream sleeps until the front door wakes it, or a heartbeat is due.
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "http/feed.hpp"
#include "http/representation.hpp"
#include "http/session.hpp"
#include "telemetry/log.hpp"

namespace crema::http {

namespace {

// Records looked at in one piece where not all are wanted: on the io thread as many as a live follower needs, in the background not so
// many that others would notice.
constexpr std::uint32_t looked_at_once = 32, looked_at_a_turn = 2000;

bool chooses(const event_query& q) { return q.context || q.id || !q.type.empty(); }

}  // namespace

void session::start_stream(stream_plan plan) {
  const auto media = plan.sse ? content::sse : content::ndjson;
  if (!engine::enter(engine_->streams, engine_->settings.event_streams_max))
    return write(render(problem{problem_code::overloaded, "Too many event streams are open.", {}, 5000}, request_));
  const auto framed = request_.version >= 11 ? framing::chunked : framing::end_of_connection;
  response head{200, media, {}, {}, false};
  head.headers = stream_lines;
  head.header("Crema-History", std::string(at_->door.history()));
  if (request_.verb == method::head) {
    engine_->streams.fetch_sub(1, std::memory_order_relaxed);
    return write(std::move(head), framed);
  }
  engine_->metrics.streams.add(1);
  stream_ = std::make_unique<stream_state>();
  stream_->plan = std::move(plan);
  stream_->chunked = framed == framing::chunked;
  phase_ = phase::streaming;
  status_ = 200;
  closing_ = !stream_->chunked || !keep_alive_ || stream_->plan.follow;
  if (stream_->plan.follow) {
    // Before the first read: what is committed in between must wake us.
    stream_->wakes = at_->door.subscribe([weak = weak_from_this(), woken = stream_->woken] {
      if (woken->exchange(true)) return;  // already on its way
      if (const auto self = weak.lock())
        net::post(self->socket_.get_executor(), [weak] {
          if (const auto s = weak.lock()) s->wake();
        });
    });
    watch_peer();
  }
  head_.clear();
  append_head(head, framed);
  body_ = stream_->plan.sse ? "retry: 1000\n\n" : "";
  if (!stream_->plan.lost.empty()) {
    append_feed_reset(body_, at_->door, stream_->plan.lost);
    return write_piece(true);
  }
  stream_step();
}

// A page of all events is found where the one before ended, so it is read here, on the io thread. One of chosen events, or of a history,
// which leads backwards, may be far away: who is not at the end reads on in the background, where readers take turns.
void session::stream_step() {
  if (phase_ == phase::closed || !stream_) return;
  stream_->heartbeat_due = phase_ == phase::stream_idle;
  phase_ = phase::streaming;
  if (engine_->draining() && stream_->plan.follow) return write_piece(true);
  stream_->woken->store(false);
  auto query = stream_->plan.query;
  if (!chooses(query)) return stream_page(read_page(query));
  query.scan_limit = stream_->behind ? looked_at_a_turn : looked_at_once;
  if (!stream_->behind) return stream_page(read_page(query));
  no_deadline();
  net::post(*engine_->slow, [self = shared_from_this(), query = std::move(query)] {
    auto found = self->read_page(query);
    net::post(self->socket_.get_executor(), [self, found = std::move(found)]() mutable { self->stream_page(std::move(found)); });
  });
}

// On any thread. Nothing: it failed, and was logged.
std::optional<event_page> session::read_page(const event_query& query) const {
  try {
    return at_->door.events(query);
  } catch (const std::exception& e) {
    telemetry::log(telemetry::level::error, "an event stream failed", {{"what", e.what()}, {"trace", trace_id_text(request_.trace)}});
    return std::nullopt;
  }
}

void session::stream_page(std::optional<event_page> found) {
  if (phase_ != phase::streaming || !stream_) return;  // the client has gone meanwhile
  if (!found) return hard_close();                     // without the last chunk: the client can tell that this is not the end
  for (const auto& e : found->events) append_feed_entry(body_, at_->door, e, stream_->plan.sse);
  stream_->plan.query.from = found->next;
  stream_->plan.query.trail = std::move(found->trail);
  stream_->behind = !found->at_end;
  if (body_.empty() && found->at_end && stream_->heartbeat_due) body_ = stream_->plan.sse ? ": heartbeat\n\n" : "\n";
  if (found->at_end && !stream_->plan.follow) return write_piece(true);
  if (!body_.empty() || !stream_->head_sent) return write_piece(false);
  if (found->at_end) return stream_sleep();
  net::post(socket_.get_executor(), [self = shared_from_this()] { self->stream_step(); });  // nothing matched yet: others first
}

void session::write_piece(bool last) {
  if (stream_->chunked) {
    char size[24];
    const auto n = std::snprintf(size, sizeof size, "%zx\r\n", body_.size());
    if (!body_.empty()) {
      head_.append(size, static_cast<std::size_t>(n));
      body_.append("\r\n");
    }
    if (last) body_.append("0\r\n\r\n");
  }
  stream_->head_sent = true;
  stream_->bytes += body_.size();
  set_deadline_ms(engine_->settings.write_timeout_ms);
  const std::array<net::const_buffer, 2> parts{net::buffer(head_), net::buffer(body_)};
  net::async_write(socket_, parts,
                   [self = shared_from_this(), last](const error_code& ec, std::size_t) { self->on_piece_written(ec, last); });
}

void session::on_piece_written(const error_code& ec, bool last) {
  if (phase_ != phase::streaming) return;
  if (ec) return hard_close();
  head_.clear();
  body_.clear();
  if (!last) return stream_step();
  const bool ends = closing_ || engine_->draining();
  leave_stream();
  if (ends) return finish();
  next_request();
}

void session::stream_sleep() {
  phase_ = phase::stream_idle;
  set_deadline_ms(engine_->settings.event_heartbeat_ms);
  // By way of the queue: with many commits and few matches this would otherwise call itself ever deeper.
  if (stream_->woken->load()) net::post(socket_.get_executor(), [self = shared_from_this()] { self->wake(); });
}

void session::wake() {
  if (phase_ == phase::stream_idle && stream_) {
    phase_ = phase::streaming;  // not a heartbeat
    stream_step();
  }
}

void session::stream_end() {
  phase_ = phase::streaming;
  write_piece(true);
}

void session::leave_stream() {
  if (!stream_) return;
  account(status_, stream_->bytes);
  stream_.reset();
  engine_->streams.fetch_sub(1, std::memory_order_relaxed);
  engine_->metrics.streams.add(-1);
}

// A follower that went away would otherwise be noticed only by the next write.
void session::watch_peer() {
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const error_code& ec) {
    if (ec || !self->stream_) return;
    error_code peek_error;
    char byte = 0;
    self->socket_.non_blocking(true, peek_error);
    const auto n = self->socket_.receive(net::buffer(&byte, 1), tcp::socket::message_peek, peek_error);
    if (peek_error == net::error::would_block) return self->watch_peer();
    if (n == 0 || peek_error) self->hard_close();
  });
}

}  // namespace crema::http
