// Routes, HAL, commands and problems, without a socket.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "http/feed.hpp"
#include "http/router.hpp"
#include "tests/http/fake_front_door.hpp"
#include "tests/support/source_directory.hpp"

using namespace crema;
using namespace crema::http;
using nlohmann::json;

namespace {

struct setup {
  fake::door door;
  server_settings settings;
  std::string prefix;
  std::optional<router> routes;

  router& get() {
    if (!routes) routes.emplace(settings, door, prefix);
    return *routes;
  }
  request make(method m, std::string target, std::string body = {}) {
    request r;
    r.verb = m;
    r.target = std::move(target);
    r.body = std::move(body);
    r.host = r.target.starts_with("/actuator") || r.target == "/makeZombie" ? "localhost:1" : "h:1";  // for who may manage
    r.remote_address = "127.0.0.1";
    r.content_type = "application/json";
    r.remote_address = "127.0.0.1";
    return r;
  }
  response run(const request& r) {
    auto a = get().route(r);
    if (auto* done = std::get_if<response>(&a.what)) return *done;
    if (auto* later = std::get_if<background_plan>(&a.what)) return later->run();
    if (auto* op = std::get_if<operation_plan>(&a.what)) {
      response answer;
      op->start([&](const make_response& made) { answer = made(r); });
      return answer;
    }
    auto& plan = std::get<ask_plan>(a.what);
    response answer;
    door.ask(plan.command, [&](const command_answer& got) { answer = get().answered(r, plan, got); });
    return answer;
  }
  response run(method m, std::string target, std::string body = {}) { return run(make(m, std::move(target), std::move(body))); }
};

const std::string order = R"({"phoneNumber":"010","qty":"2"})";

}  // namespace

TEST_CASE("router: POST answers 201 with Location, ETag and links") {
  setup s;
  const auto r = s.run(method::post, "/cups", order);
  CHECK(r.status == 201);
  CHECK(r.content_type == content::hal);
  CHECK(r.version == 1);
  CHECK(r.headers == "Location: http://h:1/cups/1\r\n");
  CHECK(json::parse(r.body) == json::parse(R"({"phoneNumber":"010","qty":2,"status":"Ordered",
    "_links":{"self":{"href":"http://h:1/cups/1"},"cup":{"href":"http://h:1/cups/1"}}})"));
}

TEST_CASE("router: bodies that cannot be read") {
  setup s;
  CHECK(s.run(method::post, "/cups", "").status == 400);
  CHECK(s.run(method::post, "/cups", "{").status == 400);
  CHECK(s.run(method::post, "/cups", "[]").status == 400);
  CHECK(s.run(method::post, "/cups", "{\"phoneNumber\":\"\xff\"}").status == 400);
  CHECK(s.run(method::post, "/cups", "{\"qty\":1e999}").status == 400);
  CHECK(s.run(method::post, "/cups", "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}").status == 400);
  CHECK(s.run(method::post, "/cups", R"({"phoneNumber":"010","qty":[1]})").status == 400);
  auto r = s.make(method::post, "/cups", order);
  r.content_type = "text/plain";
  CHECK(s.run(r).status == 415);
  CHECK(s.run(r).headers == "Accept: application/json, application/hal+json\r\n");
  r.content_type = "application/json";
  r.content_encoding = "gzip";
  CHECK(s.run(r).status == 415);
  CHECK(s.run(r).headers == "Accept-Encoding: identity\r\n");
}

TEST_CASE("router: a JSON Patch is not taken for a document, and PATCH says what it takes") {
  setup s;
  s.door.put("010", 1);
  const std::string accept_patch = "Accept-Patch: application/merge-patch+json, application/json\r\n";
  auto r = s.make(method::patch, "/cups/1", R"([{"op":"replace","path":"/status","value":"OrderCanceled"}])");
  r.content_type = "application/json-patch+json";
  CHECK(s.run(r).status == 415);
  CHECK(s.run(r).headers == accept_patch);
  CHECK(s.run(method::options, "/cups/1").headers == "Allow: GET, HEAD, OPTIONS, PATCH, DELETE\r\n" + accept_patch);
  r.body = R"({"status":"OrderCanceled"})";
  CHECK(s.run(r).status == 415);
  CHECK(s.door.asked.empty());
  r.content_type = "application/merge-patch+json";
  CHECK(s.run(r).status == 200);
}

TEST_CASE("router: values that are not acceptable name their field") {
  setup s;
  CHECK(json::parse(s.run(method::post, "/cups", R"({"qty":1})").body)["field"] == "phoneNumber");
  const auto unknown = s.run(method::post, "/cups", R"({"phoneNumber":"010","qty":1,"phoneNumbr":"1"})");
  CHECK(unknown.status == 422);
  CHECK(json::parse(unknown.body)["detail"].get<std::string>().find("phoneNumber") != std::string::npos);
  CHECK(s.run(method::post, "/cups", R"({"phoneNumber":"010","qty":0})").status == 422);
  CHECK(s.door.asked.empty());
}

