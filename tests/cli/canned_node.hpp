// A peer that takes one request and gives one fixed answer.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <thread>

namespace crema::cli {

class canned_node {
 public:
  /// `missing`: bytes that the answer promises beyond its body before the connection ends.
  canned_node(std::string status, std::string body, std::size_t missing = 0)
      : acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}),
        thread_([this, text = "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size() + missing) + "\r\n\r\n" + body] {
          serve(text);
        }) {}
  ~canned_node() {
    // A call that never came must not leave the thread waiting for it.
    boost::system::error_code ignored;
    boost::asio::io_context own;
    boost::asio::ip::tcp::socket wake(own);
    wake.connect(acceptor_.local_endpoint(), ignored);
    wake.close(ignored);
    join();
  }
  canned_node(const canned_node&) = delete;
  canned_node& operator=(const canned_node&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
  /// What came, once the answer is out.
  std::string request() {
    join();
    return request_;
  }

 private:
  void serve(const std::string& text) {
    boost::system::error_code ignored;
    auto socket = acceptor_.accept(ignored);
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(request_), "\r\n\r\n", ignored);
    const auto at = request_.find("Content-Length: ");
    const auto head = request_.find("\r\n\r\n") + 4;
    const auto wanted = at == std::string::npos ? 0 : std::stoul(request_.substr(at + 16));
    while (!ignored && request_.size() < head + wanted) {
      char more[512];
      request_.append(more, socket.read_some(boost::asio::buffer(more), ignored));
    }
    boost::asio::write(socket, boost::asio::buffer(text), ignored);
    socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::string request_;
  std::thread thread_;
};

}  // namespace crema::cli
