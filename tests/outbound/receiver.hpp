// Somebody's HTTP server on a socket of this machine: it takes one connection after the other, keeps each request, and writes the next
// of its answers as it is, the last one for ever; an empty one: silence until the server goes. With TLS where it has a context.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace crema {

class receiver {
 public:
  using request = boost::beast::http::request<boost::beast::http::string_body>;
  using tcp = boost::asio::ip::tcp;
  using tls_stream = boost::asio::ssl::stream<tcp::socket>;

  explicit receiver(std::deque<std::string> answers, std::shared_ptr<boost::asio::ssl::context> tls = nullptr)
      : answers_(std::move(answers)),
        tls_(std::move(tls)),
        acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}),
        thread_([this] { run(); }) {}
  ~receiver() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket last(io_);  // wakes the accept
    last.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  receiver(const receiver&) = delete;
  receiver& operator=(const receiver&) = delete;

  std::string url(const std::string& target, const std::string& host = "127.0.0.1") const {
    return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(acceptor_.local_endpoint().port()) + target;
  }
  std::vector<request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  bool wait_for_requests(std::size_t n) {
    std::unique_lock lock(mutex_);
    return came_.wait_for(lock, std::chrono::seconds(10), [&] { return requests_.size() >= n; });
  }
  /// The names that clients told before a handshake that succeeded (SNI), in order; empty: it told none.
  std::vector<std::string> names_told() {
    const std::lock_guard lock(mutex_);
    return names_told_;
  }

 private:
  void run() {
    while (!stopping_) {
      boost::system::error_code e;
      tcp::socket s(io_);
      acceptor_.accept(s, e);
      if (e || stopping_) return;
      if (tls_)
        serve_tls(std::move(s));
      else
        serve(std::move(s), silent_);
    }
  }

  void serve_tls(tcp::socket s) {
    tls_stream stream(std::move(s), *tls_);
    boost::system::error_code e;
    stream.handshake(boost::asio::ssl::stream_base::server, e);
    if (e) return;
    const char* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    {
      const std::lock_guard lock(mutex_);
      names_told_.emplace_back(name == nullptr ? "" : name);
    }
    serve(std::move(stream), silent_tls_);
  }

  // Kept before it is answered: who has the answer finds it.
  template <class Stream>
  void serve(Stream s, std::vector<Stream>& silent) {
    boost::system::error_code e;
    boost::beast::flat_buffer buffer;
    request r;
    boost::beast::http::read(s, buffer, r, e);
    if (e) return;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(r));
      came_.notify_all();
    }
    const auto answer = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    if (answer.empty())
      silent.push_back(std::move(s));
    else
      boost::asio::write(s, boost::asio::buffer(answer), e);
  }

  std::deque<std::string> answers_;
  const std::shared_ptr<boost::asio::ssl::context> tls_;
  boost::asio::io_context io_;
  tcp::acceptor acceptor_;
  std::vector<tcp::socket> silent_;
  std::vector<tls_stream> silent_tls_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // guards the three below
  std::condition_variable came_;
  std::vector<request> requests_;
  std::vector<std::string> names_told_;
  std::thread thread_;
};

}  // namespace crema
