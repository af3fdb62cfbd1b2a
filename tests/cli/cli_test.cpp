#include "cli/cli.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/canned_node.hpp"

namespace crema::cli {
namespace {

using Catch::Contains;

struct outcome_of_run {
  int code = 0;
  std::string out, err;
};

struct seen {
  std::optional<serve_options> serve;
  std::optional<verify_options> verify;
  std::optional<restore_options> restore;
};

outcome_of_run crema(std::vector<std::string> words, seen* what = nullptr) {
  actions does;
  does.systems = {"cafeteria", "hotel"};
  does.settings = [](const std::string&) { return config::runtime_settings(); };
  does.serve = [&](const serve_options& o) {
    if (what != nullptr) what->serve = o;
    return 0;
  };
  does.verify = [&](const verify_options& o) {
    if (what != nullptr) what->verify = o;
    return 1;
  };
  does.restore = [&](const restore_options& o) {
    if (what != nullptr) what->restore = o;
    return 0;
  };
  std::vector<const char*> argv{"crema"};
  for (const auto& w : words) argv.push_back(w.c_str());
  std::ostringstream out, err;
  const int code = run(static_cast<int>(argv.size()), argv.data(), does, out, err);
  return {code, out.str(), err.str()};
}

TEST_CASE("cli: help teaches with examples and is a success") {
  const auto r = crema({"--help"});
  CHECK(r.code == 0);
  for (const auto* command : {"serve", "context", "events", "verify", "backup", "restore", "deadletters", "fault", "config", "version"})
    CHECK_THAT(r.out, Contains(command));
  CHECK_THAT(r.out, Contains("Examples:"));
  CHECK_THAT(crema({"serve", "--help"}).out, Contains("--listen") && Contains("Examples:"));
  CHECK_THAT(crema({"context", "stop", "--help"}).out, Contains("NAME"));
}

TEST_CASE("cli: a wrong command line is usage, with the nearest right command") {
  CHECK(crema({}).code == 2);
  const auto r = crema({"srve"});
  CHECK(r.code == 2);
  CHECK(r.err == "crema: srve is not a command; did you mean: crema serve\n");
  CHECK(crema({"context"}).code == 2);
  CHECK(crema({"context", "stop"}).code == 2);
  CHECK(crema({"deadletters", "drop", "x"}).code == 2);
  const auto option = crema({"serve", "--nonsense", "hotel"});
  CHECK(option.code == 2);
  CHECK(option.err == "crema: --nonsense is not an option of crema serve; see crema serve --help\n");
  CHECK(crema({"serve", "--listne=:80"}).err == "crema: --listne is not an option of crema serve; did you mean --listen\n");
  CHECK(crema({"serve", "--port", "80"}).err == "crema: --port is not an option of crema serve; see crema serve --help\n");
  CHECK(crema({"context", "stop", "sale", "--ulr", "x"}).err ==
        "crema: --ulr is not an option of crema context stop; did you mean --url\n");
  CHECK(crema({"serve", "bakery"}).code == 2);
}

TEST_CASE("cli: serve hands over the system and its settings") {
  seen s;
  CHECK(crema({"serve", "hotel", "--listen", "0.0.0.0:9000", "--data", "/tmp/x", "--set", "log.level=debug", "--set", "runtime.idleMs=100"},
              &s)
            .code == 0);
  REQUIRE(s.serve);
  CHECK(s.serve->system == "hotel");
  CHECK(s.serve->settings.get_text("http.listen") == "0.0.0.0:9000");
  CHECK(s.serve->settings.origin("http.listen") == "--listen");
  CHECK(s.serve->settings.get_text("data.directory") == "/tmp/x");
  CHECK(s.serve->settings.get_int("runtime.idleMs") == 100);

  s = {};
  CHECK(crema({"serve", "--set", "log.level=debug", "hotel"}, &s).code == 0);
  REQUIRE(s.serve);
  CHECK(s.serve->system == "hotel");
  CHECK(crema({"serve"}, &s).code == 0);
  CHECK(s.serve->system == "cafeteria");
}

TEST_CASE("cli: a wrong setting is one line, and nothing starts") {
  seen s;
  const auto r = crema({"serve", "--set", "runtime.idelMs=1"}, &s);
  CHECK(r.code == 2);
  CHECK(r.err == "crema: --set: runtime.idelMs is not a setting; the nearest is runtime.idleMs\n");
  CHECK_FALSE(s.serve);
  CHECK(crema({"serve", "--set", "log.level"}).err == "crema: --set log.level: must be NAME=VALUE\n");
  CHECK_THAT(crema({"serve", "--config", "/nonexistent.json"}).err, Contains("/nonexistent.json: cannot be read"));
}

TEST_CASE("cli: verify and restore hand over their options and give back the exit code") {
  seen s;
  CHECK(crema({"verify", "--data", "/tmp/x", "--rebuild-views"}, &s).code == 1);
  REQUIRE(s.verify);
  CHECK(s.verify->rebuild_views);
  CHECK(s.verify->settings.get_text("data.directory") == "/tmp/x");

  CHECK(crema({"restore", "/backup", "--to", "4711"}, &s).code == 0);
  CHECK(s.restore->to_sequence == 4711U);
  CHECK_FALSE(s.restore->to_time);
  CHECK(crema({"restore", "/backup", "--to", "1970-01-01T00:00:01.500Z", "--system", "hotel"}, &s).code == 0);
  CHECK(s.restore->to_time == timestamp{1500});
  CHECK(s.restore->system == "hotel");
  CHECK(s.restore->backup == "/backup");
  CHECK(crema({"restore", "/backup", "--to", "yesterday"}).code == 2);
}

TEST_CASE("cli: config explain prints values with their origin") {
  CHECK_THAT(crema({"config", "explain", "--set", "runtime.idleMs=100"}).out, Contains("runtime.idleMs = 100 ms    (--set)"));
  CHECK(nlohmann::json::parse(crema({"config", "explain", "--json"}).out).size() > 50);
  CHECK_THAT(crema({"version"}).out, Contains("crema "));
}

TEST_CASE("cli: supervisors as a tree, in which the healthy ones of a kind are one line") {
  const std::string body = R"({"name":"root","strategy":"one_for_one","intensity":10,"periodMs":10000,"children":[
    {"name":"drink","state":"running","running":false,"awake":0,"mailbox":0,"restarts":0,"entityAndChildRestarts":0,"children":[]},
    {"name":"payment","state":"running","running":true,"awake":3,"mailbox":1,"restarts":0,"entityAndChildRestarts":2,"children":[
      {"name":"bulkhead","state":"running","restarts":0},
      {"name":"partition-0","state":"running","restarts":0},
      {"name":"partition-1","state":"running","restarts":0},
      {"name":"partition-2","state":"restarting","restarts":2,"lastFailure":"a bad\nday"},
      {"name":"partition-3","state":"running","restarts":0}]},
    {"name":"timers","state":"running","restarts":0}]})";
  canned_node node("200 OK", body);
  const auto tree = crema({"supervisors", "--url", node.url()});
  CHECK(tree.code == 0);
  CHECK_THAT(node.request(), Catch::Matchers::StartsWith("GET /actuator/supervisors "));
  CHECK(tree.out ==
        "root  one_for_one, gives up beyond 10 restarts in 10000 ms\n"
        "├─ drink  stopped, 0 awake\n"
        "├─ payment  running, 3 awake, 1 message waits, 2 restarts\n"
        "│  ├─ bulkhead  running\n"
        "│  ├─ partition-…  2 running\n"
        "│  ├─ partition-2  restarting, 2 restarts, last failure: a bad day\n"
        "│  └─ partition-3  running\n"
        "└─ timers  running\n");
  const std::string troubled = R"({"name":"root","strategy":"one_for_one","intensity":10,"periodMs":10000,"restartsInPeriod":1,"children":[
    {"name":"payment","state":"running","lifetime":"permanent","running":true,"awake":7,"mailbox":0,"restarts":0,"entityAndChildRestarts":2,
     "strategy":"one_for_one","intensity":10,"periodMs":10000,"restartsInPeriod":2,"children":[
      {"name":"partition-0","state":"running","lifetime":"permanent","restarts":0,"awake":3},
      {"name":"partition-1","state":"running","lifetime":"permanent","restarts":0,"awake":4},
      {"name":"partition-2","state":"restarting","lifetime":"permanent","restarts":2,"backoffMs":40,"awake":0,"lastFailure":"killed"}]},
    {"name":"helper","state":"ended","lifetime":"temporary","restarts":0}]})";
  canned_node in_trouble("200 OK", troubled);
  CHECK(crema({"supervisors", "--url", in_trouble.url()}).out ==
        "root  one_for_one, gives up beyond 10 restarts in 10000 ms; lately 1\n"
        "├─ payment  running, 7 awake, 2 restarts, of its children 2 of 10 in 10 s\n"
        "│  ├─ partition-…  2 running, 7 awake\n"
        "│  └─ partition-2  restarting in 40 ms, 0 awake, 2 restarts, last failure: killed\n"
        "└─ helper  ended, temporary\n");
  canned_node again("200 OK", body);
  CHECK_THAT(crema({"supervisors", "--all", "--url", again.url()}).out, Contains("├─ partition-0  running\n") && !Contains("…"));
  canned_node json("200 OK", body);
  CHECK(nlohmann::json::parse(crema({"supervisors", "--json", "--url", json.url()}).out)["children"].size() == 3);
  canned_node other("200 OK", "<html>");
  CHECK_THAT(crema({"supervisors", "--url", other.url()}).err, Contains("is it a crema?"));
}