TEST_CASE("router: PATCH chooses the command by status") {
  setup s;
  s.door.put("010", 1);
  const auto done = s.run(method::patch, "/cups/1", R"({"status":"OrderCanceled"})");
  CHECK(done.status == 200);
  CHECK(json::parse(done.body)["status"] == "OrderCanceled");
  const auto unknown = s.run(method::patch, "/cups/1", R"({"status":"OrderCancelled"})");
  CHECK(unknown.status == 422);
  CHECK(json::parse(unknown.body)["detail"].get<std::string>().find("Did you mean 'OrderCanceled'?") != std::string::npos);
  CHECK(s.run(method::patch, "/cups/1", R"({"status":"OrderCanceled","reason":"late"})").status == 200);
  CHECK(s.run(method::patch, "/cups/1", R"({"status":"OrderCanceled","qty":3})").status == 422);
  CHECK(s.run(method::patch, "/cups/1", R"({"status":7})").status == 400);
  CHECK(s.run(method::patch, "/cups/1", R"({"reason":"x"})").status == 422);
  CHECK(s.run(method::patch, "/cups/9", R"({"status":"OrderCanceled"})").status == 404);
  CHECK(s.run(method::remove, "/cups/1").status == 204);
}

TEST_CASE("router: methods, and what a resource does not take") {
  setup s;
  s.door.put("010", 1);
  const auto put = s.run(method::put, "/cups/1", order);
  CHECK(put.status == 405);
  CHECK(put.headers == "Allow: GET, HEAD, OPTIONS, PATCH, DELETE\r\nAccept-Patch: application/merge-patch+json, application/json\r\n");
  CHECK(s.run(method::options, "/cups").headers == "Allow: GET, HEAD, OPTIONS, POST\r\n");
  CHECK(s.run(method::post, "/mycups", order).status == 405);
  CHECK(s.run(method::patch, "/mycups/1", "{}").status == 405);
  CHECK(s.run(method::other, "/cups").status == 405);
  CHECK(s.run(method::post, "/events").status == 405);
}

TEST_CASE("router: paths that are not there") {
  setup s;
  for (const auto* path : {"/nothing", "/cups/x", "/cups/1", "/cups/0", "/cups/1/2", "/cups/search/nope", "/profile/nope", "/actuator",
                           "/actuator/env", "/isHealthy", "/makeZombie", "/problems/nope", "/mycups/1/events"})
    CHECK(s.run(method::get, path).status == 404);
  CHECK(s.run(method::get, "/cups/%zz").status == 400);
}

TEST_CASE("router: versions as conditions") {
  setup s;
  s.door.put("010", 1);
  CHECK(s.run(method::get, "/cups/1").version == 1);
  CHECK_FALSE(s.run(method::get, "/mycups/1").version);  // those of a view are counted anew when it is rebuilt
  CHECK_FALSE(s.run(method::get, "/cups").version);
  auto change = s.make(method::patch, "/cups/1", R"({"status":"OrderCanceled"})");
  change.if_match = "\"7\"";
  CHECK(s.run(change).status == 412);
  change.if_match = "\"7\", \"8\"";
  CHECK(s.run(change).status == 412);
  change.if_match = "\"7\", \"1\"";
  CHECK(s.run(change).status == 200);
  CHECK(s.door.asked.back().expected_version == 1);
  change.if_match = "W/\"2\"";  // a weak one never matches
  CHECK(s.run(change).status == 412);
  change.if_match = "\"2-h0123456789abcde-gzip\"";  // whichever representation was read: its version counts
  CHECK(s.run(change).status == 200);
  CHECK(s.door.asked.back().expected_version == 2);
  change.if_match = "*";
  CHECK(s.run(change).status == 200);
  change.if_match = "1";
  CHECK(s.run(change).status == 400);
}

TEST_CASE("router: If-None-Match on what changes something") {
  setup s;
  s.door.put("010", 1);
  auto change = s.make(method::patch, "/cups/1", R"({"status":"OrderCanceled"})");
  change.if_none_match = "*";
  CHECK(s.run(change).status == 412);
  CHECK(s.door.asked.empty());
  for (const auto* own : {"\"1\"", "W/\"1-h0123456789abcde\"", "\"7\", \"1\""}) {
    change.if_none_match = own;
    CHECK(s.run(change).status == 412);
  }
  change.if_none_match = "\"7\"";
  CHECK(s.run(change).status == 200);
  CHECK(s.door.asked.back().expected_version == 1);  // it was not 7, and must not become 7 meanwhile
  change.if_match = "\"2\"";
  CHECK(s.run(change).status == 200);
  change.if_none_match = "7";
  CHECK(s.run(change).status == 400);
  change.if_match.clear();
  change.if_none_match = "*";
  change.target = "/cups/9";
  CHECK(s.run(change).status == 404);
}

