#include "http/webhook.hpp"

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/url.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "behaviors/core/json.hpp"
#include "telemetry/log.hpp"

namespace crema::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

struct receiver {
  std::string host, port, authority, target;
};

receiver parse_receiver(const std::string& url) {
  const auto refuse = [](const std::string& why) { throw std::invalid_argument("notify.webhookUrl " + why); };
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) refuse("is not a URL; it looks like http://host:port/path");
  if (parsed->scheme() == "https")
    refuse("is an https URL, which this build cannot post to; give an http:// one, of a TLS proxy where it leaves the machine");
  if (parsed->scheme() != "http") refuse("must begin with http://");
  if (parsed->has_userinfo()) refuse("must hold no user and no password");
  if (parsed->host_address().empty()) refuse("names no host");
  receiver r;
  r.host = parsed->host_address();
  r.port = parsed->port().empty() ? std::string("80") : std::string(parsed->port());
  r.authority = std::string(parsed->encoded_host_and_port());
  r.target = std::string(parsed->encoded_target());
  if (r.target.empty() || r.target.front() != '/') r.target.insert(0, "/");
  return r;
}

std::string body_of(const std::string& id, const notification& n) {
  std::string body = "{\"id\":";
  append_json_text(body, id);
  body += ",\"to\":";
  append_json_text(body, n.to);
  body += ",\"text\":";
  append_json_text(body, n.text);
  body += "}";
  return body;
}

beast::http::request<beast::http::string_body> request_of(const receiver& to, const std::string& id, const notification& n) {
  namespace http = beast::http;
  http::request<http::string_body> r(http::verb::post, to.target, 11, body_of(id, n));
  r.set(http::field::host, to.authority);
  r.set(http::field::user_agent, "crema/" CREMA_VERSION);
  r.set(http::field::content_type, "application/json");
  r.set(http::field::connection, "close");
  r.set("Idempotency-Key", id);
  r.prepare_payload();
  return r;
}

}  // namespace

// One POST. Lives as long as one of its handlers does; without a verdict by then (the sink went), it was not delivered.
class webhook_sink::attempt : public std::enable_shared_from_this<attempt> {
 public:
  attempt(asio::io_context& io, const receiver& to, const std::string& id, const notification& n, std::function<void(bool)> done,
          std::atomic<std::size_t>& tries)
      : to_(to),
        id_(id),
        request_(request_of(to, id, n)),
        done_(std::move(done)),
        tries_(tries),
        resolver_(io),
        stream_(io),
        deadline_(io) {}
  ~attempt() {
    finish(false, {});
    --tries_;
  }
  attempt(const attempt&) = delete;
  attempt& operator=(const attempt&) = delete;

  void start(std::chrono::milliseconds timeout) {
    // One deadline for all steps: a name server that is silent counts too, and a look-up cannot be called off.
    deadline_.expires_after(timeout);
    deadline_.async_wait([self = shared_from_this()](error_code e) {
      if (!e) self->finish(false, "no answer in time");
    });
    resolver_.async_resolve(to_.host, to_.port, [self = shared_from_this()](error_code e, const tcp::resolver::results_type& found) {
      self->on_resolved(e, found);
    });
  }

 private:
  void on_resolved(error_code e, const tcp::resolver::results_type& found) {
    if (!goes_on(e)) return;
    stream_.async_connect(found, [self = shared_from_this()](error_code failed, const auto&) { self->on_connected(failed); });
  }

  void on_connected(error_code e) {
    if (!goes_on(e)) return;
    beast::http::async_write(stream_, request_, [self = shared_from_this()](error_code failed, std::size_t) { self->on_written(failed); });
  }

  void on_written(error_code e) {
    if (!goes_on(e)) return;
    beast::http::async_read_header(stream_, buffer_, answer_,
                                   [self = shared_from_this()](error_code failed, std::size_t) { self->on_answer(failed); });
  }

  void on_answer(error_code e) {
    if (!goes_on(e)) return;
    const auto status = answer_.get().result_int();
    const bool taken = status >= 200 && status < 300;
    finish(taken, taken ? std::string() : "it answered " + std::to_string(status));
  }

  bool goes_on(error_code e) {
    if (e) finish(false, e.message());
    return done_ != nullptr;
  }

  void finish(bool delivered, const std::string& why) {
    if (!done_) return;
    if (!why.empty()) telemetry::log(telemetry::level::warn, "the webhook did not take a notification", {{"id", id_}, {"reason", why}});
    std::exchange(done_, nullptr)(delivered);
    error_code ignored;
    deadline_.cancel();
    resolver_.cancel();
    stream_.socket().close(ignored);
  }

  const receiver& to_;  // of the worker, which outlives its tries
  const std::string id_;
  const beast::http::request<beast::http::string_body> request_;
  std::function<void(bool)> done_;  // empty once called
  std::atomic<std::size_t>& tries_;
  tcp::resolver resolver_;
  beast::tcp_stream stream_;
  asio::steady_timer deadline_;
  beast::flat_buffer buffer_;
  beast::http::response_parser<beast::http::empty_body> answer_;
};

class webhook_sink::worker {
 public:
  worker(receiver to, std::chrono::milliseconds timeout)
      : to_(std::move(to)), timeout_(timeout), work_(io_.get_executor()), thread_([this] { io_.run(); }) {}
  ~worker() {
    // What was not finished is destroyed with io_, and says "not delivered" on this thread.
    io_.stop();
    thread_.join();
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  void deliver(const std::string& id, const notification& n, std::function<void(bool)> done) {
    if (tries_.fetch_add(1) >= tries_max) {
      --tries_;
      done(false);
      return;
    }
    // Moved, not shared: everything of a try is touched by the worker's thread only.
    auto t = std::make_shared<attempt>(io_, to_, id, n, std::move(done), tries_);
    asio::post(io_, [t = std::move(t), timeout = timeout_] { t->start(timeout); });
  }

 private:
  const receiver to_;
  const std::chrono::milliseconds timeout_;
  std::atomic<std::size_t> tries_{0};
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

webhook_sink::webhook_sink(const std::string& url, std::chrono::milliseconds timeout)
    : worker_(std::make_unique<worker>(parse_receiver(url), timeout)) {}
webhook_sink::~webhook_sink() = default;

void webhook_sink::deliver(const std::string& id, const notification& n, std::function<void(bool delivered)> done) {
  worker_->deliver(id, n, std::move(done));
}

}  // namespace crema::http
