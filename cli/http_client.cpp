#include "cli/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <limits>
#include <utility>

namespace crema::cli {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

constexpr std::chrono::seconds connect_limit{5};
constexpr std::size_t body_bytes_max = 256U << 20U;  // of an answer that is kept whole

// Beast's time limits hold for asynchronous calls only, so each step is started as one and waited for here.
class exchange {
 public:
  exchange() : stream_(context_) {}

  void connect(const std::string& host, const std::string& port) {
    boost::system::error_code error;
    tcp::resolver resolver(context_);
    const auto addresses = resolver.resolve(host, port, error);
    if (error) throw beast::system_error(error);
    stream_.expires_after(connect_limit);
    wait([&](auto done) { stream_.async_connect(addresses, done); });
  }

  void limit(std::chrono::seconds time) {
    if (time.count() == 0)
      stream_.expires_never();
    else
      stream_.expires_after(time);
  }

  void write(const http::request<http::string_body>& r) {
    wait([&](auto done) { http::async_write(stream_, r, done); });
  }

  void read_header(http::response_parser<http::string_body>& into) {
    wait([&](auto done) { http::async_read_header(stream_, buffer_, into, done); });
  }

  void read_some(http::response_parser<http::string_body>& into) {
    wait([&](auto done) { http::async_read_some(stream_, buffer_, into, done); });
  }

 private:
  template <class Start>
  void wait(Start start) {
    boost::system::error_code error;
    start([&error](boost::system::error_code e, const auto&...) { error = e; });
    context_.restart();
    context_.run();
    if (error) throw beast::system_error(error);
  }

  boost::asio::io_context context_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
};

http::request<http::string_body> to_beast(const request& r, const std::string& host, const std::string& token) {
  http::request<http::string_body> out(http::string_to_verb(r.method), r.target, 11);
  out.set(http::field::host, host);
  out.set(http::field::accept, r.accept);
  out.set(http::field::user_agent, "crema/" CREMA_VERSION);
  out.set(http::field::connection, "close");
  if (!token.empty()) out.set(http::field::authorization, "Bearer " + token);
  if (!r.body.empty()) {
    out.set(http::field::content_type, "application/json");
    out.body() = r.body;
  }
  out.prepare_payload();
  return out;
}

}  // namespace

http_client::http_client(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {
  constexpr std::string_view scheme = "http://";
  while (url_.ends_with('/')) url_.pop_back();
  if (!url_.starts_with(scheme)) throw std::invalid_argument(url_ + " is not a URL that begins with http://");
  const std::string_view rest = std::string_view(url_).substr(scheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  authority_ = authority;
  prefix_ = rest.substr(slash);
  port_ = "80";
  if (const auto colon = authority.rfind(':'); colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    port_ = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  host_ = authority;
  if (host_.empty() || port_.empty()) throw std::invalid_argument(url_ + " names no host");
}

answer http_client::send(const request& r) const {
  std::string body;
  auto a = stream(r, [&](std::string_view piece) {
    if (body.size() + piece.size() > body_bytes_max) throw unreachable("The answer of " + url_ + " is too long");
    body += piece;
  });
  if (a.body.empty()) a.body = std::move(body);
  return a;
}

answer http_client::stream(const request& r, const std::function<void(std::string_view)>& on_piece, const header_handler& on_header) const {
  bool connected = false;
  try {
    exchange x;
    x.connect(host_, port_);
    connected = true;
    x.limit(r.time_limit);
    auto full = r;
    full.target = prefix_ + r.target;
    x.write(to_beast(full, authority_, token_));

    http::response_parser<http::string_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    x.read_header(parser);
    answer a;
    a.status = parser.get().result_int();
    if (on_header)
      for (const auto& field : parser.get().base()) on_header(field.name_string(), field.value());
    while (!parser.is_done()) {
      x.read_some(parser);
      const auto piece = std::exchange(parser.get().body(), {});
      if (a.status >= 300)
        a.body += piece.substr(0, body_bytes_max - std::min(a.body.size(), body_bytes_max));
      else if (!piece.empty())
        on_piece(piece);
    }
    // What came together with the header is in the body already.
    if (auto& rest = parser.get().body(); !rest.empty()) {
      if (a.status >= 300)
        a.body += rest;
      else
        on_piece(rest);
    }
    return a;
  } catch (const beast::system_error& e) {
    if (connected) throw unreachable("The connection to " + url_ + " ended before the answer did (" + e.code().message() + ")");
    throw unreachable("No crema answers at " + url_ + " (" + e.code().message() + "). Start one with: crema serve");
  }
}

std::string encoded(std::string_view s) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : s) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += '%';
      out += hex[byte >> 4U];
      out += hex[byte & 0xFU];
    }
  }
  return out;
}

}  // namespace crema::cli