TEST_CASE("router: who repeats a request under its key gets its answer though the version has moved on") {
  setup s;
  s.door.put("010", 1);
  auto change = s.make(method::patch, "/cups/1", R"({"status":"OrderCanceled"})");
  change.has_idempotency_key = true;
  change.idempotency_key = "k";
  change.if_match = "\"7\", \"8\"";
  (void)s.run(change);
  CHECK(s.door.asked.size() == 1);  // asked, not refused here: only who knows the key can tell
  change.if_match.clear();
  change.if_none_match = "\"1\"";
  (void)s.run(change);
  CHECK(s.door.asked.size() == 2);
}

TEST_CASE("router: idempotency keys are hashed with what they stand for") {
  setup s;
  auto first = s.make(method::post, "/cups", order);
  first.has_idempotency_key = true;
  first.idempotency_key = "k";
  auto other = s.make(method::post, "/cups", R"({"phoneNumber":"010","qty":3})");
  other.has_idempotency_key = true;
  other.idempotency_key = "k";
  s.run(first), s.run(first), s.run(other);
  const auto& asked = s.door.asked;
  CHECK(asked[0].idempotency->key == asked[1].idempotency->key);
  CHECK(asked[0].idempotency->fingerprint == asked[1].idempotency->fingerprint);
  CHECK(asked[0].idempotency->key == asked[2].idempotency->key);
  CHECK(asked[0].idempotency->fingerprint != asked[2].idempotency->fingerprint);
  auto spelled = s.make(method::post, "/cups", R"({ "qty": "2.0", "phoneNumber": "010" })");
  spelled.has_idempotency_key = true;
  spelled.idempotency_key = "k";
  s.run(spelled);
  CHECK(asked.back().idempotency->fingerprint == asked[0].idempotency->fingerprint);
  spelled.idempotency_key_repeats = true;
  CHECK(s.run(spelled).status == 400);
  for (const auto& unusable : {std::string(), std::string(256, 'k'), std::string("\xc3\xa9"), std::string("a\tb")}) {
    first.idempotency_key = unusable;
    CHECK(s.run(first).status == 400);
  }
  first.idempotency_key = "k";
  s.door.replayed = true;
  CHECK(s.run(first).headers.find("Idempotency-Replayed: true") != std::string::npos);
}

TEST_CASE("router: a rejection's kind gives the status") {
  setup s;
  s.door.how = fake::door::mode::refuse;
  const std::pair<rejection_kind, unsigned> expected[] = {
      {rejection_kind::malformed, 400}, {rejection_kind::invalid, 422},   {rejection_kind::not_found, 404},
      {rejection_kind::conflict, 409},  {rejection_kind::stale, 412},     {rejection_kind::overloaded, 503},
      {rejection_kind::stopped, 503},   {rejection_kind::timed_out, 504}, {rejection_kind::failed, 500}};
  for (const auto& [kind, status] : expected) {
    s.door.refusal = {kind, "because", {}, 0};
    const auto r = s.run(method::post, "/cups", order);
    CHECK(r.status == status);
    const auto body = json::parse(r.body);
    CHECK(r.content_type == content::problem);
    CHECK(body["status"] == status);
    CHECK(body["path"] == "/cups");
    CHECK(body["message"] == "because");
    CHECK(body["traceId"].get<std::string>().size() == 32);
    CHECK(s.run(method::get, body["type"].get<std::string>()).status == 200);  // each type has its page
  }
  s.door.refusal = {rejection_kind::overloaded, "busy", {}, 1200};
  CHECK(s.run(method::post, "/cups", order).headers == "Retry-After: 2\r\n");
  s.door.refusal = {rejection_kind::overloaded, "busy", {}, 0};
  CHECK(s.run(method::post, "/cups", order).headers == "Retry-After: 1\r\n");
  s.door.refusal = {rejection_kind::invalid, "used", "Idempotency-Key", 0};
  CHECK(json::parse(s.run(method::post, "/cups", order).body)["type"] == "/problems/idempotency-key-reused");
}

