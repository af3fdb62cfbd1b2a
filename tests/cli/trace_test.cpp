#include "cli/trace.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/canned_node.hpp"

namespace crema::cli {
namespace {

using Catch::Contains;
using nlohmann::json;

const json order =
    json::parse(R"({"aggregate":"order/1","complete":true,"durationMs":40,"startedAt":"2021-02-25T04:28:24.716+0000","steps":[
  {"aggregate":"order/1","cause":"request","state":"recorded","events":["Ordered"],"handledMs":10,"committedMs":20,"traceId":"4bf9","steps":[
    {"aggregate":"payment/1","cause":"ask","state":"recorded","events":["PaymentApproved"],"queuedMs":0,"handledMs":5,"steps":[]},
    {"aggregate":"drink/1","cause":"message","state":"recorded","message":"make_drink","events":["DrinkOrdered"],"queuedMs":10,"handledMs":40,
     "failedTries":2,"notes":["fault=7"],"steps":[]},
    {"aggregate":"shadow/1","cause":"message","state":"dead","message":"note","events":[],"queuedMs":10,"handledMs":30,
     "deadLetter":{"id":12,"attempts":5},"steps":[]},
    {"aggregate":"sale","cause":"message","state":"waiting","message":"count_sale","queuedMs":10,"steps":[]}]}]})");

TEST_CASE("cli: a causal tree is drawn with its times, in ASCII for a file and as wide as it is told") {
  CHECK(drawn_tree(order, {92, false}) ==
        "2021-02-25T04:28:24.716+0000, 40 ms, trace 4bf9\n"
        "order/1  Ordered                                                +10 ms      ######\n"
        "|- payment/1  asked -> PaymentApproved                           +5 ms  ..#\n"
        "|- drink/1  make_drink -> DrinkOrdered [2 failed tries, f..     +40 ms      ...............#\n"
        "|- shadow/1  note [dead letter 12 after 5 tries]                +30 ms      ..........#\n"
        "`- sale  count_sale [waits]\n");
}

TEST_CASE("cli: a causal tree on a terminal has lines and blocks, and no row is wider than the terminal") {
  for (const std::size_t columns : {60U, 100U, 160U}) {
    const auto drawn = drawn_tree(order, {columns, true});
    CHECK_THAT(drawn, Contains("├─ payment/1  asked → PaymentAppro") && Contains("█") && Contains("░"));
    std::istringstream rows(drawn);
    for (std::string row; std::getline(rows, row);) {
      const auto wide = std::count_if(row.begin(), row.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
      CHECK(static_cast<std::size_t>(wide) <= columns);
    }
  }
}

TEST_CASE("cli: a causal tree of no length, of long waits, and one that is not complete") {
  json one = json::parse(R"({"startedAt":"2021-02-25T04:28:24.716+0000","complete":false,
    "steps":[{"aggregate":"a/1","cause":"request","state":"recorded","events":[],"handledMs":0,"steps":[]}]})");
  CHECK(drawn_tree(one, {60, false}) ==
        "2021-02-25T04:28:24.716+0000, 0 ms\na/1  no change      +0 ms  #\n\n"
        "A limit was met: older conversations or late messages are missing.\n");
  one["steps"][0]["steps"] = json::parse(R"([{"aggregate":"a/1","cause":"timer","state":"recorded","message":"ring","handledMs":90000,
    "queuedMs":90000,"events":["Rung"],"steps":[]}])");
  CHECK_THAT(drawn_tree(one, {60, false}), Contains("`- a/1  timer ring -> Rung    +90.0 s"));
}

TEST_CASE("cli: a causal tree as a Mermaid diagram: partners answer before who asked them notes its event") {
  CHECK(mermaid_diagram(order) ==
        "sequenceDiagram\n  participant client\n  participant p0 as order/1\n  participant p1 as payment/1\n"
        "  participant p2 as drink/1\n  participant p3 as shadow/1\n  participant p4 as sale\n"
        "  client->>p0: request\n  p0->>+p1: ask\n  Note over p1: PaymentApproved\n  p1-->>-p0: reply\n  Note over p0: Ordered\n"
        "  p0-)p2: make_drink\n  Note over p2: DrinkOrdered, 2 failed tries, fault=7\n"
        "  p0-)p3: note\n  Note over p3: dead letter 12 after 5 tries\n"
        "  p0-)p4: count_sale\n  Note over p4: waits\n");
  const auto hostile = json::parse(R"({"steps":[{"aggregate":"a;x/1","cause":"request","state":"recorded","events":["E;#"],"steps":[]}]})");
  CHECK_THAT(mermaid_diagram(hostile), Contains("as a,x/1") && Contains("E,,"));
}

struct result {
  int code;
  std::string out, err;
};

result trace(const std::string& aggregate, const std::string& url) {
  std::ostringstream out, err;
  const int code = show_trace(http_client(url, ""), {out, err}, {}, aggregate, false);
  return {code, out.str(), err.str()};
}

TEST_CASE("cli: an aggregate is named by its context and number, with its system before them where there are several") {
  for (const auto* wrong : {"order", "order/x", "/7", "order/"}) {
    const auto r = trace(wrong, "http://127.0.0.1:1");  // nobody is asked
    CHECK(r.code == 2);
    CHECK_THAT(r.err, Contains("crema trace order/11"));
  }
  const std::string info = R"({"collections":{"order":"orders"}})";
  canned_node one("200 OK", info);
  const auto misspelt = trace("ordre/1", one.url());
  CHECK(misspelt.code == 1);
  CHECK_THAT(misspelt.err, Contains("did you mean order?"));
  CHECK_THAT(one.request(), Catch::Matchers::StartsWith("GET /actuator/info "));
  canned_node several("200 OK", info);
  CHECK(trace("hotel/pay/3", several.url()).code == 1);
  CHECK_THAT(several.request(), Catch::Matchers::StartsWith("GET /hotel/actuator/info "));
}

}  // namespace
}  // namespace crema::cli
