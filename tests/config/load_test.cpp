#include "config/load.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "config/explain.hpp"
#include "tests/config/fixture.hpp"

namespace crema::config {
namespace {

using Catch::Contains;

std::string fault(const sources& from) {
  try {
    load(sample_settings(), from);
  } catch (const config_error& e) { return e.what(); }
  return "none";
}

std::string file_fault(const std::string& text) {
  const scratch s;
  return fault({s.write("settings.json", text), {}, {}});
}

TEST_CASE("settings: without any source each has its default") {
  const auto v = load(sample_settings(), {});
  CHECK(v.get_int("node.partitions") == 16);
  CHECK(v.get_ms("payment.bulkhead.callTimeoutMs") == std::chrono::milliseconds(2000));
  CHECK(v.get_bool("log.access"));
  CHECK(v.get_text("notify.adapter") == "log");
  CHECK(v.get_list("http.trustedProxies").empty());
  CHECK(v.origin("http.listen") == "default");
}

TEST_CASE("settings: file, then environment, then flags") {
  const scratch s;
  sources from{s.write("settings.json", R"({
    // A comment.
    "payment": {"bulkhead": {"callTimeoutMs": 700, "openMs": 6000}},
    "payment.bulkhead.windowMs": 9000, /* dotted names too */
    "http": {"trustedProxies": ["10.0.0.0/8", "::1"]},
    "log": {"access": false}
  })"),
               {{"CREMA_PAYMENT__BULKHEAD__CALL_TIMEOUT_MS", "650"}, {"PATH", "/bin"}},
               {{"payment.bulkhead.callTimeoutMs", "610", "--set"}}};
  auto v = load(sample_settings(), from);
  CHECK(v.get_int("payment.bulkhead.callTimeoutMs") == 610);
  CHECK(v.origin("payment.bulkhead.callTimeoutMs") == "--set");
  CHECK(v.get_int("payment.bulkhead.openMs") == 6000);
  CHECK(v.origin("payment.bulkhead.openMs") == from.file.string() + ":3");
  CHECK(v.get_int("payment.bulkhead.windowMs") == 9000);
  CHECK(v.origin("payment.bulkhead.windowMs") == from.file.string() + ":4");
  CHECK(v.get_list("http.trustedProxies") == std::vector<std::string>{"10.0.0.0/8", "::1"});
  CHECK_FALSE(v.get_bool("log.access"));

