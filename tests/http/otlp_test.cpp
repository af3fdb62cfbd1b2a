// The exporter of spans against collectors of our own on a socket of this machine: one that takes, one that is busy, one that hangs, one
// that is not there.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "http/otlp_exporter.hpp"
#include "http/otlp_json.hpp"
#include "tests/http/receiver.hpp"
#include "tests/support/certificates.hpp"

namespace {

using namespace crema;
using nlohmann::json;
using std::chrono::milliseconds;

// Answers one post after the other with the next status, the last one for ever; 0: silence.
class collector {
 public:
  explicit collector(const std::vector<unsigned>& statuses, std::shared_ptr<boost::asio::ssl::context> tls = nullptr)
      : receiver_(answers_of(statuses), std::move(tls)) {}

  std::string url() const { return receiver_.url("/v1/traces"); }
  bool wait_for_posts(std::size_t n) { return receiver_.wait_for_requests(n); }
  std::vector<json> posts() {
    std::vector<json> all;
    for (const auto& r : receiver_.requests()) all.push_back(json::parse(r.body()));
    return all;
  }

 private:
  static std::deque<std::string> answers_of(const std::vector<unsigned>& statuses) {
    std::deque<std::string> answers;
    for (const auto s : statuses) answers.push_back(s == 0 ? "" : "HTTP/1.1 " + std::to_string(s) + " x\r\nContent-Length: 0\r\n\r\n");
    return answers;
  }

  receiver receiver_;
};

telemetry::span span_of(std::uint8_t n) {
  telemetry::span s;
  s.context.trace_id.fill(0xAB);
  s.context.span_id.fill(n);
  s.parent.fill(1);
  s.kind = "handle";
  s.what = "place_order";
  s.where = "order";
  s.id = n;
  s.start_us = 1614225600000000;
  s.duration_us = 1500;
  return s;
}

http::otlp_settings quick(const std::string& url) {
  http::otlp_settings s;
  s.url = url;
  s.interval = milliseconds(10);
  s.retry_min = milliseconds(1);
  s.retry_max = milliseconds(10);
  s.stop_limit = milliseconds(10000);
  return s;
}

std::set<std::string> span_ids(const std::vector<json>& posts) {
  std::set<std::string> ids;
  for (const auto& p : posts)
    for (const auto& r : p["resourceSpans"])
      for (const auto& s : r["scopeSpans"][0]["spans"]) ids.insert(s["spanId"].get<std::string>());
  return ids;
}

double counted(const telemetry::metrics& m, const std::string& name) {
  const auto text = m.text();
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

// A ring, and an exporter that ends before it.
struct bench {
  telemetry::metrics metrics;
  telemetry::trace_ring ring{{1600, 0, 0}};
  void record(std::uint8_t n) { ring.record(span_of(n)); }
  std::vector<http::span_source> sources() { return {{"cafeteria", &ring}}; }
};

}  // namespace

TEST_CASE("otlp: a span in JSON as the protocol wants it") {
  auto handled = span_of(2);
  handled.failed = true;
  handled.note = "timed out";
  auto request = span_of(3);
  request.parent = {};
  request.kind = "request";
  request.what = "POST /orders";
  request.where = {};
  request.note = "status=201";
  const auto document = json::parse(http::otlp_json({{"cafeteria", {handled, request}}, {"hotel", {}}}));
  REQUIRE(document["resourceSpans"].size() == 1);
  const auto& resource = document["resourceSpans"][0];
  const auto attribute = [](const char* key, const char* value) { return json{{"key", key}, {"value", {{"stringValue", value}}}}; };
  const auto has = [](const json& all, const json& wanted) { return std::find(all.begin(), all.end(), wanted) != all.end(); };
  CHECK(has(resource["resource"]["attributes"], attribute("service.name", "crema")));
  CHECK(has(resource["resource"]["attributes"], attribute("crema.system", "cafeteria")));
  REQUIRE(resource["scopeSpans"].is_array());
  CHECK(resource["scopeSpans"][0]["scope"]["name"] == "crema");
  const auto& spans = resource["scopeSpans"][0]["spans"];
  REQUIRE(spans.size() == 2);
  CHECK(spans[0]["traceId"] == "abababababababababababababababab");
  CHECK(spans[0]["spanId"] == "0202020202020202");
  CHECK(spans[0]["parentSpanId"] == "0101010101010101");
  CHECK(spans[0]["name"] == "handle place_order");
  CHECK(spans[0]["kind"] == 1);
  CHECK(spans[0]["startTimeUnixNano"] == "1614225600000000000");
  CHECK(spans[0]["endTimeUnixNano"] == "1614225600001500000");
  CHECK(spans[0]["status"]["code"] == 2);
  CHECK(has(spans[0]["attributes"], attribute("crema.aggregate", "order/2")));
  CHECK(has(spans[0]["attributes"], attribute("crema.note", "timed out")));
  CHECK_FALSE(spans[1].contains("parentSpanId"));
  CHECK(spans[1]["name"] == "POST /orders");
  CHECK(spans[1]["kind"] == 2);
  CHECK(spans[1]["status"] == json::object());
  CHECK(has(spans[1]["attributes"], attribute("http.route", "/orders")));
  CHECK(has(spans[1]["attributes"], {{"key", "http.response.status_code"}, {"value", {{"intValue", "201"}}}}));
}

TEST_CASE("otlp: spans arrive once each, in batches") {
  collector c({200});
  bench b;
  auto s = quick(c.url());
  s.batch_spans = 4;
  http::otlp_exporter e(s, b.sources(), b.metrics);
  for (std::uint8_t n = 1; n <= 10; ++n) b.record(n);
  REQUIRE(c.wait_for_posts(3));
  e.stop();
  CHECK(span_ids(c.posts()).size() == 10);
  std::size_t spans = 0;
  for (const auto& p : c.posts()) {
    const auto n = p["resourceSpans"][0]["scopeSpans"][0]["spans"].size();
    CHECK(n <= 4);
    spans += n;
  }
  CHECK(spans == 10);
  CHECK(counted(b.metrics, "crema_spans_exported_total") == 10);
  CHECK(counted(b.metrics, "crema_spans_dropped_total") == 0);
}

TEST_CASE("otlp: a collector that is busy gets the same batch again") {
  for (const unsigned busy : {429U, 502U, 503U, 504U}) {
    collector c({busy, busy, 200});
    bench b;
    http::otlp_exporter e(quick(c.url()), b.sources(), b.metrics);
    b.record(7);
    REQUIRE(c.wait_for_posts(3));
    e.stop();
    const auto posts = c.posts();
    CHECK(posts[0] == posts[2]);
    CHECK(counted(b.metrics, "crema_spans_exported_total") == 1);
    CHECK(counted(b.metrics, "crema_span_posts_failed_total") == 2);
  }
}

TEST_CASE("otlp: a batch that the collector refuses, or did not take after all tries, is dropped and counted; the next goes out") {
  for (const unsigned refusal : {400U, 503U}) {
    collector c(refusal == 400 ? std::vector<unsigned>{400, 200} : std::vector<unsigned>{503, 503, 200});
    bench b;
    auto s = quick(c.url());
    s.tries_max = 2;
    http::otlp_exporter e(s, b.sources(), b.metrics);
    b.record(1);
    REQUIRE(c.wait_for_posts(refusal == 400 ? 1 : 2));
    b.record(2);
    REQUIRE(c.wait_for_posts(refusal == 400 ? 2 : 3));
    e.stop();
    CHECK(counted(b.metrics, "crema_spans_dropped_total") == 1);
    CHECK(counted(b.metrics, "crema_spans_exported_total") == 1);
  }
}

TEST_CASE("otlp: a collector that hangs holds nobody up: recording goes on, and the end comes within its limit") {
  collector c({0});
  bench b;
  auto s = quick(c.url());
  s.timeout = std::chrono::minutes(5);
  s.stop_limit = milliseconds(200);
  http::otlp_exporter e(s, b.sources(), b.metrics);
  b.record(1);
  REQUIRE(c.wait_for_posts(1));
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 100000; ++i) b.record(static_cast<std::uint8_t>(i % 250 + 1));
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  const auto stops = std::chrono::steady_clock::now();
  e.stop();
  CHECK(std::chrono::steady_clock::now() - stops < std::chrono::seconds(5));
  CHECK(b.ring.recent(10, {}).size() == 10);
  CHECK(counted(b.metrics, "crema_spans_exported_total") == 0);
  CHECK(counted(b.metrics, "crema_spans_dropped_total") > 90000);
}