TEST_CASE("router: a collection in pages") {
  setup s;
  for (int i = 0; i < 45; ++i) s.door.put("010", i);
  auto body = json::parse(s.run(method::get, "/cups").body);
  CHECK(body["_embedded"]["cups"].size() == 20);
  CHECK(body["page"] == json{{"size", 20}, {"totalElements", 45}, {"totalPages", 3}, {"number", 0}});
  CHECK(body["_links"].contains("next"));
  CHECK_FALSE(body["_links"].contains("prev"));
  CHECK(body["_links"]["search"]["href"] == "http://h:1/cups/search");
  CHECK(body["_links"]["profile"]["href"] == "http://h:1/profile/cups");
  body = json::parse(s.run(method::get, "/cups?page=2&size=5000").body);
  CHECK(body["page"]["size"] == 1000);
  CHECK(body["_embedded"]["cups"].empty());
  CHECK(s.run(method::get, "/cups?sort=id,desc").status == 200);
  CHECK(s.door.last_page.sort == std::vector<sort_key>{{{}, true}});
  for (const auto* bad : {"page=-1", "page=x", "size=0", "sort=qyt", "sort=qty,up", "sort=qty&sort=nothing"})
    CHECK(s.run(method::get, std::string("/cups?") + bad).status == 400);
}

TEST_CASE("router: several sort parameters count in order, in any case, and an empty one is none") {
  setup s;
  const auto keys = [&](const std::string& query) {
    CHECK(s.run(method::get, "/cups?" + query).status == 200);
    return s.door.last_page.sort;
  };
  using list = std::vector<sort_key>;
  CHECK(keys("sort=qty,desc") == list{{1, true}});
  CHECK(keys("sort=qty,DESC&sort=phoneNumber") == list{{1, true}, {0, false}});
  CHECK(keys("sort=phoneNumber,Asc&sort=qty&sort=phoneNumber,desc") == list{{0, false}, {1, false}});
  CHECK(keys("sort=phoneNumber,qty,desc") == list{{0, true}, {1, true}});
  CHECK(keys("sort=").empty());
  CHECK(keys("sort=,desc&sort=id,%20desc") == list{{{}, true}});
}

TEST_CASE("router: slow queries leave the io thread, others do not") {
  setup s;
  const auto kept = [&](const char* target) {
    const auto r = s.make(method::get, target);
    return std::holds_alternative<response>(s.get().route(r).what);
  };
  CHECK(kept("/cups"));
  CHECK(kept("/cups?sort=id,desc"));
  CHECK_FALSE(kept("/cups?sort=qty"));
  CHECK_FALSE(kept("/cups?page=501"));
  const std::string finder = "/cups/search/findByPhoneNumber?phoneNumber=010";
  CHECK(kept(finder.c_str()));
  CHECK(kept((finder + "&sort=id,desc").c_str()));
  CHECK_FALSE(kept((finder + "&sort=qty").c_str()));
  CHECK_FALSE(kept((finder + "&size=20&page=501").c_str()));
  for (int i = 0; i < 12; ++i) s.door.put("010", i);
  s.settings.deep_offset = 10;
  CHECK(kept((finder + "&size=2").c_str()));
  CHECK_FALSE(kept((finder + "&size=1").c_str()));  // more matches than it may count here
  CHECK(json::parse(s.run(method::get, finder + "&size=1").body)["page"]["totalElements"] == 12);
}

TEST_CASE("router: finders") {
  setup s;
  for (int i = 1; i <= 5; ++i) s.door.put("010", i);
  auto body = json::parse(s.run(method::get, "/cups/search/findByPhoneNumber?phoneNumber=010").body);
  CHECK(body["_embedded"]["cups"].size() == 5);
  CHECK(body["_links"] == json{{"self", {{"href", "http://h:1/cups/search/findByPhoneNumber?phoneNumber=010"}}}});
  CHECK(body["page"] == json{{"size", 1000}, {"totalElements", 5}, {"totalPages", 1}, {"number", 0}});
  body = json::parse(s.run(method::get, "/cups/search/findByPhoneNumber?phoneNumber=010&size=2&sort=id,desc").body);
  CHECK(body["_embedded"]["cups"][0]["qty"] == 5);
  CHECK(body["page"]["totalPages"] == 3);
  CHECK(body["_links"]["next"]["href"] == "http://h:1/cups/search/findByPhoneNumber?page=1&size=2&phoneNumber=010&sort=id,desc");
  CHECK_FALSE(body["_links"].contains("prev"));
  body = json::parse(s.run(method::get, "/cups/search/findByPhoneNumber?phoneNumber=011").body);
  CHECK(body["_embedded"]["cups"] == json::array());
  CHECK(s.run(method::get, "/cups/search/findByPhoneNumber").status == 400);
  CHECK(json::parse(s.run(method::get, "/cups/search").body)["_links"]["findByPhoneNumber"]["href"] ==
        "http://h:1/cups/search/findByPhoneNumber{?phoneNumber,page,size,sort}");

  const auto plain = s.run(method::get, "/mycups/search/findByPhoneNumber?phoneNumber=010&size=2");
  CHECK(plain.content_type == content::json);
  body = json::parse(plain.body);
  REQUIRE(body.size() == 2);
  CHECK(body[0]["id"] == 4);  // the newest two, oldest first
  CHECK(body[1]["id"] == 5);
  CHECK_FALSE(body[0].contains("_links"));
  const auto url = "<http://h:1/mycups/search/findByPhoneNumber?page=";
  CHECK(plain.headers == std::string("Link: ") + url + "0&size=2&phoneNumber=010>; rel=\"first\", " + url +
                             "1&size=2&phoneNumber=010>; rel=\"next\", " + url + "2&size=2&phoneNumber=010>; rel=\"last\"\r\n");
  body = json::parse(s.run(method::get, "/mycups/search/findByPhoneNumber?phoneNumber=010&size=2&sort=id,desc&page=2").body);
  REQUIRE(body.size() == 1);
  CHECK(body[0]["id"] == 1);
  CHECK(s.run(method::get, "/mycups/search/findByPhoneNumber?phoneNumber=010").headers.empty());
}

