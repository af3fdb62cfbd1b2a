#include "http/post.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/url.hpp>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>

#include "http/tls.hpp"

namespace crema::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

// Lives as long as one of its handlers does; without an answer by then (the io_context went), there was none.
class exchange : public std::enable_shared_from_this<exchange> {
 public:
  exchange(asio::io_context& io, const post_target& to, post_request request, std::function<void(const post_answer&)> done)
      : to_(to), request_(std::move(request)), done_(std::move(done)), resolver_(io), stream_(io), deadline_(io) {}
  ~exchange() { finish({}); }
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  void start(std::chrono::milliseconds timeout) {
    // One deadline for all steps: a name server that is silent counts too, and a look-up cannot be called off.
    deadline_.expires_after(timeout);
    deadline_.async_wait([self = shared_from_this()](error_code e) {
      if (!e) self->finish({0, std::string("no answer in time, while ") + self->doing_, {}});
    });
    resolver_.async_resolve(to_.host, to_.port, [self = shared_from_this()](error_code e, const tcp::resolver::results_type& found) {
      self->on_resolved(e, found);
    });
  }

 private:
  void on_resolved(error_code e, const tcp::resolver::results_type& found) {
    if (!goes_on(e)) return;
    doing_ = "connecting";
    stream_.async_connect(found, [self = shared_from_this()](error_code failed, const auto&) { self->on_connected(failed); });
  }

  void on_connected(error_code e) {
    if (!goes_on(e)) return;
    if (!to_.tls) return write();
    doing_ = "shaking hands for TLS";
    tls_.emplace(stream_, *to_.tls);
    if (!expect_host(*tls_, to_.host)) return finish({0, "TLS takes no such host name", {}});
    tls_->async_handshake(boost::asio::ssl::stream_base::client,
                          [self = shared_from_this()](error_code failed) { self->on_shaken(failed); });
  }

  void on_shaken(error_code e) {
    if (e) return finish({0, handshake_trouble(*tls_, e), {}});
    if (done_) write();
  }

  void write() {
    doing_ = "sending";
    over_stream([this](auto& stream) {
      beast::http::async_write(stream, request_, [self = shared_from_this()](error_code failed, std::size_t) { self->on_written(failed); });
    });
  }

  void on_written(error_code e) {
    if (!goes_on(e)) return;
    doing_ = "waiting for the answer";
    over_stream([this](auto& stream) {
      beast::http::async_read_header(stream, buffer_, answer_,
                                     [self = shared_from_this()](error_code failed, std::size_t) { self->on_answer(failed); });
    });
  }

  void on_answer(error_code e) {
    if (!goes_on(e)) return;
    const auto& header = answer_.get();
    post_answer a{header.result_int(), {}, {}};
    const std::string wait(header[beast::http::field::retry_after]);
    std::uint32_t seconds = 0;
    if (std::from_chars(wait.data(), wait.data() + wait.size(), seconds).ec == std::errc{}) a.retry_after = std::chrono::seconds(seconds);
    finish(a);
  }

  template <class Use>
  void over_stream(Use use) {
    if (tls_)
      use(*tls_);
    else
      use(stream_);
  }

  bool goes_on(error_code e) {
    if (e) finish({0, e.message(), {}});
    return done_ != nullptr;
  }

  void finish(const post_answer& a) {
    if (!done_) return;
    std::exchange(done_, nullptr)(a);
    error_code ignored;
    deadline_.cancel();
    resolver_.cancel();
    stream_.socket().close(ignored);
  }

  const post_target& to_;
  const post_request request_;
  std::function<void(const post_answer&)> done_;  // empty once called
  tcp::resolver resolver_;
  beast::tcp_stream stream_;
  std::optional<tls_stream> tls_;  // over stream_; empty for http://, and before it is connected
  const char* doing_ = "looking up the name";
  asio::steady_timer deadline_;
  beast::flat_buffer buffer_;
  beast::http::response_parser<beast::http::empty_body> answer_;
};

}  // namespace

post_target parse_post_target(const named_text& url, const named_text& ca_file) {
  const auto refuse = [&](const std::string& why) { throw std::invalid_argument(url.name + " " + why); };
  const auto parsed = boost::urls::parse_uri(url.value);
  if (!parsed) refuse("is not a URL; it looks like https://host:port/path");
  const bool secure = parsed->scheme() == "https";
  if (!secure && parsed->scheme() != "http") refuse("must begin with http:// or https://");
  if (parsed->has_userinfo()) refuse("must hold no user and no password");
  if (parsed->host_address().empty()) refuse("names no host");
  post_target t;
  t.host = parsed->host_address();
  t.port = parsed->port().empty() ? std::string(secure ? "443" : "80") : std::string(parsed->port());
  t.authority = std::string(parsed->encoded_host_and_port());
  t.path = std::string(parsed->encoded_target());
  if (t.path.empty() || t.path.front() != '/') t.path.insert(0, "/");
  if (secure) t.tls = make_tls_context(ca_file.name, ca_file.value);
  return t;
}

post_request make_post(const post_target& to, std::string body) {
  post_request r(beast::http::verb::post, to.path, 11, std::move(body));
  r.set(beast::http::field::host, to.authority);
  r.set(beast::http::field::user_agent, "crema/" CREMA_VERSION);
  r.set(beast::http::field::content_type, "application/json");
  r.set(beast::http::field::connection, "close");
  r.prepare_payload();
  return r;
}

void post(asio::io_context& io, const post_target& to, post_request request, std::chrono::milliseconds timeout,
          std::function<void(const post_answer&)> done) {
  // Made here and moved, not shared: if the io_context goes first, `done` is told all the same.
  auto e = std::make_shared<exchange>(io, to, std::move(request), std::move(done));
  asio::post(io, [e = std::move(e), timeout] { e->start(timeout); });
}

}  // namespace crema::http