TEST_CASE("cli: without a node, the operator is told how to start one") {
  const auto r = crema({"context", "list", "--url", "http://127.0.0.1:1"});
  CHECK(r.code == 1);
  CHECK_THAT(r.err, Contains("No crema answers at http://127.0.0.1:1 (") && Contains("Start one with: crema serve"));
  CHECK(crema({"context", "list", "--url", "ftp://x"}).code == 2);
}

TEST_CASE("cli: contexts as a table, or as JSON") {
  const std::string body =
      R"([{"name":"order","state":"running","awake":3,"outbox":0},{"name":"payment","state":"stopped","awake":0,"outbox":12}])";
  {
    canned_node node("200 OK", body);
    const auto r = crema({"context", "list", "--url", node.url(), "--token", "t0ken"});
    CHECK(r.out == "name     state    awake  outbox\norder    running  3      0\npayment  stopped  0      12\n");
    CHECK_THAT(node.request(), Contains("GET /actuator/contexts HTTP/1.1") && Contains("Authorization: Bearer t0ken"));
  }
  canned_node node("200 OK", body);
  CHECK(nlohmann::json::parse(crema({"context", "list", "--json", "--url", node.url()}).out).size() == 2);
}

TEST_CASE("cli: stop and start, dead letters and backup are the calls of the actuator") {
  const auto request_of = [](std::vector<std::string> words) {
    canned_node node("200 OK", "{}");
    words.insert(words.end(), {"--url", node.url() + "/prefix/"});
    CHECK(crema(words).code == 0);
    return node.request();
  };
  CHECK_THAT(request_of({"context", "stop", "drink"}), Contains("POST /prefix/actuator/contexts/drink/stop HTTP/1.1"));
  CHECK_THAT(request_of({"context", "start", "a/b"}), Contains("POST /prefix/actuator/contexts/a%2Fb/start HTTP/1.1"));
  CHECK_THAT(request_of({"deadletters", "replay", "3"}), Contains("POST /prefix/actuator/deadletters/3/replay HTTP/1.1"));
  CHECK_THAT(request_of({"deadletters", "drop", "3"}), Contains("DELETE /prefix/actuator/deadletters/3 HTTP/1.1"));
  CHECK_THAT(request_of({"backup", "/var/x"}), Contains("POST /prefix/actuator/backup HTTP/1.1") && Contains(R"({"directory":"/var/x"})"));
  CHECK_THAT(request_of({"events", "--from", "5", "--follow", "--type", "A B"}),
             Contains("GET /prefix/events?from=5&follow=true&type=A%20B HTTP/1.1"));
}