TEST_CASE("router: what was read can be written back") {
  setup s;
  s.door.put("010", 1);
  const auto read = [&] { return json::parse(s.run(method::get, "/cups/1").body); };
  const auto whole = [&](json change) {
    auto body = read();
    body.update(change);
    return s.run(method::patch, "/cups/1", body.dump());
  };
  CHECK(whole({{"status", "OrderCanceled"}}).status == 200);
  CHECK(s.door.asked.back().read_only.fields.size() == 2);
  CHECK(whole({{"status", "OrderCanceled"}, {"phoneNumber", nullptr}, {"id", 1}, {"_embedded", json::object()}}).status == 200);
  CHECK(whole({{"status", "OrderCanceled"}, {"id", "1"}}).status == 200);
  const auto refused = [&](json change, const char* field) {
    change["status"] = "OrderCanceled";
    const auto answer = whole(std::move(change));
    CHECK(answer.status == 422);
    CHECK(json::parse(answer.body)["field"] == field);
  };
  refused({{"phoneNumber", "011"}}, "phoneNumber");
  refused({{"id", 2}}, "id");
  refused({{"id", true}}, "id");
  refused({{"unknown", nullptr}}, "unknown");
  CHECK(whole({{"status", "OrderCanceled"}, {"qty", "x"}}).status == 400);

  auto fresh = json::parse(order);
  fresh.update({{"_links", json::object()}, {"id", nullptr}, {"status", nullptr}});
  CHECK(s.run(method::post, "/cups", fresh.dump()).status == 201);
  for (const auto& [field, sent] : {std::pair<const char*, json>{"status", "Ordered"}, {"id", 7}}) {
    auto body = fresh;
    body[field] = sent;
    const auto answer = s.run(method::post, "/cups", body.dump());
    CHECK(answer.status == 422);
    CHECK(json::parse(answer.body)["field"] == field);
  }
}

TEST_CASE("router: root, profile, OpenAPI") {
  setup s;
  CHECK(json::parse(s.run(method::get, "/").body)["_links"]["cups"] ==
        json{{"href", "http://h:1/cups{?page,size,sort}"}, {"templated", true}});
  CHECK(json::parse(s.run(method::get, "/profile").body)["_links"]["mycups"]["href"] == "http://h:1/profile/mycups");
  CHECK(json::parse(s.run(method::get, "/profile/cups").body)["properties"].contains("phoneNumber"));
  const auto api = json::parse(s.run(method::get, "/openapi.json").body);
  CHECK(api["openapi"] == "3.1.0");
  CHECK(api["paths"]["/cups/{id}/events"]["get"]["operationId"] == "getCupsByIdEvents");
  CHECK(api["paths"]["/cups"].contains("post"));
  CHECK(api["paths"]["/cups/{id}"].contains("patch"));
  CHECK_FALSE(api["paths"]["/mycups"].contains("post"));
  CHECK(api["paths"].contains("/cups/search/findByPhoneNumber"));
}