  from.flags.clear();
  v = load(sample_settings(), from);
  CHECK(v.get_int("payment.bulkhead.callTimeoutMs") == 650);
  CHECK(v.origin("payment.bulkhead.callTimeoutMs") == "CREMA_PAYMENT__BULKHEAD__CALL_TIMEOUT_MS");
}

TEST_CASE("settings: every declared setting can be set from the environment to what it is") {
  sources from;
  const auto all = sample_settings();
  const auto value_of = [](const declaration& d) { return d.secret ? setting("s3cret") : d.default_value; };  // a secret is never empty
  for (const auto& d : all.all()) from.environment.emplace_back(environment_name(d.name), value_text(value_of(d)));
  const auto v = load(all, from);
  for (const auto& d : all.all()) {
    CAPTURE(d.name);
    CHECK(v.get(d.name) == value_of(d));
    CHECK(v.origin(d.name) == environment_name(d.name));
  }
}

TEST_CASE("settings: a misspelt one is named with its place and the nearest right one") {
  CHECK_THAT(file_fault("{\n\"payment\": {\n\"bulkhead\": {\n\"callTimeoutMS\": 610}}}"),
             Contains("settings.json:4: payment.bulkhead.callTimeoutMS is not a setting; the nearest is payment.bulkhead.callTimeoutMs"));
  CHECK_THAT(file_fault(R"({"bulkhead": {"callTimeoutMs": 610}})"), Contains("the nearest is tab.bulkhead.callTimeoutMs"));
  CHECK_THAT(file_fault(R"({"sugar": 2})"), Contains("settings.json:1: sugar is not a setting; see crema config explain"));
  CHECK(fault({{}, {{"CREMA_HTTP__LISTN", "x"}}, {}}) == "CREMA_HTTP__LISTN is not a setting; the nearest is CREMA_HTTP__LISTEN");
  CHECK(fault({{}, {{"CREMA_HTTP_LISTEN", "x"}}, {}}) == "CREMA_HTTP_LISTEN is not a setting; the nearest is CREMA_HTTP__LISTEN");
  CHECK(fault({{}, {}, {{"runtime.idelMs", "1", "--set"}}}) == "--set: runtime.idelMs is not a setting; the nearest is runtime.idleMs");
  CHECK(fault({{}, {}, {{"evil\nname", "1", "--set"}}}) == "--set: evil?name is not a setting; see crema config explain");
}

TEST_CASE("settings: variables that are no settings are passed over") {
  CHECK(fault({{}, {{"CREMA_URL", "http://x"}, {"CREMA_TOKEN", "x"}, {"CREMA_BINARY", "x"}, {"HTTP__LISTEN", "x"}}, {}}) == "none");
}

TEST_CASE("settings: one out of bounds is named with them") {
  CHECK(fault({{}, {{"CREMA_PAYMENT__BULKHEAD__CALL_TIMEOUT_MS", "0"}}, {}}) ==
        "CREMA_PAYMENT__BULKHEAD__CALL_TIMEOUT_MS: payment.bulkhead.callTimeoutMs is \"0\", but must be a whole number, 1 … 60000 ms");
  CHECK(fault({{}, {}, {{"node.partitions", "24", "--set"}}}) == "--set: node.partitions is \"24\", but must be a power of two, 1 … 1024");
  CHECK_THAT(fault({{}, {}, {{"runtime.idleMs", "30s", "--set"}}}), Contains("is \"30s\", but must be a whole number"));
  CHECK_THAT(fault({{}, {}, {{"runtime.idleMs", "99999999999999999999", "--set"}}}), Contains("must be a whole number"));
  CHECK_THAT(fault({{}, {}, {{"log.access", "yes", "--set"}}}), Contains("must be true or false"));
  CHECK_THAT(fault({{}, {}, {{"notify.adapter", "pigeon", "--set"}}}), Contains("must be one of log, webhook"));
  CHECK_THAT(fault({{}, {}, {{"http.trustedProxies", "10.0.0.0/8,nonsense", "--set"}}}), Contains("must be a list of addresses"));
  for (const auto* wrong : {"8080", ":8080", "localhost", "localhost:99999", "::1:8080", "a b:1", "localhost:-1", "localhost:"}) {
    CAPTURE(wrong);
    CHECK_THAT(fault({{}, {}, {{"http.listen", wrong, "--listen"}}}), Contains("must be HOST:PORT"));
  }
  for (const auto* right : {"localhost:8080", "0.0.0.0:0", "[::1]:65535"})
    CHECK(fault({{}, {}, {{"http.listen", right, "--listen"}}}) == "none");
}

TEST_CASE("settings: the file's types are taken as they are") {
  CHECK_THAT(file_fault(R"({"runtime": {"idleMs": "30000"}})"), Contains("runtime.idleMs is \"30000\", but must be a whole number"));
  CHECK_THAT(file_fault(R"({"runtime": {"idleMs": 1.5}})"), Contains("must be a whole number"));
  CHECK_THAT(file_fault(R"({"runtime": {"idleMs": 99999999999999999999}})"), Contains("must be a whole number"));
  CHECK_THAT(file_fault(R"({"log": {"access": 1}})"), Contains("must be true or false"));
  CHECK_THAT(file_fault(R"({"http": {"trustedProxies": "10.0.0.1"}})"), Contains("must be a list"));
  CHECK_THAT(file_fault(R"({"http": {"trustedProxies": [1]}})"), Contains("has something else than texts in its list"));
  CHECK_THAT(file_fault(R"({"http": {"trustedProxies": [{}]}})"), Contains("has an object in its list"));
  CHECK_THAT(file_fault(R"({"http": {"trustedProxies": [[]]}})"), Contains("has a list in its list"));
  CHECK_THAT(file_fault(R"({"http": {"listen": null}})"), Contains("http.listen is null; leave it out"));
}

TEST_CASE("settings: a file that is no settings file is refused with one line") {
  CHECK_THAT(file_fault("{\n\n\"http\": }"), Contains("settings.json:3: is not JSON"));
  CHECK_THAT(file_fault("[1]"), Contains("list in its list") || Contains("is not"));
  CHECK_THAT(file_fault("12"), Contains("is not an object"));
  CHECK_THAT(file_fault(""), Contains("is not JSON"));
  CHECK_THAT(file_fault("{\"http\": {\"listen\": \"a:1\"}, \"http.listen\": \"b:1\"}"), Contains("http.listen is set twice in this file"));
  CHECK_THAT(file_fault("{\"http\": {\"threads\": 1},\n\"http\": {\"listen\": \"a:1\"}}"),
             Contains("settings.json:2: http is set twice in this file"));
  CHECK_THAT(file_fault("{\"http\": {\"threads\": 1,\n\"threads\": 1}}"),
             Contains("settings.json:2: http.threads is set twice in this file"));
  CHECK_THAT(file_fault(std::string(100, '[')), Contains("settings.json:1"));
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "{\"a\":";
  CHECK_THAT(file_fault(deep), Contains("nested too deep"));
  CHECK_THAT(file_fault("{\"a\n\": 1}"), !Contains("\n"));
  CHECK_THAT(fault({"/nonexistent/settings.json", {}, {}}), Contains("/nonexistent/settings.json: cannot be read"));
}

TEST_CASE("settings: a secret may be in a file, and is never shown") {
  const scratch s;
  const auto path = s.write("token", "s3cret\n").string();
  const auto v = load(sample_settings(), {{}, {{"CREMA_HTTP__MANAGEMENT_TOKEN_FILE", path}}, {}});
  CHECK(v.get_text("http.managementToken") == "s3cret");
  CHECK_THAT(explain_text(v), !Contains("s3cret") && Contains("********") && Contains(path));
  CHECK(explain_json(v).dump().find("s3cret") == std::string::npos);

  const auto from_file =
      load(sample_settings(), {s.write("settings.json", R"({"http": {"managementTokenFile": ")" + path + "\"}}"), {}, {}});
  CHECK(from_file.get_text("http.managementToken") == "s3cret");
  CHECK_THAT(fault({{}, {}, {{"http.managementTokenFile", "/nonexistent", "--set"}}}),
             Contains("--set: http.managementTokenFile names /nonexistent, which cannot be read"));
  CHECK_THAT(fault({{}, {}, {{"http.managementTokenFile", s.directory.string(), "--set"}}}), Contains("cannot be read"));
  const auto empty = s.write("empty", "\n").string();
  CHECK_THAT(fault({{}, {}, {{"http.managementTokenFile", empty, "--set"}}}), Contains("http.managementToken") && Contains("is empty"));
  CHECK_THAT(fault({{}, {}, {{"http.managementToken", "", "--set"}}}), Contains("http.managementToken is set, but is empty"));
  CHECK_THAT(fault({{}, {{"CREMA_HTTP__MANAGEMENT_TOKEN", ""}}, {}}), Contains("is empty"));
  CHECK_THAT(fault({s.write("empty.json", R"({"http": {"managementToken": ""}})"), {}, {}}), Contains("is empty"));
  CHECK_THAT(fault({{}, {}, {{"http.managementToken", "two words", "--set"}}}), Contains("holds a blank") && !Contains("two words"));
  CHECK_THAT(fault({{}, {}, {{"http.managementToken", std::string(5000, 'x'), "--set"}}}),
             !Contains("xxx") && Contains("http.managementToken is set, but"));
  CHECK_THAT(fault({{}, {}, {{"http.listenFile", path, "--set"}}}), Contains("http.listenFile is not a setting"));
}