TEST_CASE("cli: a fault is what its options say, in the node's fields") {
  canned_node node("201 Created", R"({"id": 3, "target": "payment", "kind": "slow"})");
  const auto r = crema({"fault", "add", "payment", "--kind", "slow", "--delay", "400-620", "--for", "30s", "--rate", "0.5", "--note",
                        "a drill", "--token", "t", "--url", node.url()});
  CHECK(r.code == 0);
  CHECK(r.out == "Fault 3 is on: slow at payment. Remove it with: crema fault clear 3\n");
  const auto sent = node.request();
  CHECK_THAT(sent, Contains("POST /actuator/faults ") && Contains("Authorization: Bearer t"));
  CHECK(nlohmann::json::parse(sent.substr(sent.find("\r\n\r\n"))) == nlohmann::json({{"target", "payment"},
                                                                                     {"kind", "slow"},
                                                                                     {"rate", 0.5},
                                                                                     {"durationMs", 30000},
                                                                                     {"delayMinMs", 400},
                                                                                     {"delayMaxMs", 620},
                                                                                     {"note", "a drill"}}));
  canned_node back("201 Created", R"({"id": 4})");
  CHECK(crema({"fault", "add", "node", "--kind", "jump", "--by=-90s", "--url", back.url()}).code == 0);
  CHECK_THAT(back.request(), Contains("\"byMs\":-90000"));
}

