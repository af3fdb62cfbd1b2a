// The exporter of spans against collectors of our own on a socket of this machine: one that takes, one that is busy, one that hangs, one
// that is not there.
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "outbound/otlp_exporter.hpp"
#include "outbound/otlp_json.hpp"
#include "tests/outbound/receiver.hpp"
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

outbound::otlp_settings quick(const std::string& url) {
  outbound::otlp_settings s;
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

std::map<std::string, std::string> attributes(const json& of) {
  std::map<std::string, std::string> all;
  for (const auto& a : of["attributes"]) {
    const auto& v = a["value"];
    CHECK(all.emplace(a["key"], (v.contains("intValue") ? v["intValue"] : v["stringValue"]).get<std::string>()).second);
  }
  return all;
}

json only_span(const outbound::resource& from, const telemetry::span& s) {
  return json::parse(outbound::otlp_json(from, {{"cafeteria", {s}}}))["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
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
  std::vector<outbound::span_source> sources() { return {{"cafeteria", &ring}}; }
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
  request.context.state = std::make_shared<const std::string>("vendor=1");
  http_exchange http;
  http.method = "POST";
  http.status = 201;
  http.scheme = "https";
  http.host = "coffee.example";
  http.port = 8443;
  http.path = "/orders";
  http.query = "a=1&token=abc";
  http.route = "/orders";
  http.client = "10.0.0.9";
  http.user_agent = "curl/8";
  request.http = std::make_shared<const http_exchange>(http);
  const auto document = json::parse(outbound::otlp_json({}, {{"cafeteria", {handled, request}}, {"hotel", {}}}));
  REQUIRE(document["resourceSpans"].size() == 1);
  const auto& from = document["resourceSpans"][0];
  CHECK(attributes(from["resource"])["service.name"] == "crema");
  CHECK(attributes(from["resource"])["crema.system"] == "cafeteria");
  REQUIRE(from["scopeSpans"].is_array());
  CHECK(from["scopeSpans"][0]["scope"]["name"] == "crema");
  const auto& spans = from["scopeSpans"][0]["spans"];
  REQUIRE(spans.size() == 2);
  CHECK(spans[0]["traceId"] == "abababababababababababababababab");
  CHECK(spans[0]["spanId"] == "0202020202020202");
  CHECK(spans[0]["parentSpanId"] == "0101010101010101");
  CHECK(spans[0]["name"] == "handle place_order");
  CHECK(spans[0]["kind"] == 1);
  CHECK(spans[0]["startTimeUnixNano"] == "1614225600000000000");
  CHECK(spans[0]["endTimeUnixNano"] == "1614225600001500000");
  CHECK(spans[0]["status"]["code"] == 2);
  CHECK_FALSE(spans[0].contains("traceState"));
  CHECK(attributes(spans[0])["crema.aggregate"] == "order/2");
  CHECK(attributes(spans[0])["crema.note"] == "timed out");
  CHECK_FALSE(spans[1].contains("parentSpanId"));
  CHECK(spans[1]["name"] == "POST /orders");
  CHECK(spans[1]["kind"] == 2);
  CHECK(spans[1]["status"] == json::object());
  CHECK(spans[1]["traceState"] == "vendor=1");
  CHECK(attributes(spans[1]) == std::map<std::string, std::string>{{"crema.kind", "request"},
                                                                   {"http.request.method", "POST"},
                                                                   {"http.response.status_code", "201"},
                                                                   {"http.route", "/orders"},
                                                                   {"network.protocol.version", "1.1"},
                                                                   {"url.scheme", "https"},
                                                                   {"url.path", "/orders"},
                                                                   {"url.query", "a=1&token=REDACTED"},
                                                                   {"server.address", "coffee.example"},
                                                                   {"server.port", "8443"},
                                                                   {"client.address", "10.0.0.9"},
                                                                   {"user_agent.original", "curl/8"}});
}

TEST_CASE("otlp: a request that matched no route is named by its method; one that failed has an error type") {
  auto s = span_of(1);
  s.kind = "request";
  s.what = "GET unmatched";
  http_exchange http;
  http.method = "GET";
  http.status = 503;
  http.path = "/nowhere";
  s.http = std::make_shared<const http_exchange>(http);
  const auto span = only_span({}, s);
  CHECK(span["name"] == "GET");
  CHECK(attributes(span).count("http.route") == 0);
  CHECK(attributes(span)["error.type"] == "503");
  http.method = "OTHER";
  s.http = std::make_shared<const http_exchange>(http);
  CHECK(only_span({}, s)["name"] == "HTTP");
  CHECK(attributes(only_span({}, s))["http.request.method"] == "_OTHER");
}

TEST_CASE("otlp: what was posted is a client's span: to whom, and what came of it") {
  auto s = span_of(1);
  s.kind = "notify";
  s.failed = true;
  http_exchange http;
  http.method = "POST";
  http.error = "timeout";
  http.url = "https://[::1]:8443/hook?key=abc";
  s.http = std::make_shared<const http_exchange>(http);
  const auto span = only_span({}, s);
  CHECK(span["kind"] == 3);
  CHECK(span["name"] == "POST");
  auto all = attributes(span);
  CHECK(all["url.full"] == "https://[::1]:8443/hook?key=REDACTED");
  CHECK(all["server.address"] == "::1");
  CHECK(all["server.port"] == "8443");
  CHECK(all["error.type"] == "timeout");
  CHECK(all.count("http.response.status_code") == 0);
  http.url = "http://hook.example";
  http.status = 422;
  s.http = std::make_shared<const http_exchange>(http);
  all = attributes(only_span({}, s));
  CHECK(all["server.address"] == "hook.example");
  CHECK(all["server.port"] == "80");
  CHECK(all["error.type"] == "422");
}

TEST_CASE("otlp: whence the spans come: the name given, else that of the attributes; the system's own stays") {
  const auto resource_of = [](const outbound::resource& r) {
    return attributes(json::parse(outbound::otlp_json(r, {{"hotel", {span_of(1)}}}))["resourceSpans"][0]["resource"]);
  };
  const auto given = outbound::parse_attributes({"service.name=shop", "team=blue%20one%", "crema.system=x", "nonsense"});
  CHECK(resource_of({"", given})["service.name"] == "shop");
  CHECK(resource_of({"bar", given})["service.name"] == "bar");
  CHECK(resource_of({"", given})["team"] == "blue one%");
  CHECK(resource_of({"", given})["crema.system"] == "hotel");
}

TEST_CASE("otlp: spans arrive once each, in batches") {
  collector c({200});
  bench b;
  auto s = quick(c.url());
  s.batch_spans = 4;
  outbound::otlp_exporter e(std::make_shared<outbound::client>(), s, b.sources(), b.metrics);
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
    outbound::otlp_exporter e(std::make_shared<outbound::client>(), quick(c.url()), b.sources(), b.metrics);
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
    outbound::otlp_exporter e(std::make_shared<outbound::client>(), s, b.sources(), b.metrics);
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
  outbound::otlp_exporter e(std::make_shared<outbound::client>(), s, b.sources(), b.metrics);
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
  outbound::otlp_exporter e(std::make_shared<outbound::client>(), quick(url), b.sources(), b.metrics);
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
  outbound::otlp_exporter e(std::make_shared<outbound::client>(), s, b.sources(), b.metrics);
  b.record(1);
  e.stop();
  CHECK(span_ids(c.posts()).size() == 1);
}

TEST_CASE("otlp: a URL that cannot be posted to is refused at once, with the setting's name") {
  bench b;
  for (const auto* url : {"ftp://collector/v1/traces", "collector:4318", "http://u:p@collector/"})
    CHECK_THROWS_WITH(outbound::otlp_exporter(std::make_shared<outbound::client>(), quick(url), b.sources(), b.metrics),
                      Catch::Matchers::StartsWith("trace.otlp.url "));
}

TEST_CASE("otlp: an https:// collector whose CA is in the file gets the spans; a file that cannot be used is refused at once") {
  const authority ca("Crema's test CA");
  const scratch_file file(ca.certificate_pem());
  collector c({200}, server_tls(ca.issue("IP:127.0.0.1")));
  bench b;
  auto s = quick(c.url());
  s.ca_file = file.path();
  outbound::otlp_exporter e(std::make_shared<outbound::client>(), s, b.sources(), b.metrics);
  b.record(1);
  REQUIRE(c.wait_for_posts(1));
  e.stop();
  CHECK(span_ids(c.posts()).size() == 1);
  CHECK(counted(b.metrics, "crema_spans_exported_total") == 1);
  s.ca_file = "/nonexistent/ca.pem";
  CHECK_THROWS_WITH(outbound::otlp_exporter(std::make_shared<outbound::client>(), s, b.sources(), b.metrics),
                    Catch::Matchers::StartsWith("trace.otlp.caFile names /nonexistent/"));
}

TEST_CASE("otlp: a collector whose certificate is not trusted is tried again, and what is left at the end is counted") {
  collector c({200}, server_tls(authority("Somebody's CA").issue("IP:127.0.0.1")));
  bench b;
  outbound::otlp_exporter e(std::make_shared<outbound::client>(), quick(c.url()), b.sources(), b.metrics);
  b.record(1);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (counted(b.metrics, "crema_span_posts_failed_total") < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  CHECK(counted(b.metrics, "crema_span_posts_failed_total") >= 2);
  e.stop();
  CHECK(c.posts().empty());
  CHECK(counted(b.metrics, "crema_spans_dropped_total") == 1);
}
