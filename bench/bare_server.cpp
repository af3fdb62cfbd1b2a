// The yardstick of the benchmarks: a keep-alive HTTP server on Beast that does nothing. Every request is read whole and answered with a
// fixed JSON body of the size that crema's has: an order, 201 for a POST and 200 otherwise; ten rows for a target below /mypages.
//
//   bare_server PORT [THREADS]     by default as many threads as cores, as crema's http.threads. Ends on SIGTERM and SIGINT.
#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::string_view order =
    R"({"phoneNumber":"01012345678","productName":"coffee","qty":2,"amt":1000,"createTime":"2021-02-25T04:28:24.716+0000","status":"Ordered",)"
    R"("_links":{"self":{"href":"http://127.0.0.1:8080/orders/1"},"order":{"href":"http://127.0.0.1:8080/orders/1"}}})";

const std::string& ten_rows() {
  static const std::string all = [] {
    std::string text = "[";
    for (int n = 0; n < 10; ++n) {
      if (n > 0) text += ',';
      text += R"({"id":12345,"orderId":12345,"phoneNumber":"01012345678","productName":"coffee","qty":2,"amt":1000,"status":"Ordered"})";
    }
    return text + "]";
  }();
  return all;
}

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(tcp::socket socket) : stream_(std::move(socket)) {}

  void run() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->read(); });
  }

 private:
  void read() {
    request_ = {};
    stream_.expires_after(std::chrono::seconds(60));
    http::async_read(stream_, buffer_, request_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->answer();
    });
  }

  void answer() {
    const bool created = request_.method() == http::verb::post;
    response_.emplace(created ? http::status::created : http::status::ok, request_.version());
    response_->set(http::field::content_type, "application/hal+json;charset=UTF-8");
    if (created) response_->set(http::field::location, "http://127.0.0.1:8080/orders/1");
    response_->keep_alive(request_.keep_alive());
    response_->body() = request_.target().starts_with("/mypages") ? std::string_view(ten_rows()) : order;
    response_->prepare_payload();
    http::async_write(stream_, *response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return;
      if (self->response_->keep_alive())
        self->read();
      else
        self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  std::optional<http::response<http::string_body>> response_;
};

void accept(tcp::acceptor& acceptor, asio::io_context& io) {
  acceptor.async_accept(asio::make_strand(io), [&acceptor, &io](beast::error_code error, tcp::socket socket) {
    if (error) return;
    socket.set_option(tcp::no_delay(true), error);
    std::make_shared<session>(std::move(socket))->run();
    accept(acceptor, io);
  });
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number n{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  const auto port = argc > 1 ? number<std::uint16_t>(argv[1]) : std::nullopt;
  const auto threads = argc > 2 ? number<unsigned>(argv[2]) : std::max(1U, std::thread::hardware_concurrency());
  if (!port || !threads || *threads == 0) {
    std::fputs("usage: bare_server PORT [THREADS]\n", stderr);
    return 2;
  }
  asio::io_context io(static_cast<int>(*threads));
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), *port});
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&io](beast::error_code, int) { io.stop(); });
  accept(acceptor, io);
  std::vector<std::jthread> more;
  for (unsigned i = 1; i < *threads; ++i) more.emplace_back([&io] { io.run(); });
  io.run();
  return 0;
}