TEST_CASE("router: the OpenAPI document has every path, with the methods that it takes") {
  setup s;
  s.settings.faults_enabled = true;
  s.door.put("010", 1);
  const auto paths = json::parse(s.run(method::get, "/openapi.json").body)["paths"];
  for (auto path : s.get().table().templates()) {
    if (path == "unmatched") continue;
    if (const auto at = path.find("{action}"); at != std::string::npos) path.replace(at, 8, "stop");
    INFO(path);
    CHECK(paths.contains(path));
  }
  const std::pair<const char*, const char*> filled[] = {{"{id}", "1"}, {"{name}", "cup"}, {"{slug}", "conflict"}};
  for (const auto& [path, item] : paths.items()) {
    INFO(path);
    auto target = path;
    for (const auto& [name, with] : filled)
      if (const auto at = target.find(name); at != std::string::npos) target.replace(at, std::string_view(name).size(), with);
    const auto allow = s.run(method::options, target).headers + ",";
    REQUIRE(allow.starts_with("Allow: "));
    for (const auto* m : {"get", "post", "put", "patch", "delete"}) {
      INFO(m);
      std::string upper = m;
      std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      const bool allowed = allow.find(" " + upper + ",") != std::string::npos || allow.find(" " + upper + "\r") != std::string::npos;
      CHECK(item.contains(m) == allowed);
    }
  }
  s.routes.reset();
  s.settings.faults_enabled = false;
  CHECK_FALSE(json::parse(s.run(method::get, "/openapi.json").body)["paths"].contains("/makeZombie"));
}

TEST_CASE("router: the schemas say what is answered and what is taken") {
  setup s;
  const auto document = json::parse(s.run(method::get, "/openapi.json").body);
  const auto& schemas = document["components"]["schemas"];
  const auto& row = schemas["cup"];
  CHECK(row["additionalProperties"] == false);
  CHECK(row["required"] == json::array({"phoneNumber", "qty", "status"}));
  CHECK(row["properties"]["qty"] == json{{"type", "integer"}, {"format", "int64"}});
  CHECK(row["properties"]["_links"]["readOnly"] == true);
  const auto& place = schemas["place_cup"];
  CHECK(place["additionalProperties"] == false);
  CHECK(place["required"] == json::array({"phoneNumber", "qty"}));
  CHECK(place["properties"]["qty"]["type"] == json::array({"integer", "string"}));
  CHECK(place["properties"]["status"]["readOnly"] == true);
  const auto& cancel = schemas["cancel_cup"];
  CHECK(cancel["required"] == json::array({"status"}));
  CHECK(cancel["properties"]["status"] == json{{"const", "OrderCanceled"}});
  CHECK(cancel["properties"]["reason"]["type"] == json::array({"string", "integer", "null"}));
  const auto& post = document["paths"]["/cups"]["post"];
  for (const auto* status : {"201", "400", "405", "409", "413", "415", "422", "429", "503"}) CHECK(post["responses"].contains(status));
  CHECK(post["responses"]["201"]["links"].contains("getCupsById"));
  CHECK(document["paths"]["/cups/{id}"]["get"]["responses"].contains("304"));
  CHECK(document["paths"]["/actuator/contexts"]["get"]["security"][0].contains("bearer"));
}

TEST_CASE("router: a prefix is stripped from paths and carried by links") {
  setup s;
  s.prefix = "/cafe";
  s.door.put("010", 1);
  CHECK(json::parse(s.run(method::get, "/cafe/cups/1").body)["_links"]["self"]["href"] == "http://h:1/cafe/cups/1");
}

TEST_CASE("router: behind a proxy's prefix, problems and the document's server carry it") {
  setup s;
  s.prefix = "/cafe";
  auto r = s.make(method::get, "/cafe/nothing");
  r.x_forwarded_prefix = "/shop";
  CHECK(json::parse(s.run(r).body)["path"] == "/cafe/nothing");  // nobody has said that this peer may
  r.trusted_peer = true;
  const auto body = json::parse(s.run(r).body);
  CHECK(body["path"] == "/shop/cafe/nothing");
  CHECK(body["instance"] == "/shop/cafe/nothing");
  CHECK(body["type"] == "/shop/problems/not-found");
  r.target = "/cafe/openapi.json";
  CHECK(json::parse(s.run(r).body)["servers"][0]["url"] == "/shop/cafe");
  CHECK(json::parse(s.run(method::get, "/cafe/openapi.json").body)["servers"][0]["url"] == "/cafe");
}

TEST_CASE("router: plain JSON by Accept") {
  setup s;
  s.door.put("010", 1);
  auto r = s.make(method::get, "/cups/1");
  r.accept = "application/json, */*;q=0.5";
  CHECK(s.run(r).content_type == content::json);
}