TEST_CASE("settings: some must fit together") {
  CHECK(fault({{}, {}, {{"payment.slow.minMs", "400", "--set"}}}) ==
        "--set: payment.slow.minMs is 400, but must be at most payment.slow.maxMs, which is 0");
  CHECK(fault({{}, {{"CREMA_NOTIFY__ADAPTER", "webhook"}}, {}}) ==
        "CREMA_NOTIFY__ADAPTER: notify.adapter is webhook, but notify.webhookUrl is not set");
  for (const std::string url : {"notify.webhookUrl", "trace.otlp.url"}) {
    const auto ca_file = url == "trace.otlp.url" ? std::string("trace.otlp.caFile") : std::string("notify.webhookCaFile");
    const flag file{ca_file, "ca.pem", "--set"};
    const auto in_vain = "--set: " + ca_file + " is set, but " + url + " is not an https:// URL; change that, or leave the file out";
    CHECK(fault({{}, {}, {file}}) == in_vain);
    CHECK(fault({{}, {}, {{url, "http://receiver/", "--set"}, file}}) == in_vain);
    CHECK(fault({{}, {}, {{url, "https://receiver/", "--set"}, file}}) == "none");
    CHECK_THAT(fault({{}, {}, {{url, "ftp://receiver/", "--set"}}}), Contains("must be an http:// or https:// URL"));
  }
}

