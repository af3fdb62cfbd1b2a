// The webhook against a server of our own on a socket of this machine.
#include "http/webhook.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

namespace {

using namespace crema;
using boost::asio::ip::tcp;
namespace beast = boost::beast;
using request = beast::http::request<beast::http::string_body>;

// Takes one connection after the other; `answer` is written as it is, empty: silence until the server goes.
class one_server {
 public:
  explicit one_server(std::string answer)
      : answer_(std::move(answer)), acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}), thread_([this] { run(); }) {}
  ~one_server() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket last(io_);  // wakes the accept
    last.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }

  std::string url(const std::string& target = "/hook?a=1") const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + target;
  }
  std::vector<request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void run() {
    std::vector<tcp::socket> silent;
    while (!stopping_) {
      boost::system::error_code e;
      tcp::socket s(io_);
      acceptor_.accept(s, e);
      if (e || stopping_) return;
      beast::flat_buffer buffer;
      request r;
      beast::http::read(s, buffer, r, e);
      if (!e) {
        const std::lock_guard lock(mutex_);
        requests_.push_back(r);
      }
      if (answer_.empty())
        silent.push_back(std::move(s));
      else
        boost::asio::write(s, boost::asio::buffer(answer_), e);
    }
  }

  const std::string answer_;
  boost::asio::io_context io_;
  tcp::acceptor acceptor_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<request> requests_;
  std::thread thread_;
};

constexpr std::chrono::milliseconds patience{5000};
const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// One try, and whether it was delivered.
bool deliver(http::webhook_sink& sink, const notification& n = {"01033132570", "Your drink is ready."}) {
  auto done = std::make_shared<std::promise<bool>>();
  auto result = done->get_future();
  sink.deliver("4711-1", n, [done](bool delivered) { done->set_value(delivered); });
  REQUIRE(result.wait_for(2 * patience) == std::future_status::ready);
  return result.get();
}

}  // namespace

TEST_CASE("webhook: given a receiver that takes it, then id, to and text arrive as JSON under a stable key") {
  one_server server(ok);
  http::webhook_sink sink(server.url(), patience);
  CHECK(deliver(sink, {"guest 10", "say \"hi\"\n"}));
  const auto got = server.requests();
  REQUIRE(got.size() == 1);
  CHECK(got[0].method_string() == "POST");
  CHECK(got[0].target() == "/hook?a=1");
  CHECK(got[0]["Idempotency-Key"] == "4711-1");
  CHECK(got[0][beast::http::field::content_type] == "application/json");
  CHECK(got[0][beast::http::field::host] == server.url("").substr(7));
  CHECK(nlohmann::json::parse(got[0].body()) == nlohmann::json{{"id", "4711-1"}, {"to", "guest 10"}, {"text", "say \"hi\"\n"}});
}

TEST_CASE("webhook: given a URL without a path, then / is posted to") {
  one_server server("HTTP/1.1 204 No Content\r\n\r\n");
  http::webhook_sink sink(server.url(""), patience);
  CHECK(deliver(sink));
  CHECK(server.requests().at(0).target() == "/");
}

TEST_CASE("webhook: given any answer but 2xx, or none that is HTTP, then it was not delivered") {
  for (const std::string answer :
       {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\n\r\n", "good morning\r\n\r\n"}) {
    one_server server(answer);
    http::webhook_sink sink(server.url(), patience);
    INFO(answer);
    CHECK_FALSE(deliver(sink));
  }
}

TEST_CASE("webhook: given nobody at the address, then it was not delivered") {
  std::string url;
  { url = one_server(ok).url(); }
  http::webhook_sink sink(url, patience);
  CHECK_FALSE(deliver(sink));
}

TEST_CASE("webhook: given a receiver that never answers, then it was not delivered when the time is over, and others are not held up") {
  one_server dead(""), alive(ok);
  http::webhook_sink slow(dead.url(), std::chrono::milliseconds(100)), fast(alive.url(), patience);
  std::promise<bool> verdict;
  const auto began = std::chrono::steady_clock::now();
  slow.deliver("1-1", {"a", "b"}, [&](bool delivered) { verdict.set_value(delivered); });
  CHECK(deliver(fast));
  CHECK_FALSE(verdict.get_future().get());
  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(100));
}

TEST_CASE("webhook: given tries in flight when the sink goes, then each is told once that it was not delivered") {
  one_server dead("");
  constexpr int tries = 20;
  std::vector<std::atomic<int>> told(tries);
  std::atomic<int> delivered{0};
  {
    http::webhook_sink sink(dead.url(), std::chrono::minutes(5));
    for (int i = 0; i < tries; ++i)
      sink.deliver(std::to_string(i), {"a", "b"}, [&, i](bool yes) {
        ++told[static_cast<std::size_t>(i)];
        delivered += yes ? 1 : 0;
      });
  }
  for (const auto& n : told) CHECK(n == 1);
  CHECK(delivered == 0);
}

TEST_CASE("webhook: given more tries than are kept, then the next is answered at once") {
  one_server dead("");
  std::atomic<int> refused{0};
  std::atomic<bool> ending{false};
  http::webhook_sink sink(dead.url(), std::chrono::minutes(5));
  for (std::size_t i = 0; i < http::webhook_sink::tries_max + 5; ++i)
    sink.deliver(std::to_string(i), {"a", "b"}, [&](bool) { refused += ending ? 0 : 1; });
  CHECK(refused >= 5);
  ending = true;
}

TEST_CASE("webhook: given a URL that cannot be posted to, then the start says why") {
  using Catch::Contains;
  const auto make = [](const std::string& url) { http::webhook_sink(url, patience); };
  CHECK_THROWS_WITH(make("nonsense"), Contains("http://host:port/path"));
  CHECK_THROWS_WITH(make("ftp://host/"), Contains("must begin with http://"));
  CHECK_THROWS_WITH(make("https://host/"), Contains("https"));
  CHECK_THROWS_WITH(make("http://user:secret@host/"), Contains("no user"));
  CHECK_THROWS_WITH(make("http:///path"), Contains("names no host"));
}