TEST_CASE("router: operations and their token") {
  setup s;
  CHECK(json::parse(s.run(method::get, "/actuator/health").body)["status"] == "UP");
  CHECK(s.run(method::get, "/actuator/prometheus").body == "up 1\n");
  CHECK(s.run(method::post, "/actuator/contexts/cup/stop").status == 200);
  CHECK(s.run(method::post, "/actuator/contexts/nope/stop").status == 404);
  CHECK(s.run(method::get, "/actuator/contexts/cup/stop").status == 405);
  CHECK(s.run(method::remove, "/actuator/deadletters/1").status == 204);
  CHECK(s.run(method::post, "/actuator/deadletters/1/replay").status == 200);
  CHECK(s.run(method::post, "/actuator/deadletters/2/replay").status == 404);
  CHECK(s.run(method::post, "/actuator/backup", R"({"directory":"/tmp/x"})").status == 200);
  CHECK(s.run(method::post, "/actuator/backup", R"({})").status == 422);
  s.get().set_draining();
  CHECK(s.run(method::get, "/actuator/health/readiness").status == 503);
  CHECK(s.run(method::get, "/actuator/health/liveness").status == 200);

  setup guarded;
  guarded.settings.management_token = "secret";
  auto r = guarded.make(method::get, "/actuator/contexts");
  CHECK(guarded.run(r).status == 401);
  r.authorization = "Bearer secreT";
  CHECK(guarded.run(r).status == 401);
  r.authorization = "bearer secret";
  CHECK(guarded.run(r).status == 200);
  guarded.get().set_management_token("another");
  CHECK(guarded.run(r).status == 401);
  r.authorization = "Bearer another";
  CHECK(guarded.run(r).status == 200);
  CHECK(guarded.run(method::get, "/actuator/health").status == 200);
}

TEST_CASE("router: the zombie drill exists only with fault injection, and is for those who may manage") {
  setup guarded;
  guarded.settings.faults_enabled = true;
  guarded.settings.management_token = "secret";
  CHECK(guarded.run(method::get, "/makeZombie").status == 401);
  CHECK(guarded.run(method::get, "/isHealthy").status == 200);
  setup s;
  s.settings.faults_enabled = true;
  auto by_a_page = s.make(method::get, "/makeZombie");
  by_a_page.sec_fetch_site = "cross-site";
  CHECK(s.run(by_a_page).status == 403);
  CHECK(s.run(method::get, "/isHealthy").status == 200);
  CHECK(s.run(method::get, "/makeZombie").status == 200);
  CHECK(s.run(method::get, "/isHealthy").status == 500);
  CHECK(s.run(method::get, "/actuator/health/liveness").status == 503);
  CHECK(s.run(method::get, "/makeZombie").status == 200);
  CHECK(s.door.injected.size() == 1);  // one is enough
  CHECK(s.run(method::remove, "/actuator/faults/1").status == 204);
  CHECK(s.run(method::get, "/isHealthy").status == 200);
}

TEST_CASE("router: faults are listed, added and removed where they are enabled, and with the token only") {
  setup off;
  const auto hint = off.run(method::get, "/actuator/faults");
  CHECK(hint.status == 404);
  CHECK(hint.body.find("faults.enabled") != std::string::npos);

  setup s;
  s.settings.faults_enabled = true;
  s.settings.management_token = "secret";
  const auto call = [&](method verb, const std::string& path, const std::string& body = {}) {
    auto r = s.make(verb, path);
    r.authorization = "Bearer secret";
    r.body = body;
    r.content_type = "application/json";
    return s.run(r);
  };
  CHECK(s.run(method::get, "/actuator/faults").status == 401);
  CHECK(s.run(method::post, "/actuator/faults").status == 401);
  const auto added = call(method::post, "/actuator/faults", R"({"target":"cup","kind":"slow","delayMaxMs":5})");
  CHECK(added.status == 201);
  CHECK(added.headers.find("/actuator/faults/1\r\n") != std::string::npos);
  CHECK(json::parse(added.body)["id"] == 1);
  CHECK(json::parse(call(method::get, "/actuator/faults").body).size() == 1);
  CHECK(json::parse(call(method::get, "/actuator/faults/1").body)["target"] == "cup");
  CHECK(call(method::get, "/actuator/faults/2").status == 404);
  CHECK(call(method::remove, "/actuator/faults/x").status == 404);
  const auto refused = call(method::post, "/actuator/faults", R"({"target":"cup"})");
  CHECK(refused.status == 422);
  CHECK(json::parse(refused.body)["field"] == "kind");
  CHECK(call(method::post, "/actuator/faults", "[]").status == 400);
  CHECK(call(method::put, "/actuator/faults").status == 405);
  CHECK(call(method::remove, "/actuator/faults/1").status == 204);
  CHECK(call(method::remove, "/actuator/faults/1").status == 404);
  (void)call(method::post, "/actuator/faults", R"({"target":"cup","kind":"hang"})");
  CHECK(json::parse(call(method::remove, "/actuator/faults").body)["removed"] == 1);
  CHECK(call(method::get, "/actuator/faults").body == "[]");
}