TEST_CASE("cli: faults are listed as a table, and cleared one by one or all") {
  canned_node listing("200 OK", R"([{"id":1,"target":"order->payment","kind":"drop","fired":7,"rate":0.1,"state":"on","seed":5}])");
  const auto r = crema({"fault", "list", "--url", listing.url()});
  CHECK_THAT(r.out, Contains("id") && Contains("order->payment") && Contains("fired"));
  canned_node none("200 OK", "[]");
  CHECK(crema({"fault", "list", "--url", none.url()}).out == "There are no faults.\n");
  canned_node one("204 No Content", "");
  CHECK(crema({"fault", "clear", "3", "--url", one.url()}).out == "Fault 3 is removed.\n");
  CHECK_THAT(one.request(), Contains("DELETE /actuator/faults/3 "));
  canned_node all("200 OK", R"({"removed":2})");
  CHECK(crema({"fault", "clear", "--url", all.url()}).out == "No faults are left.\n");
  CHECK_THAT(all.request(), Contains("DELETE /actuator/faults "));
}

TEST_CASE("cli: a fault whose options cannot be read is usage, with the fix") {
  CHECK(crema({"fault", "add", "payment"}).code == usage);
  const auto unit = crema({"fault", "add", "payment", "--kind", "hang", "--for", "30"});
  CHECK(unit.code == usage);
  CHECK_THAT(unit.err, Contains("--for 30") && Contains("30s"));
  const auto range = crema({"fault", "add", "payment", "--kind", "slow", "--delay", "4oo"});
  CHECK(range.code == usage);
  CHECK_THAT(range.err, Contains("--delay 4oo") && Contains("400-620"));
  CHECK_THAT(crema({"fault", "add", "--help"}).out, Contains("order->payment") && Contains("Examples:"));
  canned_node disabled("404 Not Found", R"({"detail":"Faults are not enabled on this node."})");
  CHECK_THAT(crema({"fault", "list", "--url", disabled.url()}).err, Contains("not enabled"));
}

