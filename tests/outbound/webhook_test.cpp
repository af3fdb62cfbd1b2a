// The webhook against a server of our own on a socket of this machine.
#include "outbound/webhook.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <ctime>
#include <future>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/outbound/receiver.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/environment_variable.hpp"

namespace {

using namespace crema;
using verdict = delivery_report::verdict;
namespace beast = boost::beast;
using std::chrono::milliseconds;

constexpr milliseconds patience{5000};
const std::deque<std::string> ok{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
const std::deque<std::string> silence{""};

outbound::webhook_sink sink_to(const std::string& url, milliseconds timeout = patience, const std::string& ca_file = {}) {
  return {std::make_shared<outbound::client>(), url, timeout, ca_file};
}

outgoing_notification letter(std::string to = "01033132570", std::string text = "Your drink is ready.") {
  outgoing_notification n{"cafeteria-00c0ffee-4711-1", std::move(to), std::move(text), {}};
  n.trace.trace_id.fill(0xAB);
  n.trace.span_id.fill(0xCD);
  return n;
}

// One try, and what came of it.
delivery_report deliver(outbound::webhook_sink& sink, outgoing_notification n = letter()) {
  auto done = std::make_shared<std::promise<delivery_report>>();
  auto result = done->get_future();
  sink.deliver(std::move(n), [done](delivery_report r) { done->set_value(std::move(r)); });
  REQUIRE(result.wait_for(2 * patience) == std::future_status::ready);
  return result.get();
}

// What comes of one try that a receiver answers so, and how many requests reached it.
std::pair<delivery_report, std::vector<receiver::request>> answered(std::deque<std::string> answers) {
  receiver server(std::move(answers));
  auto sink = sink_to(server.url("/hook?a=1"));
  auto report = deliver(sink);
  return {std::move(report), server.requests()};
}

std::string header(const receiver::request& r, const char* name) { return std::string(r[name]); }

}  // namespace

TEST_CASE("webhook: given a receiver that takes it, then id, to and text arrive as JSON under a stable key") {
  receiver server(ok);
  auto sink = sink_to(server.url("/hook?a=1"));
  CHECK(deliver(sink, letter("guest 10", "say \"hi\"\n")).is == verdict::delivered);
  const auto got = server.requests();
  REQUIRE(got.size() == 1);
  CHECK(got[0].method_string() == "POST");
  CHECK(got[0].target() == "/hook?a=1");
  CHECK(got[0]["Idempotency-Key"] == "cafeteria-00c0ffee-4711-1");
  CHECK(got[0][beast::http::field::content_type] == "application/json");
  CHECK(got[0][beast::http::field::host] == server.url("").substr(7));
  CHECK(nlohmann::json::parse(got[0].body()) ==
        nlohmann::json{{"id", "cafeteria-00c0ffee-4711-1"}, {"to", "guest 10"}, {"text", "say \"hi\"\n"}});
}

TEST_CASE("webhook: given a URL without a path, then / is posted to") {
  receiver server({"HTTP/1.1 204 No Content\r\n\r\n"});
  auto sink = sink_to(server.url(""));
  CHECK(deliver(sink).is == verdict::delivered);
  CHECK(server.requests().at(0).target() == "/");
}

TEST_CASE("webhook: the trace goes along: traceparent, and tracestate where there is one") {
  receiver server(ok);
  auto sink = sink_to(server.url("/hook"));
  auto n = letter();
  CHECK(deliver(sink, n).is == verdict::delivered);
  n.trace.state = std::make_shared<const std::string>("vendor=1,other=2");
  n.trace.sampled = false;
  CHECK(deliver(sink, n).is == verdict::delivered);
  const auto got = server.requests();
  REQUIRE(got.size() == 2);
  CHECK(header(got[0], "traceparent") == "00-abababababababababababababababab-cdcdcdcdcdcdcdcd-01");
  CHECK(got[0].count("tracestate") == 0);
  CHECK(header(got[1], "traceparent") == "00-abababababababababababababababab-cdcdcdcdcdcdcdcd-00");
  CHECK(header(got[1], "tracestate") == "vendor=1,other=2");
}

TEST_CASE("webhook: 408, 425, 429, 5xx and what is no HTTP mean not now; any other 4xx is final") {
  const auto verdict_on = [](const std::string& answer) {
    INFO(answer);
    return answered({answer}).first.is;
  };
  for (const std::string status : {"408 Request Timeout", "425 Too Early", "429 Too Many Requests", "500 Internal Server Error", "503 x"})
    CHECK(verdict_on("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n") == verdict::try_again);
  for (const std::string status : {"400 Bad Request", "401 x", "404 Not Found", "410 Gone", "422 Unprocessable Content"})
    CHECK(verdict_on("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n") == verdict::refused);
  CHECK(verdict_on("good morning\r\n\r\n") == verdict::try_again);
  CHECK(verdict_on("HTTP/1.1 100 Continue\r\n\r\n") == verdict::try_again);
}

TEST_CASE("webhook: 100 Continue is not the answer: exactly one post is made, and what follows counts") {
  const auto [report, requests] = answered({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"});
  CHECK(report.is == verdict::delivered);
  CHECK(report.http->status == 204);
  CHECK(requests.size() == 1);
  CHECK(requests.at(0).count("Expect") == 0);
}

TEST_CASE("webhook: a header of more than 8 KiB is read; one without end is not") {
  const auto fill = [](std::size_t lines) {
    std::string all;
    for (std::size_t i = 0; i < lines; ++i) all += "X-Fill-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
    return all;
  };
  const auto [taken, requests] = answered({"HTTP/1.1 200 OK\r\n" + fill(40) + "Content-Length: 0\r\n\r\n"});
  CHECK(taken.is == verdict::delivered);
  CHECK(requests.size() == 1);
  const auto lines = outbound::transfer::header_bytes_max / 1000 + 2;
  CHECK(answered({"HTTP/1.1 200 OK\r\n" + fill(lines)}).first.reason == "the answer is too long");
}

TEST_CASE("webhook: a status line needs no reason phrase") {
  CHECK(answered({"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"}).first.is == verdict::delivered);
  CHECK(answered({"HTTP/1.1 422\r\nContent-Length: 0\r\n\r\n"}).first.is == verdict::refused);
}

TEST_CASE("webhook: a chunked answer is an answer") {
  CHECK(answered({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"}).first.is == verdict::delivered);
}

TEST_CASE("webhook: an answer longer than is read counts by its status") {
  const std::string body(outbound::request{}.body_bytes_max + 1, 'x');
  CHECK(answered({"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body}).first.is == verdict::delivered);
}

TEST_CASE("webhook: 301, 302 and 303 are not followed: they would change the method") {
  for (const std::string status : {"301", "302", "303"}) {
    const auto [report, requests] = answered({"HTTP/1.1 " + status + " x\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", ok.front()});
    CHECK(report.is == verdict::try_again);
    CHECK(report.reason == "it answered " + status);
    CHECK(requests.size() == 1);
  }
}

TEST_CASE("webhook: 307 and 308 are followed with the same method, body and headers, so often and no more") {
  for (const std::string status : {"307", "308"}) {
    const auto [report, requests] = answered({"HTTP/1.1 " + status + " x\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", ok.front()});
    CHECK(report.is == verdict::delivered);
    REQUIRE(requests.size() == 2);
    CHECK(requests[1].method_string() == "POST");
    CHECK(requests[1].target() == "/other");
    CHECK(requests[1].body() == requests[0].body());
    CHECK(header(requests[1], "Idempotency-Key") == "cafeteria-00c0ffee-4711-1");
  }
  const auto [report, requests] = answered({"HTTP/1.1 307 x\r\nLocation: /hook\r\nContent-Length: 0\r\n\r\n"});
  CHECK(report.reason == "it answered 307");
  CHECK(requests.size() == outbound::transfer::redirects_max + 1);
}

TEST_CASE("webhook: Retry-After is heeded, in seconds and as a date") {
  const auto wait_of = [](const std::string& value) {
    return answered({"HTTP/1.1 503 x\r\nRetry-After: " + value + "\r\nContent-Length: 0\r\n\r\n"}).first.retry_after;
  };
  CHECK(wait_of("7") == std::chrono::seconds(7));
  CHECK_FALSE(wait_of("soon"));
  const auto in_a_minute = std::time(nullptr) + 60;
  char date[64];
  std::tm utc{};
  std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&in_a_minute, &utc));
  const auto wait = wait_of(date);
  REQUIRE(wait);
  CHECK(*wait > std::chrono::seconds(30));
  CHECK(*wait <= std::chrono::seconds(60));
}

TEST_CASE("webhook: given a proxy in the environment, then the whole URL is asked of it") {
  receiver proxy(ok);
  const environment_variable named("http_proxy", proxy.url(""));
  auto sink = sink_to("http://receiver.invalid/hook");
  CHECK(deliver(sink).is == verdict::delivered);
  REQUIRE(proxy.requests().size() == 1);
  CHECK(proxy.requests()[0].target() == "http://receiver.invalid/hook");
}

TEST_CASE("webhook: given nobody at the address, then it is tried again") {
  std::string url;
  { url = receiver(ok).url("/hook"); }
  auto sink = sink_to(url);
  const auto report = deliver(sink);
  CHECK(report.is == verdict::try_again);
  CHECK(report.reason == "Connection refused");
}

TEST_CASE("webhook: given a receiver that never answers, then the try ends when the time is over, and others are not held up") {
  receiver dead(silence), alive(ok);
  const auto shared = std::make_shared<outbound::client>();
  outbound::webhook_sink slow(shared, dead.url("/hook"), milliseconds(100)), fast(shared, alive.url("/hook"), patience);
  std::promise<delivery_report> report;
  const auto began = std::chrono::steady_clock::now();
  slow.deliver(letter(), [&](delivery_report r) { report.set_value(std::move(r)); });
  CHECK(deliver(fast).is == verdict::delivered);
  const auto late = report.get_future().get();
  CHECK(late.is == verdict::try_again);
  CHECK(late.reason == "no answer in time, while waiting for the answer");
  CHECK(std::chrono::steady_clock::now() - began >= milliseconds(100));
}

TEST_CASE("webhook: given tries in flight when the client goes, then each is told once that it was not delivered") {
  receiver dead(silence);
  constexpr int tries = 20;
  std::vector<std::atomic<int>> told(tries);
  std::atomic<int> delivered{0};
  {
    auto sink = sink_to(dead.url("/hook"), std::chrono::minutes(5));
    for (int i = 0; i < tries; ++i)
      sink.deliver(letter(), [&, i](const delivery_report& r) {
        ++told[static_cast<std::size_t>(i)];
        delivered += r.is == verdict::delivered ? 1 : 0;
      });
  }
  for (const auto& n : told) CHECK(n == 1);
  CHECK(delivered == 0);
}

TEST_CASE("client: given more exchanges than are kept, then the next is answered at once") {
  receiver dead(silence);
  std::atomic<int> refused{0};
  std::atomic<bool> ending{false};
  outbound::client all;
  outbound::request r;
  r.url = dead.url("/hook");
  r.time_limit = std::chrono::minutes(5);
  constexpr std::size_t beyond = 5;
  for (std::size_t i = 0; i < outbound::client::exchanges_max + beyond; ++i)
    all.send(r, [&](const outbound::answer& a) { refused += ending || a.status != 0 ? 0 : 1; });
  CHECK(refused >= static_cast<int>(beyond));
  ending = true;
}

TEST_CASE("webhook: given an https:// receiver, then it is delivered where its CA is in the file, and not where it is in no list") {
  const authority ca("Crema's test CA");
  const scratch_file file(ca.certificate_pem());
  receiver server(ok, server_tls(ca.issue("IP:127.0.0.1")));
  {
    auto sink = sink_to(server.url("/hook"), patience, file.path());
    CHECK(deliver(sink).is == verdict::delivered);
  }
  CHECK(server.requests().at(0)["Idempotency-Key"] == "cafeteria-00c0ffee-4711-1");
  auto suspicious = sink_to(server.url("/hook"));
  CHECK(deliver(suspicious).is == verdict::try_again);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("webhook: given a CA file that cannot be used, then the start names the setting and the file") {
  using Catch::Contains;
  using Catch::StartsWith;
  const auto make = [](const std::string& file) { sink_to("https://host/", patience, file); };
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
  const auto make = [](const std::string& url) { sink_to(url); };
  CHECK_THROWS_WITH(make("nonsense"), Contains("https://host:port/path"));
  CHECK_THROWS_WITH(make("ftp://host/"), Contains("must begin with http:// or https://"));
  CHECK_THROWS_WITH(make("http://user:secret@host/"), Contains("no user"));
  CHECK_THROWS_WITH(make("http:///path"), Contains("names no host"));
}