TEST_CASE("router: where an event stream begins and what it filters") {
  setup s;
  for (int i = 0; i < 10; ++i) s.door.put("010", 1);
  auto r = s.make(method::get, "/events?from=5&type=CupPlaced&context=cup&id=1");
  auto plan = std::get<stream_plan>(s.get().route(r).what);
  CHECK(plan.query.from == 5);
  CHECK(plan.query.id == 1);
  CHECK_FALSE(plan.sse);
  CHECK_FALSE(plan.follow);
  r.accept = "text/event-stream";
  r.last_event_id = "7";
  plan = std::get<stream_plan>(s.get().route(r).what);
  CHECK(plan.sse);
  CHECK(plan.follow);
  CHECK(plan.query.from == 8);
  for (const auto* bad : {"from=x", "follow=1", "type=Nope", "context=nope", "id=0"})
    CHECK(s.run(method::get, std::string("/events?") + bad).status == 400);
  CHECK(s.run(method::get, "/cups/99/events").status == 404);
  const auto history = s.make(method::get, "/cups/1/events");
  CHECK(std::get<stream_plan>(s.get().route(history).what).query.id == 1);
}

TEST_CASE("router: a place of another history, or ahead of this one's end, is lost, and said to be") {
  setup s;
  s.door.put("010", 1);  // the history 00000000000feed1 has one event
  const auto routed = [&](const std::string& from, const std::string& last_event_id, const char* accept) {
    auto r = s.make(method::get, "/events" + (from.empty() ? "" : "?from=" + from));
    r.last_event_id = last_event_id;
    r.accept = accept;
    return s.get().route(r);
  };
  for (const std::string place : {"0", "1", "2", "00000000000feed1-1", "00000000000feed1-2"}) {
    CAPTURE(place);
    const auto plan = std::get<stream_plan>(routed(place, "", "application/x-ndjson").what);
    CHECK(plan.query.from == static_cast<std::uint64_t>(place.back() - '0'));
  }
  CHECK(std::get<stream_plan>(routed("", "00000000000feed1-1", "text/event-stream").what).query.from == 2);
  CHECK(std::get<stream_plan>(routed("", "00000000000feed1-1", "text/event-stream").what).lost.empty());
  for (const auto& [from, last_event_id] : std::vector<std::pair<std::string, std::string>>{
           {"3", ""}, {"00000000000feed1-3", ""}, {"00000000000feed2-1", ""}, {"1", "2"}, {"1", "00000000000feed2-1"}}) {
    CAPTURE(from, last_event_id);
    const auto refused = std::get<response>(routed(from, last_event_id, "application/x-ndjson").what);
    CHECK(refused.status == 410);
    CHECK(json::parse(refused.body)["type"] == "/problems/place-lost");
    CHECK_FALSE(std::get<stream_plan>(routed(from, last_event_id, "text/event-stream").what).lost.empty());
    auto history = s.make(method::get, "/cups/1/events?from=" + from);
    history.last_event_id = last_event_id;
    CHECK(std::get<response>(s.get().route(history).what).status == 410);
  }
  for (const auto* bad : {"-1", "feed1-1", "00000000000FEED1-1", "00000000000feed1-", "00000000000feed1-x"})
    CHECK(std::get<response>(routed(bad, "", "application/x-ndjson").what).status == 400);
  CHECK(std::get<response>(routed("", "18446744073709551615", "application/x-ndjson").what).status == 400);
}

TEST_CASE("feed: an event as a console consumer showed it") {
  fake::door door;
  door.put("010", 1);
  std::string out;
  append_event(out, door.system(), door.log[0]);
  CHECK(out == R"({"eventType":"CupPlaced","timestamp":"20210119030159","phoneNumber":"010","id":1,"offset":1,)"
               R"("traceId":"00000000000000000000000000000000","context":"cup"})");
}

TEST_CASE("problems: no byte of the target can break the answer", "[problem]") {
  request r;
  r.target = "/\xff\"\\x?secret=1";
  const auto body = json::parse(render(problem{problem_code::not_found, "x"}, r).body);
  CHECK(body["path"] == "/%FF\"\\x");
}

TEST_CASE("problems: what an answer repeats of a request cannot act on a terminal", "[problem]") {
  const auto body = json::parse(render(problem{problem_code::not_found, "There is no '\u202eetc\u009b'."}, request{}).body);
  CHECK(body["detail"] == "There is no '\\u202eetc\\u009b'.");
  CHECK(body["message"] == body["detail"]);
}

TEST_CASE("problems: docs/errors/README.md is the table", "[handbook]") {
  const auto path = source_directory() / "docs/errors/README.md";
  if (std::getenv("CREMA_WRITE_DOCS") != nullptr) std::ofstream(path) << problem_handbook();
  std::ostringstream written;
  written << std::ifstream(path).rdbuf();
  CHECK(written.str() == problem_handbook());
}