TEST_CASE("settings: a system gets what it declared, by its own names") {
  const auto v = load(sample_settings(), {{}, {}, {{"bar.autoShip", "false", "--set"}, {"bar.greeting", "Hello", "--set"}}});
  const auto own = v.of_system(sample_system());
  CHECK(std::get<bool>(own.at("autoShip")) == false);
  CHECK(std::get<std::int64_t>(own.at("cups")) == 3);
  CHECK(std::get<std::string>(own.at("greeting")) == "Hello");
  CHECK_THAT(fault({{}, {}, {{"bar.cups", "11", "--set"}}}), Contains("1 … 10"));
}

TEST_CASE("settings: asking for one that is not declared, or as another type, is a bug") {
  const auto v = load(sample_settings(), {});
  CHECK_THROWS_AS(v.get_int("no.such"), std::logic_error);
  CHECK_THROWS_AS(v.get_bool("node.partitions"), std::logic_error);
}

TEST_CASE("settings: explain names every setting with default, bounds, value and origin") {
  const auto v = load(sample_settings(), {{}, {}, {{"payment.bulkhead.callTimeoutMs", "610", "--set"}}});
  const auto text = explain_text(v);
  for (const auto& d : v.declared().all()) CHECK_THAT(text, Contains("\n" + d.name + " = ") && Contains(d.meaning));
  CHECK_THAT(text, Contains("payment.bulkhead.callTimeoutMs = 610 ms    (--set)"));
  CHECK_THAT(text, Contains("a whole number, 1 … 60000 ms; default 2000 ms; CREMA_PAYMENT__BULKHEAD__CALL_TIMEOUT_MS"));
  const auto json = explain_json(v);
  CHECK(json.size() == v.declared().all().size());
}

TEST_CASE("settings: OpenTelemetry's variables are weaker than file, environment and flags, and stronger than the default") {
  const scratch s;
  sources from;
  const auto url = [&] { return load(sample_settings(), from).get_text("trace.otlp.url"); };
  CHECK(url().empty());
  from.environment = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"},
                      {"OTEL_SERVICE_NAME", "shop"},
                      {"OTEL_RESOURCE_ATTRIBUTES", "team=blue, deployment.environment.name=test"}};
  CHECK(url() == "http://collector:4318/v1/traces");
  const auto v = load(sample_settings(), from);
  CHECK(v.origin("trace.otlp.url") == "OTEL_EXPORTER_OTLP_ENDPOINT");
  CHECK(v.get_text("trace.serviceName") == "shop");
  CHECK(v.get_list("trace.resourceAttributes") == std::vector<std::string>{"team=blue", "deployment.environment.name=test"});
  from.environment.emplace_back("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4318/take/them");
  CHECK(url() == "http://traces:4318/take/them");
  from.environment.back().second = "";
  CHECK(url() == "http://collector:4318/v1/traces");
  from.file = s.write("a.json", R"({"trace": {"otlp": {"url": "http://file/"}}})");
  CHECK(url() == "http://file/");
  from.environment.emplace_back("CREMA_TRACE__OTLP__URL", "http://environment/");
  CHECK(url() == "http://environment/");
  from.flags.push_back({"trace.otlp.url", "", "--set"});
  CHECK(url().empty());
}

TEST_CASE("settings: OpenTelemetry's variables are checked as settings are, and named where they are wrong") {
  sources from;
  from.environment = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "grpc:4317"}};
  CHECK_THROWS_WITH(load(sample_settings(), from), Catch::Matchers::StartsWith("OTEL_EXPORTER_OTLP_ENDPOINT: trace.otlp.url is "));
}

TEST_CASE("settings: the process's environment is read") {
  ::setenv("CREMA_TEST_VARIABLE", "a=b", 1);
  const auto all = process_environment();
  CHECK(std::find(all.begin(), all.end(), std::pair<std::string, std::string>("CREMA_TEST_VARIABLE", "a=b")) != all.end());
  ::unsetenv("CREMA_TEST_VARIABLE");
}

}  // namespace
}  // namespace crema::config