TEST_CASE("cli: a refusal is told in the node's words") {
  canned_node node("404 Not Found", R"({"title":"Not Found","status":404,"detail":"There is no context coffee."})");
  const auto r = crema({"context", "stop", "coffee", "--url", node.url()});
  CHECK(r.code == 1);
  CHECK(r.err == "crema: " + node.url() + " answered 404: There is no context coffee.\n");
}

TEST_CASE("cli: events are printed one a line, without what could drive a terminal") {
  const std::string body =
      "{\"eventType\":\"Ordered\",\"timestamp\":\"20210119130159\",\"offset\":7,\"context\":\"order\",\"traceId\":\"x\",\"productName\":"
      "\"a\\u001b[2Jb\",\"qty\":2}\n\n"
      "{\"eventType\":\"Made\",\"timestamp\":\"20210119130200\",\"offset\":8,\"context\":\"drink\"}";
  {
    canned_node node("200 OK", body);
    CHECK(crema({"events", "--url", node.url()}).out ==
          "7  2021-01-19 13:01:59  order  Ordered  productName=a\\u001b[2Jb  qty=2\n8  2021-01-19 13:02:00  drink  Made\n");
  }
  canned_node cut("200 OK", body.substr(0, body.find('\n') + 1), 1000);
  const auto r = crema({"events", "--url", cut.url()});
  CHECK(r.code == 1);
  CHECK_THAT(r.err, Contains("ended before the answer did") && Contains("Go on with --from 8"));
  canned_node known("200 OK\r\ncrema-history: 00000000000feed1", body.substr(0, body.find('\n') + 1), 1000);
  CHECK_THAT(crema({"events", "--url", known.url()}).err, Contains("Go on with --from 00000000000feed1-8"));
  canned_node asked("410 Gone", R"({"detail": "It is of another history."})");
  const auto gone = crema({"events", "--from", "00000000000feed1-8", "--url", asked.url()});
  CHECK(gone.code == 1);
  CHECK_THAT(gone.err, Contains("answered 410: It is of another history."));
  CHECK_THAT(asked.request(), Contains("GET /events?from=00000000000feed1-8 HTTP/1.1"));
}

TEST_CASE("cli: undos that fail stand below their context") {
  canned_node node("200 OK", R"({"name": "root", "strategy": "one_for_one", "intensity": 10, "periodMs": 10000, "children": [
    {"name": "payment", "state": "running", "undos": [{"aggregate": "payment/11", "undo": "void_payment", "tries": 7,
     "since": "2021-01-19T13:01:59Z", "nextTryInMs": 3200, "lastError": "it threw"}]}]})");
  CHECK_THAT(crema({"supervisors", "--url", node.url()}).out,
             Contains("└─ payment  running\n   ! undo of payment/11 (void_payment) failed 7 times, open since 2021-01-19T13:01:59Z, next try in "
                      "3.2 s: it threw\n"));
}

TEST_CASE("cli: dead letters tell which may be sent again, and why not") {
  canned_node node("200 OK", R"([{"id": 3, "context": "payment", "aggregate": 11, "kind": "ask", "message": "approve_payment",
    "state": "given up", "error": "it threw", "attempts": 5, "at": "2021-01-19T13:01:59Z", "reason": "it is an ask."}])");
  CHECK_THAT(crema({"deadletters", "list", "--url", node.url()}).out,
             Contains("approve_payment") && Contains("given up") && Contains("it threw") && Contains("it is an ask."));
}

TEST_CASE("cli: something that is no crema is recognised") {
  canned_node node("200 OK", "<html>");
  CHECK_THAT(crema({"deadletters", "list", "--url", node.url()}).err, Contains("is it a crema?"));
}

TEST_CASE("cli: no dead letters is said so") {
  canned_node node("200 OK", R"({"deadLetters": []})");
  CHECK(crema({"deadletters", "list", "--url", node.url()}).out == "There are no dead letters.\n");
}

}  // namespace
}  // namespace crema::cli
