// The webhook against a server of our own on a socket of this machine.
#include "http/webhook.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/http/receiver.hpp"
#include "tests/support/certificates.hpp"

namespace {

using namespace crema;
namespace beast = boost::beast;

constexpr std::chrono::milliseconds patience{5000};
const std::deque<std::string> ok{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
const std::deque<std::string> silence{""};

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
  receiver server(ok);
  http::webhook_sink sink(server.url("/hook?a=1"), patience);
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
  receiver server({"HTTP/1.1 204 No Content\r\n\r\n"});
  http::webhook_sink sink(server.url(""), patience);
  CHECK(deliver(sink));
  CHECK(server.requests().at(0).target() == "/");
}

TEST_CASE("webhook: given any answer but 2xx, or none that is HTTP, then it was not delivered") {
  for (const std::string answer :
       {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\n\r\n", "good morning\r\n\r\n"}) {
    receiver server({answer});
    http::webhook_sink sink(server.url("/hook?a=1"), patience);
    INFO(answer);
    CHECK_FALSE(deliver(sink));
  }
}

TEST_CASE("webhook: given nobody at the address, then it was not delivered") {
  std::string url;
  { url = receiver(ok).url("/hook"); }
  http::webhook_sink sink(url, patience);
  CHECK_FALSE(deliver(sink));
}

TEST_CASE("webhook: given a receiver that never answers, then it was not delivered when the time is over, and others are not held up") {
  receiver dead(silence), alive(ok);
  http::webhook_sink slow(dead.url("/hook"), std::chrono::milliseconds(100)), fast(alive.url("/hook"), patience);
  std::promise<bool> verdict;
  const auto began = std::chrono::steady_clock::now();
  slow.deliver("1-1", {"a", "b"}, [&](bool delivered) { verdict.set_value(delivered); });
  CHECK(deliver(fast));
  CHECK_FALSE(verdict.get_future().get());
  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(100));
}

TEST_CASE("webhook: given tries in flight when the sink goes, then each is told once that it was not delivered") {
  receiver dead(silence);
  constexpr int tries = 20;
  std::vector<std::atomic<int>> told(tries);
  std::atomic<int> delivered{0};
  {
    http::webhook_sink sink(dead.url("/hook"), std::chrono::minutes(5));
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
  receiver dead(silence);
  std::atomic<int> refused{0};
  std::atomic<bool> ending{false};
  http::webhook_sink sink(dead.url("/hook"), std::chrono::minutes(5));
  for (std::size_t i = 0; i < http::webhook_sink::tries_max + 5; ++i)
    sink.deliver(std::to_string(i), {"a", "b"}, [&](bool) { refused += ending ? 0 : 1; });
  CHECK(refused >= 5);
  ending = true;
}

TEST_CASE("webhook: given an https:// receiver, then it is delivered where its CA is in the file, and not where it is in no list") {
  const authority ca("Crema's test CA");
  const scratch_file file(ca.certificate_pem());
  receiver server(ok, server_tls(ca.issue("IP:127.0.0.1")));
  {
    http::webhook_sink sink(server.url("/hook"), patience, file.path());
    CHECK(deliver(sink));
  }
  CHECK(server.requests().at(0)["Idempotency-Key"] == "4711-1");
  http::webhook_sink suspicious(server.url("/hook"), patience);
  CHECK_FALSE(deliver(suspicious));
  CHECK(server.requests().size() == 1);
}

TEST_CASE("webhook: given a CA file that cannot be used, then the start names the setting and the file") {
  using Catch::Contains;
  using Catch::StartsWith;
  const auto make = [](const std::string& file) { http::webhook_sink("https://host/", patience, file); };
  CHECK_THROWS_WITH(make("/nonexistent/ca.pem"),
                    StartsWith("notify.webhookCaFile names /nonexistent/ca.pem, ") && Contains("No such file"));
  for (const std::string text : {"", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    const scratch_file file(text);
    INFO(text);
    CHECK_THROWS_WITH(make(file.path()), StartsWith("notify.webhookCaFile names " + file.path() + ", which does not hold CA certificates"));
  }
}

TEST_CASE("webhook: given a URL that cannot be posted to, then the start says why") {
  using Catch::Contains;
  const auto make = [](const std::string& url) { http::webhook_sink(url, patience); };
  CHECK_THROWS_WITH(make("nonsense"), Contains("https://host:port/path"));
  CHECK_THROWS_WITH(make("ftp://host/"), Contains("must begin with http:// or https://"));
  CHECK_THROWS_WITH(make("http://user:secret@host/"), Contains("no user"));
  CHECK_THROWS_WITH(make("http:///path"), Contains("names no host"));
}
