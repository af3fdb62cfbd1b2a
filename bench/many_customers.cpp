// Many customers who each place one order after the other on a connection of their own: the load of the row `inflight`. wrk would let all
// of them begin in one moment, and what that wave meets would be the result; these come one by one, and are measured once all are there.
//
//   many_customers PORT CUSTOMERS COME_S SECONDS     they come over COME_S seconds, as many are let pass before SECONDS are measured.
//                                                    Prints one line of JSON; errors are answers of 400 and more, and connections that
//                                                    failed.
#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using error_code = boost::system::error_code;
using steady = std::chrono::steady_clock;

// What all customers have seen. One thread.
struct tally {
  steady::time_point from, to;  ///< answers in between count
  std::vector<double> took_ms;
  std::uint64_t errors = 0;
  std::mt19937 random{1};

  bool counts(steady::time_point at) const { return at >= from && at < to; }
};

// The bytes of a whole answer at the beginning of `text`; nothing while more of it must come.
std::optional<std::size_t> answer_bytes(std::string_view text) {
  constexpr std::string_view name = "\r\nContent-Length: ";
  const auto head = text.find("\r\n\r\n");
  const auto at = text.find(name);
  if (head == std::string_view::npos || at > head) return std::nullopt;
  std::size_t body = 0;
  std::from_chars(text.data() + at + name.size(), text.data() + head, body);
  const auto all = head + 4 + body;
  return text.size() < all ? std::nullopt : std::optional(all);
}

std::string order_request(std::mt19937& random) {
  char body[128], all[384];
  std::snprintf(body, sizeof body, R"({"phoneNumber":"010%08u","productName":"coffee","qty":2,"amt":1000})",
                static_cast<unsigned>(random() % 100000000U));
  std::snprintf(all, sizeof all,
                "POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                std::string_view(body).size(), body);
  return all;
}

class customer : public std::enable_shared_from_this<customer> {
 public:
  customer(asio::io_context& io, tally& all) : socket_(io), all_(all) {}

  void come(const tcp::endpoint& to) {
    socket_.async_connect(to, [self = shared_from_this()](error_code error) {
      if (error) return self->fail();
      self->socket_.set_option(tcp::no_delay(true), error);
      self->order();
    });
  }

 private:
  void order() {
    begun_ = steady::now();
    if (begun_ >= all_.to) return;
    out_ = order_request(all_.random);
    asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->fail();
      self->read();
    });
  }

  void read() {
    socket_.async_read_some(asio::buffer(piece_), [self = shared_from_this()](error_code error, std::size_t bytes) {
      if (error) return self->fail();
      self->in_.append(self->piece_.data(), bytes);
      const auto whole = answer_bytes(self->in_);
      if (!whole) return self->read();
      self->take();
      self->in_.erase(0, *whole);
      self->order();
    });
  }

  void take() {
    const auto now = steady::now();
    if (!std::string_view(in_).starts_with("HTTP/1.1 2")) return fail();
    if (all_.counts(now)) all_.took_ms.push_back(std::chrono::duration<double, std::milli>(now - begun_).count());
  }

  void fail() { ++all_.errors; }

  tcp::socket socket_;
  tally& all_;
  std::string out_, in_;
  std::array<char, 2048> piece_{};
  steady::time_point begun_;
};

// Lets one customer after the other in, evenly over the time.
class door {
 public:
  door(asio::io_context& io, tally& all, tcp::endpoint to, unsigned customers, std::chrono::nanoseconds over)
      : io_(io), timer_(io), all_(all), to_(std::move(to)), left_(customers), apart_(over / customers), next_(steady::now()) {}

  void open() {
    for (; left_ > 0 && next_ <= steady::now(); --left_, next_ += apart_) std::make_shared<customer>(io_, all_)->come(to_);
    if (left_ == 0) return;
    timer_.expires_at(next_);
    timer_.async_wait([this](error_code error) {
      if (!error) open();
    });
  }

 private:
  asio::io_context& io_;
  asio::steady_timer timer_;
  tally& all_;
  tcp::endpoint to_;
  unsigned left_;
  std::chrono::nanoseconds apart_;
  steady::time_point next_;
};

int report(tally& all, unsigned seconds) {
  auto& took = all.took_ms;
  std::sort(took.begin(), took.end());
  const auto at = [&](std::size_t percent) { return took.empty() ? 0.0 : took[(took.size() - 1) * percent / 100]; };
  std::printf(R"(RESULT {"requests": %zu, "seconds": %u, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, "errors": %llu})"
              "\n",
              took.size(), seconds, at(50), at(99), at(100), static_cast<unsigned long long>(all.errors));
  return 0;
}

std::optional<unsigned> number(const char* text, unsigned max) {
  const std::string_view all(text);
  unsigned n = 0;
  const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), n);
  return error == std::errc{} && end == all.data() + all.size() && n > 0 && n <= max ? std::optional(n) : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) try {
  constexpr unsigned any = std::numeric_limits<unsigned>::max();
  const auto port = argc == 5 ? number(argv[1], 65535) : std::nullopt;
  const auto customers = argc == 5 ? number(argv[2], any) : std::nullopt;
  const auto come_s = argc == 5 ? number(argv[3], 3600) : std::nullopt;
  const auto seconds = argc == 5 ? number(argv[4], 3600) : std::nullopt;
  if (!port || !customers || !come_s || !seconds) {
    std::fputs("usage: many_customers PORT CUSTOMERS COME_S SECONDS\n", stderr);
    return 2;
  }
  asio::io_context io(1);
  tally all;
  all.from = steady::now() + 2 * std::chrono::seconds(*come_s);
  all.to = all.from + std::chrono::seconds(*seconds);
  door entrance(io, all, {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(*port)}, *customers, std::chrono::seconds(*come_s));
  entrance.open();
  io.run();
  return report(all, *seconds);
} catch (const std::exception& e) {
  std::fprintf(stderr, "many_customers: %s\n", e.what());
  return 1;
}