TEST_CASE("otlp: a collector that is not there is tried again, and what is left at the end is counted") {
  std::string url;
  {
    collector gone({200});
    url = gone.url();
  }
  bench b;
  http::otlp_exporter e(quick(url), b.sources(), b.metrics);
  b.record(1);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (counted(b.metrics, "crema_span_posts_failed_total") < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  CHECK(counted(b.metrics, "crema_span_posts_failed_total") >= 2);
  e.stop();
  CHECK(counted(b.metrics, "crema_spans_dropped_total") == 1);
}

TEST_CASE("otlp: what was recorded before the end is sent at the end") {
  collector c({200});
  bench b;
  auto s = quick(c.url());
  s.interval = std::chrono::hours(1);
  http::otlp_exporter e(s, b.sources(), b.metrics);
  b.record(1);
  e.stop();
  CHECK(span_ids(c.posts()).size() == 1);
}

TEST_CASE("otlp: a URL that cannot be posted to is refused at once, with the setting's name") {
  bench b;
  for (const auto* url : {"ftp://collector/v1/traces", "collector:4318", "http://u:p@collector/"})
    CHECK_THROWS_WITH(http::otlp_exporter(quick(url), b.sources(), b.metrics), Catch::Matchers::StartsWith("trace.otlp.url "));
}

TEST_CASE("otlp: an https:// collector whose CA is in the file gets the spans; a file that cannot be used is refused at once") {
  const authority ca("Crema's test CA");
  const scratch_file file(ca.certificate_pem());
  collector c({200}, server_tls(ca.issue("IP:127.0.0.1")));
  bench b;
  auto s = quick(c.url());
  s.ca_file = file.path();
  http::otlp_exporter e(s, b.sources(), b.metrics);
  b.record(1);
  REQUIRE(c.wait_for_posts(1));
  e.stop();
  CHECK(span_ids(c.posts()).size() == 1);
  CHECK(counted(b.metrics, "crema_spans_exported_total") == 1);
  s.ca_file = "/nonexistent/ca.pem";
  CHECK_THROWS_WITH(http::otlp_exporter(s, b.sources(), b.metrics), Catch::Matchers::StartsWith("trace.otlp.caFile names /nonexistent/"));
}

TEST_CASE("otlp: a collector whose certificate is not trusted is tried again, and what is left at the end is counted") {
  collector c({200}, server_tls(authority("Somebody's CA").issue("IP:127.0.0.1")));
  bench b;
  http::otlp_exporter e(quick(c.url()), b.sources(), b.metrics);
  b.record(1);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (counted(b.metrics, "crema_span_posts_failed_total") < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  CHECK(counted(b.metrics, "crema_span_posts_failed_total") >= 2);
  e.stop();
  CHECK(c.posts().empty());
  CHECK(counted(b.metrics, "crema_spans_dropped_total") == 1);
}
